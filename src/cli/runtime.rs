use std::io;
use std::num::NonZero;
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle, available_parallelism};
use std::time::Duration;

use super::exit_code::Exit;
use super::failure::Failure;

/// The threads of a run beside the main one and the runtime's workers: one for blocking work, the journal's and
/// the report's.
const OTHER_THREADS: usize = 3;
/// Longer than any run. The runtime aborts the process if it needs a thread for blocking work and the system has
/// none left, so it keeps the one that it has.
const KEEP_ALIVE: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Runs a command on a runtime.
///
/// # Errors
/// The command's own, or if the system has not enough threads: then the command does not begin.
pub(super) fn on_runtime(
    command: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let cannot_start = |error: io::Error| {
        Failure::new(format!("cannot start the threads of the runtime: {error}"))
            .help("raise the limit of processes (ulimit -u, or the pids limit of the container)")
    };
    let workers = available_parallelism().map_or(1, NonZero::get);
    // The runtime panics where it gets no thread.
    check_threads(workers + OTHER_THREADS, |thread| Builder::new().spawn(thread))
        .map_err(cannot_start)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_keep_alive(KEEP_ALIVE)
        .enable_all()
        .build()
        .map_err(cannot_start)?;
    let done = runtime.block_on(async {
        let _ = tokio::task::spawn_blocking(|| ()).await;
        command.await
    });
    // A task may still be reading from a terminal: it is not waited for.
    runtime.shutdown_background();
    done
}

type Thread = Box<dyn FnOnce() + Send>;

/// Checks that the system has this many threads at the same time.
fn check_threads(
    count: usize,
    spawn: impl Fn(Thread) -> io::Result<JoinHandle<()>>,
) -> io::Result<()> {
    let mut running = Vec::new();
    let started = (0..count).try_for_each(|_| {
        let (end, ended) = mpsc::channel::<()>();
        let thread = spawn(Box::new(move || {
            let _ = ended.recv();
        }))?;
        running.push((end, thread));
        Ok(())
    });
    for (end, thread) in running {
        drop(end);
        let _ = thread.join();
    }
    started
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_system_without_enough_threads_is_an_error_and_not_a_panic() {
        let spawned = Cell::new(0);
        let spawn = |most| {
            let spawned = &spawned;
            move |thread: Thread| {
                spawned.set(spawned.get() + 1);
                match spawned.get() <= most {
                    true => Builder::new().spawn(thread),
                    false => Err(io::ErrorKind::WouldBlock.into()),
                }
            }
        };
        assert!(check_threads(OTHER_THREADS, spawn(OTHER_THREADS)).is_ok());
        spawned.set(0);
        let error = check_threads(OTHER_THREADS, spawn(OTHER_THREADS - 1)).unwrap_err();
        assert_eq!((error.kind(), spawned.get()), (io::ErrorKind::WouldBlock, OTHER_THREADS));
    }
}
