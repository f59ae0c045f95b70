use std::time::Duration;

use tokio::time::Instant;

use super::run::{Running, Sent};
use super::{Event, Verification};
use crate::aws::Stop;
use crate::iam::PrincipalCounts;
use crate::inventory::{ApiError, Inventory, Reading};

/// The wait before the second reading. It doubles with each further reading.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A change that is not verified yet, and what the last reading showed.
type Unverified<'a, Last> = (Sent<'a>, Last);

impl<'a> Running<'a> {
    /// Reads the principals until each one has the new boundary, the time is over, or the run is stopped.
    ///
    /// A read just after a write may show the earlier boundary
    /// ([IAM's eventual consistency](https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency)).
    /// So one reading is enough to show that a change is made, and only the last reading can show that it is not.
    pub(super) async fn verify(&self, sent: Vec<Sent<'a>>) {
        let stop = self.run.switch.receiver();
        let mut waits = Waits::new(self.run.options.verify_for);
        let mut left: Vec<Unverified<'a, Option<Reading>>> =
            sent.into_iter().map(|sent| (sent, None)).collect();
        while !left.is_empty() {
            let (otherwise, inventory) = match self.read(&left, &stop).await {
                Some(Ok(inventory)) => (self.compared(left, &inventory), inventory),
                Some(Err(error)) => {
                    return self.all_changes_ended(left, |_| Verification::Failed(error.clone()));
                }
                None => return self.all_changes_ended(left, |last| Verification::Stopped { last }),
            };
            let Some(wait) = waits.next_wait() else {
                let (by_pages, singly): (Vec<_>, Vec<_>) = otherwise
                    .into_iter()
                    .partition(|(sent, _)| inventory.is_from_pages(&sent.change.principal));
                self.all_changes_ended(singly, Verification::Otherwise);
                return self.verify_singly(by_pages, &stop).await;
            };
            left = otherwise.into_iter().map(|(sent, found)| (sent, Some(found))).collect();
            if !left.is_empty() {
                tokio::select! {
                    () = stop.requested() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }

    /// Reads each principal by `GetUser` or `GetRole` before its change ends as not made: account pages that leave
    /// boundaries out would show the same. There is one call for each.
    async fn verify_singly(&self, left: Vec<Unverified<'a, Reading>>, stop: &Stop) {
        if left.is_empty() {
            return;
        }
        let principals = left.iter().map(|(sent, _)| &sent.change.principal);
        let read = tokio::select! {
            biased;
            () = stop.requested() => {
                return self.all_changes_ended(left, |last| Verification::Stopped { last: Some(last) });
            }
            read = self.run.account.inventory_singly(principals) => read,
        };
        let inventory = match read {
            Ok(inventory) => inventory,
            Err(error) => {
                tracing::info!("{error}; account pages decide on {} principals", left.len());
                return self.all_changes_ended(left, Verification::Otherwise);
            }
        };
        for (sent, by_pages) in left {
            let verification = match inventory.reading(&sent.change.principal) {
                found if is_as_written(&sent, found) => {
                    Verification::AsWrittenBySingleRead(by_pages)
                }
                Reading::Unreadable(error) => {
                    tracing::info!("{}: {error}", sent.change.principal);
                    Verification::Otherwise(by_pages)
                }
                found => Verification::Otherwise(found.clone()),
            };
            self.change_ended(sent, verification);
        }
    }

    /// Reads the principals once, in the fewest calls. `None` if the run is stopped first.
    async fn read<Last>(
        &self,
        left: &[Unverified<'a, Last>],
        stop: &Stop,
    ) -> Option<Result<Inventory, ApiError>> {
        if stop.reason().is_some() {
            return None;
        }
        let kinds = left.iter().map(|(sent, _)| sent.change.principal.kind);
        self.send(Event::Verifying { principals: PrincipalCounts::of(kinds) });
        let principals = left.iter().map(|(sent, _)| &sent.change.principal);
        tokio::select! {
            biased;
            () = stop.requested() => None,
            read = self.run.account.inventory(principals) => Some(read),
        }
    }

    /// Ends the changes that are verified and those whose principals cannot be read. Returns the others.
    fn compared<Last>(
        &self,
        left: Vec<Unverified<'a, Last>>,
        inventory: &Inventory,
    ) -> Vec<Unverified<'a, Reading>> {
        let mut otherwise = Vec::new();
        for (sent, _) in left {
            let reading = inventory.reading(&sent.change.principal);
            match reading {
                found if is_as_written(&sent, found) => {
                    self.change_ended(sent, Verification::AsWritten);
                }
                Reading::Unreadable(error) => {
                    self.change_ended(sent, Verification::Failed(error.clone()));
                }
                found => otherwise.push((sent, found.clone())),
            }
        }
        otherwise
    }

    fn all_changes_ended<Last>(
        &self,
        left: Vec<Unverified<'a, Last>>,
        how: impl Fn(Last) -> Verification,
    ) {
        left.into_iter().for_each(|(sent, last)| self.change_ended(sent, how(last)));
    }
}

/// Whether the reading shows the change.
fn is_as_written(sent: &Sent<'_>, reading: &Reading) -> bool {
    let Reading::Found { unique_id, boundary } = reading else { return false };
    boundary.as_ref() == sent.change.boundary.to() && sent.change.is_of(unique_id)
}

/// The waits between readings. The last one ends with the time.
struct Waits {
    time: Duration,
    began: Option<Instant>,
    next: Duration,
}

impl Waits {
    fn new(time: Duration) -> Self {
        Waits { time, began: None, next: FIRST_WAIT }
    }

    /// The wait before another reading; `None` if the time is over. It counts from the first call.
    fn next_wait(&mut self) -> Option<Duration> {
        let began = *self.began.get_or_insert_with(Instant::now);
        let left = self.time.saturating_sub(began.elapsed());
        let wait = self.next.min(left);
        self.next = self.next.saturating_mul(2);
        (!wait.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The waits, in milliseconds, until there are no more.
    async fn waits(time: Duration) -> Vec<u128> {
        let mut remaining = Waits::new(time);
        let mut waits = Vec::new();
        while let Some(wait) = remaining.next_wait() {
            waits.push(wait.as_millis());
            tokio::time::sleep(wait).await;
        }
        waits
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_and_the_last_ends_with_the_time() {
        let thirty = waits(Duration::from_secs(30)).await;
        assert_eq!(thirty[..6], [250, 500, 1_000, 2_000, 4_000, 8_000]);
        assert_eq!(thirty.iter().sum::<u128>(), 30_000);
        assert!(waits(Duration::ZERO).await.is_empty());
    }
}
