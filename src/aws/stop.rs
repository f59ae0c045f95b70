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

/// How long requests in flight may take after a deadline.
const GRACE: Duration = Duration::from_secs(5);

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
        self.wait_for(|reason| reason.is_some()).await;
    }

    /// Waits until requests in flight must end: 5 s after a deadline, and never after another stop.
    pub(super) async fn overdue(&self) {
        self.wait_for(|reason| reason == Some(StopReason::Deadline)).await;
        tokio::time::sleep(GRACE).await;
    }

    async fn wait_for(&self, is_expected: impl Fn(Option<StopReason>) -> bool) {
        let mut reason = self.reason.clone();
        // Fails only when every switch is dropped, and this value holds one.
        let _ = reason.wait_for(|reason| is_expected(*reason)).await;
    }
}
