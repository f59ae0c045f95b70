use std::time::Duration;

use tokio::time::Instant;

use super::exit::Failure;
use crate::aws::{StopReason, StopSwitch};

/// What is left of the time that `--timeout` allows for the whole run. Waiting for a person's answer is
/// not counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimit {
    left: Option<Duration>,
}

impl TimeLimit {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        TimeLimit { left: limit }
    }

    /// Does a thing that changes nothing, and gives it up when the time is over.
    pub(super) async fn within<T>(
        &mut self,
        reading: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let Some(left) = self.left else { return reading.await };
        let began = Instant::now();
        match tokio::time::timeout(left, reading).await {
            Ok(done) => {
                self.left = Some(left.saturating_sub(began.elapsed()));
                done
            }
            Err(_) => {
                Err(Failure::new("the account was not read within --timeout; nothing was changed")
                    .advise("allow more time; -v says what takes it"))
            }
        }
    }

    /// Asks a run to stop when the time is over.
    pub(super) async fn press(self, switch: StopSwitch) {
        match self.left {
            Some(left) => {
                tokio::time::sleep(left).await;
                switch.press(StopReason::Deadline);
            }
            None => std::future::pending().await,
        }
    }
}
