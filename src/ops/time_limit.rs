use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use super::error::Error;
use crate::aws::{StopSwitch, Waits};
use crate::inventory::{StopReason, Wait};

/// Receives what a use case waits for: again and again while it is worth a message, and `None` when it is not or no
/// longer.
pub type OnWait<'a> = &'a mut dyn FnMut(Option<&Wait>);

/// The remaining time of a use case, and what it waits for. The time until a person confirms the plan is not counted.
#[derive(Debug, Clone)]
pub(super) struct TimeLimit {
    left: Option<Duration>,
    waits: Waits,
}

/// The time between two reports of a wait.
const TICK: Duration = Duration::from_secs(1);
/// A shorter wait does not explain why the time is over.
const SHORTEST: Duration = Duration::from_millis(500);

impl TimeLimit {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        TimeLimit { left: limit, waits: Waits::default() }
    }

    /// What the connection of the use case waits for.
    pub(super) fn waits(&self) -> Waits {
        self.waits.clone()
    }

    /// Completes `reading`, which changes nothing, or cancels it when the time is over. Reports long waits.
    pub(super) async fn within<T>(
        &mut self,
        on_wait: OnWait<'_>,
        reading: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        let mut reading = pin!(reading);
        let left = self.left;
        let mut over = pin!(async {
            match left {
                Some(left) => tokio::time::sleep_until(began + left).await,
                None => std::future::pending().await,
            }
        });
        let read = loop {
            tokio::select! {
                biased;
                read = &mut reading => break read,
                () = &mut over => {
                    let wait = self.waits.longest(SHORTEST);
                    break Err(Error::TimeLimit(wait.map(Box::new)));
                }
                () = tokio::time::sleep(TICK) => {
                    on_wait(self.waits.longest(Waits::NOTICE_AFTER).as_ref());
                }
            }
        };
        on_wait(None);
        self.left = left.map(|left| left.saturating_sub(began.elapsed()));
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
