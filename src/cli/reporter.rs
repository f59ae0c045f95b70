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
use crate::report::{Aside, ProgressDisplay, RunReporter, run_reporter};

/// The thread that writes a run's report to standard output and its progress to standard error.
///
/// Events wait in a channel without a bound, so a slow reader of the output delays neither the run nor its
/// deadline.
#[derive(Debug)]
pub(super) struct Reporter {
    written: oneshot::Receiver<io::Result<()>>,
    aside: Aside,
}

impl Reporter {
    /// Starts the thread, which first writes `before`. It ends when the sender is dropped.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(super) fn start(
        preflight: Arc<Preflight>,
        format: Format,
        output: Output,
        before: String,
    ) -> io::Result<(Sender<Event>, Reporter)> {
        let (events, received) = mpsc::channel();
        let (done, written) = oneshot::channel();
        let progress = ProgressDisplay::new();
        let aside = progress.aside();
        thread::Builder::new().name("report".to_owned()).spawn(move || {
            let mut reporter = run_reporter(&preflight, format.into(), output.out, io::stdout());
            let begun = output.print(&before);
            // Fails only when nobody waits for the report any more.
            let _ = done.send(write(&received, progress, reporter.as_mut(), begun));
        })?;
        Ok((events, Reporter { written, aside }))
    }

    /// For messages beside the report.
    pub(super) fn aside(&self) -> Aside {
        self.aside.clone()
    }

    /// Waits until the whole report is written.
    ///
    /// # Errors
    /// When standard output could not be written.
    pub(super) async fn finish(self) -> io::Result<()> {
        self.written.await.unwrap_or_else(|_| Err(io::Error::other("the report thread ended")))
    }
}

/// Writes the report of the events, unless what came before it could not be written.
fn write(
    events: &Receiver<Event>,
    mut progress: ProgressDisplay,
    reporter: &mut dyn RunReporter,
    mut written: io::Result<()>,
) -> io::Result<()> {
    let aside = progress.aside();
    let mut ticked = Instant::now();
    loop {
        match events.recv_timeout(ProgressDisplay::TICK) {
            Ok(event) => {
                progress.on(&event);
                if written.is_ok() {
                    written = aside.write(|| reporter.on(&event));
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
