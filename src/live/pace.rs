use std::time::{Duration, Instant};

use crate::values::Rate;

/// When the next call may go out. Pure: it is told the time, and never waits.
///
/// Calls are spaced evenly: in any span of `t` seconds at most `t × rate + 1` are let go. A pause is
/// not made up for by a burst afterwards.
#[derive(Debug, Clone)]
pub struct Pace {
    interval: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// A pace of at most `ceiling`, or without a limit.
    pub fn new(ceiling: Option<Rate>) -> Self {
        Pace { interval: ceiling.map_or(Duration::ZERO, Rate::interval), next: None }
    }

    /// Takes the next place, and says when it is: the caller waits until then.
    pub fn take(&mut self, now: Instant) -> Instant {
        let at = self.next.map_or(now, |next| next.max(now));
        self.next = Some(at + self.interval);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_spaced_evenly_from_the_first_one_on() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(Rate::per_second(4.0).unwrap()));
        let waits: Vec<_> =
            (0..4).map(|_| pace.take(start).duration_since(start).as_millis()).collect();
        assert_eq!(waits, [0, 250, 500, 750]);
    }

    #[test]
    fn a_pause_earns_no_burst() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(Rate::per_second(10.0).unwrap()));
        pace.take(start);
        let later = start + Duration::from_secs(60);
        assert_eq!(pace.take(later), later);
        assert_eq!(pace.take(later), later + Duration::from_millis(100));
    }

    #[test]
    fn without_a_ceiling_nothing_waits() {
        let now = Instant::now();
        let mut pace = Pace::new(None);
        assert!((0..1000).all(|_| pace.take(now) == now));
    }
}
