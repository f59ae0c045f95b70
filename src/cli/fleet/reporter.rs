use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

use super::super::args::Format;
use super::super::output::Output;
use crate::apply::{FleetEvent, FleetRun};
use crate::report::{FleetProgress, FleetReporter, ProgressDisplay, fleet_reporter};

/// The thread that writes the report of a run on a fleet to standard output and its progress to standard error.
///
/// The channel of events is unbounded, so a slow reader of the output delays no run.
pub(super) struct Reporter {
    written: oneshot::Receiver<io::Result<()>>,
    run: Arc<Mutex<Option<Arc<FleetRun>>>>,
}

impl Reporter {
    /// Starts the thread, which first writes `before`. It writes the end of the report when the sender is dropped.
    ///
    /// # Errors
    /// Returns the error of the system if it cannot create the thread.
    pub(super) fn start(
        format: Format,
        output: Output,
        before: String,
    ) -> io::Result<(Sender<FleetEvent>, Reporter)> {
        let (events, received) = mpsc::channel();
        let (done, written) = oneshot::channel();
        let run = Arc::new(Mutex::new(None::<Arc<FleetRun>>));
        let at_end = run.clone();
        thread::Builder::new().name("report".to_owned()).spawn(move || {
            let progress = FleetProgress::new(Box::new(output.stderr()));
            let mut reporter = fleet_reporter(format.into(), output.out, output.stdout(format));
            let begun = output.print(format, &before);
            let mut written = write(&received, progress, reporter.as_mut(), begun);
            let run = at_end.lock().ok().and_then(|mut run| run.take());
            if let (Ok(()), Some(run)) = (&written, run) {
                written = reporter.finish(&run);
            }
            // Fails only if nothing waits for the report.
            let _ = done.send(written);
        })?;
        Ok((events, Reporter { written, run }))
    }

    /// Sets the result with which the report ends. The sender of the events must be dropped after this.
    pub(super) fn end_with(&self, run: Arc<FleetRun>) {
        if let Ok(mut at_end) = self.run.lock() {
            *at_end = Some(run);
        }
    }

    /// Waits until the whole report is written.
    ///
    /// # Errors
    /// Returns the error of standard output if it could not be written.
    pub(super) async fn finish(self) -> io::Result<()> {
        self.written.await.unwrap_or_else(|_| Err(io::Error::other("the report thread ended")))
    }
}

/// Writes the report of the events until a write fails. Shows the progress until the last event.
fn write(
    events: &Receiver<FleetEvent>,
    mut progress: FleetProgress,
    reporter: &mut dyn FleetReporter,
    mut written: io::Result<()>,
) -> io::Result<()> {
    let mut ticked = Instant::now();
    loop {
        match events.recv_timeout(ProgressDisplay::TICK) {
            Ok(event) => {
                progress.on(&event);
                if written.is_ok() {
                    written = progress.suspend(|| reporter.on(&event));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                progress.finish();
                return written;
            }
        }
        if ticked.elapsed() >= ProgressDisplay::TICK {
            ticked = Instant::now();
            progress.tick();
        }
    }
}
