use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::inventory::StopReason;

/// Stops a run: no new call begins after it is pressed. Clones are one switch.
#[derive(Debug, Clone)]
pub struct StopSwitch(Arc<watch::Sender<Option<StopReason>>>);

/// Tells a run whether its [`StopSwitch`] was pressed.
#[derive(Debug, Clone)]
pub struct Stop {
    reason: watch::Receiver<Option<StopReason>>,
    // Keeps the channel open, so that waiting for the stop never fails.
    _switch: StopSwitch,
}

/// Calls in flight at a deadline have this much longer.
const GRACE: Duration = Duration::from_secs(5);

impl StopSwitch {
    /// A switch that is not pressed.
    pub fn new() -> Self {
        StopSwitch(Arc::new(watch::Sender::new(None)))
    }

    /// Requests the stop. If it is requested again, the first reason remains.
    pub fn press(&self, reason: StopReason) {
        self.0.send_if_modified(|present| {
            let is_first = present.is_none();
            present.get_or_insert(reason);
            is_first
        });
    }

    /// A receiver of this switch, for the run that it stops.
    pub fn stop(&self) -> Stop {
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
        StopSwitch::new().stop()
    }

    /// The reason for the stop; `None` if it was not requested.
    pub fn reason(&self) -> Option<StopReason> {
        *self.reason.borrow()
    }

    /// Waits until the stop is requested.
    pub async fn requested(&self) {
        self.wait_for(|reason| reason.is_some()).await;
    }

    /// Waits until calls in flight must end: 5 s after a deadline, and never after another stop.
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
