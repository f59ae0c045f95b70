//! Ctrl-C, and what else asks a process to end.

use std::io;

use super::output::Output;
use crate::aws::StopSwitch;
use crate::inventory::StopReason;
use crate::report::Aside;

/// The first signal asks for the stop, the second ends the process at once.
pub(super) async fn stop_on_signal(switch: StopSwitch, output: Output, aside: Aside) {
    if let Err(error) = interrupted().await {
        // Without the handler, a signal ends the process as it would any other.
        tracing::warn!("cannot watch for signals: {error}");
        return std::future::pending().await;
    }
    switch.press(StopReason::Interrupted);
    let message = "Stopping: waiting for calls in flight. Press Ctrl-C again to quit immediately.";
    aside.write(|| output.remark(message));
    tokio::spawn(async {
        if interrupted().await.is_ok() {
            std::process::exit(130);
        }
    });
}

/// Waits for Ctrl-C, or for what asks a process to end.
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
