use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

use super::args::Format;
use super::output::Output;
use crate::apply::Event;
use crate::plan::Preflight;
use crate::report::{BarHandle, ProgressDisplay, RunReporter, run_reporter};

/// The thread that writes a run's report to standard output and its progress to standard error.
///
/// The channel of events is unbounded, so a slow reader of the output delays neither the run nor its deadline.
#[derive(Debug)]
pub(super) struct Reporter {
    written: oneshot::Receiver<io::Result<()>>,
    bar_handle: BarHandle,
}

impl Reporter {
    /// Starts the thread, which first writes `before`. It ends when the sender is dropped.
    ///
    /// # Errors
    /// Returns the error of the system if it cannot create the thread.
    pub(super) fn start(
        preflight: Arc<Preflight>,
        format: Format,
        output: Output,
        before: String,
    ) -> io::Result<(Sender<Event>, Reporter)> {
        let (events, received) = mpsc::channel();
        let (done, written) = oneshot::channel();
        let progress = ProgressDisplay::new(Box::new(output.stderr()));
        let bar_handle = progress.bar_handle();
        thread::Builder::new().name("report".to_owned()).spawn(move || {
            let mut reporter =
                run_reporter(&preflight, format.into(), output.out, output.stdout(format));
            let begun = output.print(format, &before);
            // Fails only if nothing waits for the report.
            let _ = done.send(write(&received, progress, reporter.as_mut(), begun));
        })?;
        Ok((events, Reporter { written, bar_handle }))
    }

    /// A handle for writing messages while the progress bar is hidden.
    pub(super) fn bar_handle(&self) -> BarHandle {
        self.bar_handle.clone()
    }

    /// Waits until the whole report is written.
    ///
    /// # Errors
    /// Returns the error of standard output if it could not be written.
    pub(super) async fn finish(self) -> io::Result<()> {
        self.written.await.unwrap_or_else(|_| Err(io::Error::other("the report thread ended")))
    }
}

/// Writes the report of the events until a write fails; `written` is the result of the writes so far. Shows
/// the progress until the last event.
fn write(
    events: &Receiver<Event>,
    mut progress: ProgressDisplay,
    reporter: &mut dyn RunReporter,
    mut written: io::Result<()>,
) -> io::Result<()> {
    let bar_handle = progress.bar_handle();
    let mut ticked = Instant::now();
    loop {
        match events.recv_timeout(ProgressDisplay::TICK) {
            Ok(event) => {
                progress.on(&event);
                if written.is_ok() {
                    written = bar_handle.suspend(|| reporter.on(&event));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return written,
        }
        if ticked.elapsed() >= ProgressDisplay::TICK {
            ticked = Instant::now();
            progress.tick();
        }
    }
}
