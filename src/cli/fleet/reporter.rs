use std::io;
use std::sync::mpsc::{self, Sender};

use super::super::args::Format;
use super::super::output::Output;
use super::super::report_thread::{Received, ReportThread, receive};
use crate::apply::FleetEvent;
use crate::report::fleet_reporter;

/// Starts a thread that writes the report of a run on a fleet to standard output and its progress to standard error. It
/// first writes `before`, and ends when the sender is dropped.
///
/// The channel of events is unbounded, so a slow reader of the output delays no run.
///
/// # Errors
/// Returns the error of the system if it cannot create the thread.
pub(super) fn start(
    format: Format,
    output: Output,
    before: String,
) -> io::Result<(Sender<FleetEvent>, ReportThread)> {
    let (events, received) = mpsc::channel();
    let thread = ReportThread::start(move || {
        let mut progress = output.fleet_progress();
        let mut reporter = fleet_reporter(format.into(), output.out, output.stdout(format));
        let mut written = output.print(format, &before);
        receive(&received, |received| match received {
            Received::Event(event) => {
                progress.on(&event);
                if written.is_ok() {
                    written = progress.suspend(|| reporter.on(&event));
                }
            }
            Received::Tick => progress.tick(),
        });
        progress.finish();
        written
    })?;
    Ok((events, thread))
}
