//! Handling of Ctrl-C and termination signals.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::exit_code::Exit;
use super::output::Output;
use crate::aws::StopSwitch;
use crate::iam::Printable;
use crate::inventory::StopReason;
use crate::report::BarHandle;

/// The maximum time that the message of a process that quits waits for a slow reader of standard error.
const MESSAGE_TIME: Duration = Duration::from_secs(1);

/// The signals that stop a command: Ctrl-C and, on Unix, SIGTERM and SIGHUP.
///
/// It receives each signal that comes after it was created. One that comes before the first call to [`Signals::next`] waits.
pub(super) struct Signals {
    #[cfg(unix)]
    each: [tokio::signal::unix::Signal; 3],
    #[cfg(windows)]
    ctrl_c: tokio::signal::windows::CtrlC,
}

impl Signals {
    /// Begins to receive signals. From now on, they do not end the process.
    ///
    /// # Errors
    /// Returns the error of the system if it cannot install the handler.
    pub(super) fn receive() -> io::Result<Signals> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let each = [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ];
            Ok(Signals { each })
        }
        #[cfg(windows)]
        Ok(Signals { ctrl_c: tokio::signal::windows::ctrl_c()? })
    }

    /// Waits for a signal.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate, hangup] = &mut self.each;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        #[cfg(windows)]
        self.ctrl_c.recv().await;
    }
}

/// Stops the run at the first signal, and exits immediately at the second. `journal` is the path of the journal as
/// soon as the run has one.
pub(super) async fn stop_on_signal(
    signals: io::Result<Signals>,
    switch: StopSwitch,
    output: Output,
    bar: BarHandle,
    journal: Arc<OnceLock<PathBuf>>,
) {
    let mut signals = match signals {
        Ok(signals) => signals,
        Err(error) => {
            // Without a handler, a signal terminates the process.
            tracing::warn!("cannot install the signal handler: {error}");
            return std::future::pending().await;
        }
    };
    signals.next().await;
    switch.request_stop(StopReason::Interrupted);
    let message = "Stopping: waiting up to 10 seconds for requests in flight. Press Ctrl-C again to quit \
                   immediately.";
    // The bar is locked while the report waits for its reader.
    tokio::task::spawn_blocking(move || bar.suspend(|| output.remark(message)));
    signals.next().await;
    quit(output, journal.get().map(PathBuf::as_path)).await;
}

/// Exits without waiting for requests in flight.
async fn quit(output: Output, journal: Option<&Path>) -> ! {
    let message = journal.map(|path| {
        format!(
            "Quit: the outcome of requests in flight is unknown. Run plan to see the remaining changes.\n\
             journal: {}",
            Printable::path(path)
        )
    });
    // The bar may be locked by a report that waits for its reader.
    let written = tokio::task::spawn_blocking(move || {
        if let Some(message) = message {
            output.remark(&message);
        }
        output.release(Exit::Interrupted);
    });
    let _ = tokio::time::timeout(MESSAGE_TIME, written).await;
    std::process::exit(Exit::Interrupted.code().into())
}

/// Waits for a signal that comes from now on.
///
/// # Errors
/// Those of [`Signals::receive`].
pub(super) async fn interrupted() -> io::Result<()> {
    Signals::receive()?.next().await;
    Ok(())
}
