//! Handling of Ctrl-C and termination signals.

use std::io;

use super::output::Output;
use crate::aws::StopSwitch;
use crate::inventory::StopReason;
use crate::report::BarHandle;

/// Stops the run at the first signal, and exits immediately at the second.
pub(super) async fn stop_on_signal(switch: StopSwitch, output: Output, bar: BarHandle) {
    if let Err(error) = interrupted().await {
        // Without a handler, a signal terminates the process.
        tracing::warn!("cannot install the signal handler: {error}");
        return std::future::pending().await;
    }
    switch.request_stop(StopReason::Interrupted);
    tokio::spawn(async {
        if interrupted().await.is_ok() {
            std::process::exit(130);
        }
    });
    let message = "Stopping: waiting up to 10 seconds for requests in flight. Press Ctrl-C again to quit \
                   immediately.";
    // The bar is locked while the report waits for its reader.
    let _ = tokio::task::spawn_blocking(move || bar.suspend(|| output.remark(message))).await;
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
