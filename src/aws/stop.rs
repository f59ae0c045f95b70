use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::inventory::StopReason;

/// Stops a run: after a request, no new call begins. Clones share their state.
#[derive(Debug, Clone)]
pub struct StopSwitch(Arc<watch::Sender<Option<StopReason>>>);

/// Receives the request of a [`StopSwitch`] to stop.
#[derive(Debug, Clone)]
pub struct Stop {
    reason: watch::Receiver<Option<StopReason>>,
    // Keeps the channel open, so that waiting for the stop never fails.
    _switch: StopSwitch,
}

/// How long requests in flight may take after a stop. Supervisors kill a process that does not end some seconds
/// after SIGTERM.
pub(super) const GRACE: Duration = Duration::from_secs(10);

impl StopSwitch {
    /// A switch without a request.
    pub fn new() -> Self {
        StopSwitch(Arc::new(watch::Sender::new(None)))
    }

    /// Requests the stop. If it is requested again, the first reason remains.
    pub fn request_stop(&self, reason: StopReason) {
        self.0.send_if_modified(|present| {
            let is_first = present.is_none();
            present.get_or_insert(reason);
            is_first
        });
    }

    /// The receiver for the run that this switch stops.
    pub fn receiver(&self) -> Stop {
        Stop { reason: self.0.subscribe(), _switch: self.clone() }
    }
}

impl Default for StopSwitch {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// A stop that is never requested.
    pub fn never() -> Self {
        StopSwitch::new().receiver()
    }

    /// The reason for the stop; `None` if it was not requested.
    pub fn reason(&self) -> Option<StopReason> {
        *self.reason.borrow()
    }

    /// Waits until the stop is requested.
    pub async fn requested(&self) {
        let mut reason = self.reason.clone();
        // Fails only when every switch is dropped, and this value holds one.
        let _ = reason.wait_for(|reason| reason.is_some()).await;
    }

    /// Waits until requests in flight must end: [`GRACE`] after any stop.
    pub(super) async fn overdue(&self) {
        self.requested().await;
        tokio::time::sleep(GRACE).await;
    }
}
