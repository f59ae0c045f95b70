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

/// Stops the run at the first signal, and exits immediately at the second. `journal` is the path of the journal as
/// soon as the run has one.
pub(super) async fn stop_on_signal(
    switch: StopSwitch,
    output: Output,
    bar: BarHandle,
    journal: Arc<OnceLock<PathBuf>>,
) {
    if let Err(error) = interrupted().await {
        // Without a handler, a signal terminates the process.
        tracing::warn!("cannot install the signal handler: {error}");
        return std::future::pending().await;
    }
    switch.request_stop(StopReason::Interrupted);
    tokio::spawn(async move {
        if interrupted().await.is_ok() {
            quit(output, journal.get().map(PathBuf::as_path)).await;
        }
    });
    let message = "Stopping: waiting up to 10 seconds for requests in flight. Press Ctrl-C again to quit \
                   immediately.";
    // The bar is locked while the report waits for its reader.
    let _ = tokio::task::spawn_blocking(move || bar.suspend(|| output.remark(message))).await;
}

/// Exits without waiting for requests in flight.
async fn quit(output: Output, journal: Option<&Path>) -> ! {
    if let Some(path) = journal {
        let message = format!(
            "Quit: the outcome of requests in flight is unknown. Run plan to see the remaining changes.\n\
             journal: {}",
            Printable::path(path)
        );
        // The bar may be locked by a report that waits for its reader.
        let written = tokio::task::spawn_blocking(move || output.remark(&message));
        let _ = tokio::time::timeout(MESSAGE_TIME, written).await;
    }
    std::process::exit(Exit::Interrupted.code().into())
}

/// Waits for Ctrl-C or, on Unix, SIGTERM or SIGHUP.
pub(super) async fn interrupted() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
