use std::time::{Duration, Instant};

use crate::iam::Rate;

/// A rate that is never exceeded, whatever IAM would bear.
///
/// Calls are spaced evenly: in any span of `t` seconds at most `t × rate + 1` go out. A pause, or a call
/// that was late, is not made up for.
#[derive(Debug, Clone, Default)]
pub struct Ceiling {
    interval: Duration,
    next: Option<Instant>,
}

impl Ceiling {
    /// A ceiling of that rate, or none at all, as the default is.
    pub fn new(rate: Option<Rate>) -> Self {
        Ceiling { interval: rate.map_or(Duration::ZERO, Rate::interval), next: None }
    }

    /// When the next call may go out.
    pub(super) fn next(&self, now: Instant) -> Instant {
        self.next.map_or(now, |next| next.max(now))
    }

    /// A call goes out.
    pub(super) fn take(&mut self, now: Instant) {
        self.next = Some(now + self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceiling(per_second: f64) -> Ceiling {
        Ceiling::new(Some(Rate::per_second(per_second).unwrap()))
    }

    #[test]
    fn a_late_call_is_not_made_up_for() {
        let start = Instant::now();
        let mut ceiling = ceiling(10.0);
        assert_eq!(ceiling.next(start), start);
        ceiling.take(start);
        let late = start + Duration::from_millis(130);
        assert_eq!(ceiling.next(late), late);
        ceiling.take(late);
        assert_eq!(ceiling.next(late), late + Duration::from_millis(100));
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let now = Instant::now();
        let mut ceiling = Ceiling::new(None);
        for _ in 0..1_000 {
            ceiling.take(now);
            assert_eq!(ceiling.next(now), now);
        }
    }
}
