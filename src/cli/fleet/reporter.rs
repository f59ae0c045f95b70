use std::io;
use std::sync::mpsc::{self, Sender};

use super::super::args::Format;
use super::super::output::Output;
use super::super::report_thread::{Received, ReportThread, receive};
use crate::apply::FleetEvent;
use crate::report::{FleetProgress, Screen, fleet_reporter};

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
    screen: &Screen,
    before: String,
) -> io::Result<(Sender<FleetEvent>, ReportThread)> {
    let (events, received) = mpsc::channel();
    let screen = screen.clone();
    let thread = ReportThread::start(move || {
        let mut progress = output.fleet_progress(&screen);
        let mut reporter = fleet_reporter(format.into(), output.out, output.stdout(format));
        let mut written = output.print(format, &before);
        let mut unwritten = Vec::new();
        let mut write = |progress: &FleetProgress, events: &mut Vec<FleetEvent>| {
            for event in events.drain(..) {
                if written.is_ok() {
                    written = progress.suspend(|| reporter.on(&event));
                }
            }
        };
        receive(&received, |received| {
            match received {
                Received::Event(event) => {
                    progress.on(&event);
                    unwritten.push(event);
                }
                Received::Tick => progress.tick(),
            }
            // A report on the terminal would separate a question from its answer.
            if !screen.is_asking() {
                write(&progress, &mut unwritten);
            }
        });
        write(&progress, &mut unwritten);
        progress.finish();
        written
    })?;
    Ok((events, thread))
}
