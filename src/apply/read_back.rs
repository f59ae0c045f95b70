use std::time::Duration;

use tokio::time::Instant;

use super::run::{Running, Sent};
use super::{Event, ReadBack, Reading};
use crate::aws::{ApiError, Inventory, Stop};

/// The wait before the second reading; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// An item that was not seen to be as written, and what was read of it last.
type Unseen<'a, Last> = (Sent<'a>, Last);

impl<'a, F: FnMut(Event)> Running<'a, F> {
    /// Reads back what was sent until each user is as written, the time for it is over, or the run is
    /// stopped.
    ///
    /// A read just after a write may show what was there before
    /// ([IAM's eventual consistency](https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency)),
    /// so it tells that something is done, and only the last of many that it is not.
    pub(super) async fn read_back(&self, sent: Vec<Sent<'a>>) {
        let stop = self.run.switch.stop();
        let mut patience = Patience::new(self.run.limits.read_back);
        let mut left: Vec<Unseen<'a, Option<Reading>>> =
            sent.into_iter().map(|sent| (sent, None)).collect();
        while !left.is_empty() {
            let otherwise = match self.read(&left, &stop).await {
                Some(Ok(snapshot)) => self.compared(left, &snapshot),
                Some(Err(error)) => {
                    return self.all_ended(left, |_| ReadBack::Failed(error.clone()));
                }
                None => return self.all_ended(left, |last| ReadBack::Stopped { last }),
            };
            let Some(wait) = patience.next_wait() else {
                return self.all_ended(otherwise, ReadBack::Otherwise);
            };
            left = otherwise.into_iter().map(|(sent, found)| (sent, Some(found))).collect();
            if !left.is_empty() {
                tokio::select! {
                    () = stop.asked() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }

    /// Reads the users once, in the fewest calls; none, if the run is stopped before they are read.
    async fn read<Last>(
        &self,
        left: &[Unseen<'a, Last>],
        stop: &Stop,
    ) -> Option<Result<Inventory, ApiError>> {
        if stop.reason().is_some() {
            return None;
        }
        self.tell(Event::ReadingBack { users: left.len() });
        tokio::select! {
            biased;
            () = stop.asked() => None,
            read = self.run.account.snapshot(left.iter().map(|(sent, _)| &sent.change.user)) => Some(read),
        }
    }

    /// Ends those who are as written, and those who cannot be read; gives the others, who may yet be.
    fn compared<Last>(
        &self,
        left: Vec<Unseen<'a, Last>>,
        snapshot: &Inventory,
    ) -> Vec<Unseen<'a, Reading>> {
        let mut otherwise = Vec::new();
        for (sent, _) in left {
            let found = snapshot
                .reading(&sent.change.user)
                .expect("the snapshot has every user that it was asked for");
            match found {
                Reading::Boundary(now) if now.as_ref() == sent.change.action.to() => {
                    self.ended(sent, ReadBack::AsWritten);
                }
                Reading::Unreadable(error) => self.ended(sent, ReadBack::Failed(error.clone())),
                found => otherwise.push((sent, found.clone())),
            }
        }
        otherwise
    }

    fn all_ended<Last>(&self, left: Vec<Unseen<'a, Last>>, how: impl Fn(Last) -> ReadBack) {
        left.into_iter().for_each(|(sent, last)| self.ended(sent, how(last)));
    }
}

/// The waits between readings, which end with a last one when the time is over.
struct Patience {
    time: Duration,
    began: Option<Instant>,
    next: Duration,
}

impl Patience {
    fn new(time: Duration) -> Self {
        Patience { time, began: None, next: FIRST_WAIT }
    }

    /// The wait before another reading; none, if the time is over. It counts from the first call.
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

    /// The waits, in milliseconds, until there is none any more.
    async fn waits(time: Duration) -> Vec<u128> {
        let mut patience = Patience::new(time);
        let mut waits = Vec::new();
        while let Some(wait) = patience.next_wait() {
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
