use std::time::Duration;

use tokio::time::Instant;

use super::run::{Running, Sent};
use super::{Event, ReadBack, Reading};
use crate::live::{CallError, Snapshot, Stop};

/// The wait before the second reading; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

impl<'a, F: FnMut(Event)> Running<'a, F> {
    /// Reads back what was sent until each user is as written, or the time for it is over.
    ///
    /// A read just after a write may show what was there before
    /// ([IAM's eventual consistency](https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency)),
    /// so only the last of several readings counts.
    pub(super) async fn read_back(&self, sent: Vec<Sent<'a>>) {
        let stop = self.run.switch.stop();
        let mut patience = Patience::new(self.run.limits.read_back);
        // Each with what is to be said of it if no more is learnt.
        let mut left: Vec<(Sent<'a>, ReadBack)> =
            sent.into_iter().map(|sent| (sent, ReadBack::Stopped)).collect();
        while !left.is_empty() {
            match self.read(&left, &stop).await {
                Some(Ok(snapshot)) => left = self.compared(left, &snapshot),
                Some(Err(error)) => {
                    left.iter_mut().for_each(|(_, known)| *known = ReadBack::Failed(error.clone()));
                    break;
                }
                None => break,
            }
            if left.is_empty() || !patience.wait(&stop).await {
                break;
            }
        }
        left.into_iter().for_each(|(sent, known)| self.ended(sent, known));
    }

    /// Reads the users once, in the fewest calls; none, if the run is stopped meanwhile.
    async fn read(
        &self,
        left: &[(Sent<'a>, ReadBack)],
        stop: &Stop,
    ) -> Option<Result<Snapshot, CallError>> {
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
    fn compared(
        &self,
        left: Vec<(Sent<'a>, ReadBack)>,
        snapshot: &Snapshot,
    ) -> Vec<(Sent<'a>, ReadBack)> {
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
                found => otherwise.push((sent, ReadBack::Otherwise(found.clone()))),
            }
        }
        otherwise
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

    /// Waits until it is time for another reading. False if there is to be none: the time is over, or
    /// the run was stopped.
    async fn wait(&mut self, stop: &Stop) -> bool {
        let began = *self.began.get_or_insert_with(Instant::now);
        let left = self.time.saturating_sub(began.elapsed());
        if left.is_zero() {
            return false;
        }
        let wait = self.next.min(left);
        self.next = self.next.saturating_mul(2);
        tokio::select! {
            biased;
            () = stop.asked() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{StopReason, StopSwitch};

    /// The waits, in milliseconds, until there is none any more.
    async fn waits(time: Duration) -> Vec<u128> {
        let mut patience = Patience::new(time);
        let mut waits = Vec::new();
        let mut last = Instant::now();
        while patience.wait(&Stop::never()).await {
            waits.push(last.elapsed().as_millis());
            last = Instant::now();
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

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_waiting_at_once() {
        let switch = StopSwitch::new();
        let stop = switch.stop();
        let mut patience = Patience::new(Duration::from_secs(3_600));
        let began = Instant::now();
        let (goes_on, ()) = tokio::join!(patience.wait(&stop), async {
            switch.press(StopReason::Interrupted);
        });
        assert!(!goes_on);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
