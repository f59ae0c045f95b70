use std::time::Duration;

use tokio::time::Instant;

use super::error::Error;
use crate::aws::StopSwitch;
use crate::inventory::StopReason;

/// The remaining time of a use case. The time until a person confirms the plan is not counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimit {
    left: Option<Duration>,
}

impl TimeLimit {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        TimeLimit { left: limit }
    }

    /// Completes `reading`, which changes nothing, or cancels it when the time is over.
    pub(super) async fn within<T>(
        &mut self,
        reading: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(left) = self.left else { return reading.await };
        let began = Instant::now();
        let read = tokio::time::timeout(left, reading).await.map_err(|_| Error::TimeLimit)?;
        self.left = Some(left.saturating_sub(began.elapsed()));
        read
    }

    /// Stops a run when the time is over.
    pub(super) async fn stop(self, switch: StopSwitch) {
        match self.left {
            Some(left) => {
                tokio::time::sleep(left).await;
                switch.request_stop(StopReason::Deadline);
            }
            None => std::future::pending().await,
        }
    }
}
