//! The thread that writes the report of a run, so that a slow reader of the output delays neither the run nor its deadline.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

use super::signals::interrupted;
use crate::report::ProgressDisplay;

/// A thread that writes a report.
#[derive(Debug)]
pub(super) struct ReportThread(oneshot::Receiver<io::Result<()>>);

impl ReportThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// Returns the error of the system if it cannot create the thread.
    pub(super) fn start(
        write: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<ReportThread> {
        let (done, written) = oneshot::channel();
        thread::Builder::new().name("report".to_owned()).spawn(move || {
            // Fails only if nothing waits for the report.
            let _ = done.send(write());
        })?;
        Ok(ReportThread(written))
    }

    /// Waits until the whole report is written. The run is over, so a signal only ends the wait for a slow reader.
    ///
    /// # Errors
    /// Returns the error of standard output if it could not be written, or if a signal ended the wait.
    pub(super) async fn finish(self) -> io::Result<()> {
        tokio::select! {
            // A report that is complete when the signal arrives is not interrupted.
            biased;
            written = self.0 => {
                written.unwrap_or_else(|_| Err(io::Error::other("the report thread ended")))
            }
            Ok(()) = interrupted() => Err(io::Error::other("interrupted before the report was written")),
        }
    }
}

/// What a thread that shows progress receives.
pub(super) enum Received<E> {
    Event(E),
    /// The progress is to be shown again.
    Tick,
}

/// Calls `on` for each event until the sender is dropped, and for a tick whenever [`ProgressDisplay::TICK`] has passed.
pub(super) fn receive<E>(events: &Receiver<E>, mut on: impl FnMut(Received<E>)) {
    let mut ticked = Instant::now();
    loop {
        match events.recv_timeout(ProgressDisplay::TICK) {
            Ok(event) => on(Received::Event(event)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if ticked.elapsed() >= ProgressDisplay::TICK {
            ticked = Instant::now();
            on(Received::Tick);
        }
    }
}
