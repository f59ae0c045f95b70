use std::time::{Duration, Instant};

use crate::iam::Rate;

/// A rate that is never exceeded, whatever rate IAM sustains.
///
/// Calls are spaced evenly: in any `t` seconds, at most `t × rate + 1` calls are sent. After a pause or a late
/// call, the calls that were not sent are not made up for.
#[derive(Debug, Clone, Default)]
pub struct MaxRate {
    interval: Duration,
    next: Option<Instant>,
}

impl MaxRate {
    /// A maximum of `rate`; `None`, as in the default, sets no maximum.
    pub fn new(rate: Option<Rate>) -> Self {
        MaxRate { interval: rate.map_or(Duration::ZERO, Rate::interval), next: None }
    }

    /// The earliest time at which the next call may be sent.
    pub(super) fn next(&self, now: Instant) -> Instant {
        self.next.map_or(now, |next| next.max(now))
    }

    /// Records that a call is sent at `now`.
    pub(super) fn take(&mut self, now: Instant) {
        self.next = Some(now + self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max_rate(per_second: f64) -> MaxRate {
        MaxRate::new(Some(Rate::per_second(per_second).unwrap()))
    }

    #[test]
    fn a_late_call_is_not_made_up_for() {
        let start = Instant::now();
        let mut max_rate = max_rate(10.0);
        assert_eq!(max_rate.next(start), start);
        max_rate.take(start);
        let late = start + Duration::from_millis(130);
        assert_eq!(max_rate.next(late), late);
        max_rate.take(late);
        assert_eq!(max_rate.next(late), late + Duration::from_millis(100));
    }

    #[test]
    fn without_a_maximum_no_call_waits() {
        let now = Instant::now();
        let mut max_rate = MaxRate::new(None);
        for _ in 0..1_000 {
            max_rate.take(now);
            assert_eq!(max_rate.next(now), now);
        }
    }
}
