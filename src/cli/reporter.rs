use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use super::args::Format;
use super::output::Output;
use super::report_thread::{Received, ReportThread, receive};
use crate::apply::Event;
use crate::plan::Preflight;
use crate::report::{BarHandle, ProgressDisplay, RunReporter, run_reporter};

/// Writes a run's report to standard output and its progress to standard error.
///
/// The channel of events is unbounded, so a slow reader of the output delays neither the run nor its deadline.
#[derive(Debug)]
pub(super) struct Reporter {
    thread: ReportThread,
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
        let progress = output.run_progress();
        let bar_handle = progress.bar_handle();
        let thread = ReportThread::start(move || {
            let mut reporter =
                run_reporter(&preflight, format.into(), output.out, output.stdout(format));
            let begun = output.print(format, &before);
            write(&received, progress, reporter.as_mut(), begun)
        })?;
        Ok((events, Reporter { thread, bar_handle }))
    }

    /// A handle for writing messages while the progress bar is hidden.
    pub(super) fn bar_handle(&self) -> BarHandle {
        self.bar_handle.clone()
    }

    /// Waits until the whole report is written.
    ///
    /// # Errors
    /// Those of [`ReportThread::finish`].
    pub(super) async fn finish(self) -> io::Result<()> {
        self.thread.finish().await
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
    receive(events, |received| match received {
        Received::Event(event) => {
            progress.on(&event);
            if written.is_ok() {
                written = bar_handle.suspend(|| reporter.on(&event));
            }
        }
        Received::Tick => progress.tick(),
    });
    written
}
