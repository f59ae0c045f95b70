use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::inventory::StopReason;

/// Asks a run to begin nothing new. Clones ask for the same stop.
#[derive(Debug, Clone)]
pub struct StopSwitch(Arc<watch::Sender<Option<StopReason>>>);

/// What a run looks at to learn whether it was asked to stop.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: watch::Receiver<Option<StopReason>>,
    // Keeps the channel open, so that `asked` can be waited on for as long as the run lasts.
    _switch: StopSwitch,
}

/// What is under way at a deadline has this much longer to be answered.
const GRACE: Duration = Duration::from_secs(5);

impl StopSwitch {
    /// A switch that nobody has pressed yet.
    pub fn new() -> Self {
        StopSwitch(Arc::new(watch::Sender::new(None)))
    }

    /// Asks for the stop. The first reason counts.
    pub fn press(&self, reason: StopReason) {
        self.0.send_if_modified(|asked| {
            let is_first = asked.is_none();
            asked.get_or_insert(reason);
            is_first
        });
    }

    /// A view of this switch, to hand to what shall stop.
    pub fn stop(&self) -> Stop {
        Stop { asked: self.0.subscribe(), _switch: self.clone() }
    }
}

impl Default for StopSwitch {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// A stop that is never asked for.
    pub fn never() -> Self {
        StopSwitch::new().stop()
    }

    /// Why the stop was asked for, if it was.
    pub fn reason(&self) -> Option<StopReason> {
        *self.asked.borrow()
    }

    /// Waits until the stop is asked for.
    pub async fn asked(&self) {
        self.asked_for(|reason| reason.is_some()).await;
    }

    /// Waits until what is under way may take no longer: some seconds after a deadline, and never after
    /// another stop.
    pub(super) async fn overdue(&self) {
        self.asked_for(|reason| reason == Some(StopReason::Deadline)).await;
        tokio::time::sleep(GRACE).await;
    }

    async fn asked_for(&self, is_it: impl Fn(Option<StopReason>) -> bool) {
        let mut asked = self.asked.clone();
        // Fails only when every switch is gone, and this value holds one.
        let _ = asked.wait_for(|reason| is_it(*reason)).await;
    }
}
