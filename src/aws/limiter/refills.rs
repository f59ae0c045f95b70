use std::collections::VecDeque;

use super::state::After;

/// Measures the rate at which IAM adds tokens: from refill to refill, as many calls are accepted as tokens were
/// added, because the bucket is empty at each of them.
///
/// All times are in seconds, and all rates in calls per second.
#[derive(Debug, Clone, Default)]
pub(super) struct Refills {
    /// When the accepted calls were sent, since the start.
    accepted: VecDeque<f64>,
    /// The number of accepted calls before them.
    dropped: f64,
    /// The refill at which the next measurement starts.
    start: Option<Refill>,
    /// When a call was sent for the last time that found the bucket empty; `None` if that is unknown.
    emptied: Option<f64>,
}

/// The rate at which IAM added tokens from one refill to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measurement {
    pub(super) rate: f64,
    /// It took about a second: in a longer time, tokens can have been lost, because the bucket was full.
    pub(super) is_exact: bool,
    /// The time between the refills is not a whole number of seconds.
    pub(super) is_continuous: bool,
    /// The time between two refills, in seconds: 1 if tokens are not added more rarely.
    pub(super) period: f64,
}

/// A time at which an empty bucket got tokens.
#[derive(Debug, Clone, Copy)]
struct Refill {
    /// The bucket got tokens between a throttled call and the next accepted one, which were sent at these times.
    throttled: f64,
    accepting: f64,
    /// The number of calls that were accepted before it.
    accepted: f64,
}

/// The shortest time of an exact measurement, in seconds. The longest one is twice as long. A refill after a shorter time is
/// not the start of the next measurement.
const SPAN: f64 = 0.8;
/// A limit that is refilled once a second accepts a call within this time, in seconds. If everything is throttled for
/// longer at a known rate, the rate is kept until the next time: the limit is lowered for a while, or another client took
/// every token. No wait for a refill is longer.
pub(super) const LONGEST_WAIT: f64 = 2.0;
/// A refill before this time, in seconds, says nothing about the limit of now: no window of a limit is longer.
pub(super) const OLD: f64 = 5.5;
/// A time that differs more from a whole number of seconds is none, in seconds.
const MOST_INEXACT: f64 = 0.3;
/// The limit is higher than a rate if more calls than this were accepted, since the bucket was empty, than at the rate.
/// Requests overtake each other, so some calls more are no proof.
const SURPLUS: f64 = 4.0;
/// The number of accepted calls that are kept while no call is throttled.
const MOST_KEPT: usize = 20_000;

impl Refills {
    /// Adds an accepted call.
    pub(super) fn add_accepted(&mut self, sent: f64) {
        let at = self.accepted.partition_point(|other| *other <= sent);
        self.accepted.insert(at, sent);
        if self.start.is_none() && self.accepted.len() > MOST_KEPT {
            self.drop_first();
        }
    }

    /// The time at which the first call after `time` was sent that was accepted.
    pub(super) fn first_accepted_after(&self, time: f64) -> Option<f64> {
        self.accepted.get(self.accepted.partition_point(|sent| *sent <= time)).copied()
    }

    /// The rate at which calls were accepted that were sent in the `period` before `time`. It does not count calls before
    /// the start of the next measurement.
    pub(super) fn rate_before(&self, time: f64, period: f64) -> f64 {
        self.accepted_between(time - period, time) / period
    }

    /// Records that a call found the bucket empty that was sent at `time`.
    pub(super) fn set_empty(&mut self, time: f64) {
        self.emptied = Some(time);
    }

    /// Whether more calls were accepted since the bucket was empty than a limit of `rate` explains, which adds tokens at least
    /// once in each `period`. The calls that were sent before `time` have responses.
    pub(super) fn exceed(&self, rate: f64, period: f64, time: f64) -> bool {
        self.emptied.is_some_and(|emptied| {
            // In whole periods, as many tokens are added as at the rate.
            let passed = ((time - emptied) / period).floor() * period;
            self.accepted_between(emptied, emptied + passed) > rate * passed + SURPLUS
        })
    }

    /// Forgets when the bucket was empty, because it can be full now.
    pub(super) fn forget_empty(&mut self) {
        self.forget();
        self.emptied = None;
    }

    /// Forgets the start of the next measurement: what was accepted since then says nothing about the rate.
    pub(super) fn forget(&mut self) {
        self.start = None;
    }

    /// The time of the first call that was accepted after the refill at which the next measurement starts.
    pub(super) fn start(&self) -> Option<f64> {
        self.start.map(|refill| refill.accepting)
    }

    /// Adds a refill between the last throttled call and the first accepted one. Returns the measurement since its
    /// start; `None` if there is none.
    ///
    /// `first_throttled` is the time of the first throttled call since the refill before this one, and `after` is what was
    /// done until then.
    pub(super) fn add(
        &mut self,
        throttled: f64,
        accepting: f64,
        first_throttled: f64,
        after: After,
    ) -> Option<Measurement> {
        let last = Refill { throttled, accepting, accepted: self.accepted_before(accepting) };
        let throttled_for = accepting - first_throttled;
        let measurement = self.start.map(|from| {
            let seconds = last.seconds_since(&from);
            let accepted = last.accepted - from.accepted;
            let whole = last.whole_seconds_since(&from);
            // The calls after the last throttled one did not find all tokens that were added since then.
            let continuous = accepted / (throttled - from.throttled).max(1e-3);
            let rate = match whole {
                // The refill before is too old. The bucket was almost empty a second before this one, too.
                _ if after == After::Sending && throttled_for < 1.0 && seconds > OLD => {
                    self.rate_before(accepting, 1.0)
                }
                Some(whole) => accepted / whole,
                // A limit that is not refilled once a second accepts these calls in each second.
                None if after == After::Search && seconds < 2.0 => {
                    continuous.max(self.rate_before(first_throttled, 1.0))
                }
                None => continuous,
            };
            let period = whole.unwrap_or(seconds);
            let is_rare = throttled_for > LONGEST_WAIT && period < OLD;
            let is_exact = (SPAN..2.0 * SPAN).contains(&seconds);
            Measurement {
                rate,
                is_exact,
                is_continuous: whole.is_none(),
                period: if is_rare { period } else { 1.0 },
            }
        });
        if self.start.is_none_or(|from| last.seconds_since(&from) >= SPAN) {
            self.start = Some(last);
            while self.accepted.len() > 1 && self.dropped < last.accepted {
                self.drop_first();
            }
        }
        measurement
    }

    fn accepted_between(&self, from: f64, to: f64) -> f64 {
        self.accepted_before(to) - self.accepted_before(from)
    }

    fn accepted_before(&self, time: f64) -> f64 {
        self.dropped + self.accepted.partition_point(|sent| *sent < time) as f64
    }

    fn drop_first(&mut self) {
        self.accepted.pop_front();
        self.dropped += 1.0;
    }
}

impl Refill {
    fn time(&self) -> f64 {
        f64::midpoint(self.throttled, self.accepting)
    }

    fn seconds_since(&self, from: &Refill) -> f64 {
        self.time() - from.time()
    }

    /// The time since another refill, if it can be a whole number of seconds: IAM adds tokens once a second.
    fn whole_seconds_since(&self, from: &Refill) -> Option<f64> {
        let seconds = self.seconds_since(from);
        let inexact = (self.accepting - self.throttled + from.accepting - from.throttled) / 2.0;
        let whole = seconds.round();
        (whole >= 1.0 && (seconds - whole).abs() <= inexact.min(MOST_INEXACT)).then_some(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds `calls` accepted calls, evenly spaced from `from` on, over one second.
    fn second(refills: &mut Refills, from: f64, calls: u32) {
        for n in 0..calls {
            refills.add_accepted(from + f64::from(n) / f64::from(calls));
        }
    }

    #[test]
    fn calls_between_refills_measure_the_rate() {
        let mut refills = Refills::default();
        assert_eq!(refills.add(-0.01, 0.01, 0.0, After::Sending), None);
        for n in 1..8 {
            second(&mut refills, f64::from(n) - 1.0 + 0.02, 30);
            let rate = refills
                .add(f64::from(n) - 0.01, f64::from(n) + 0.01, 0.0, After::Sending)
                .unwrap()
                .rate;
            assert!((rate - 30.0).abs() < 0.1, "{n}: {rate}");
        }
    }

    #[test]
    fn refills_that_can_be_whole_seconds_apart_are() {
        let mut refills = Refills::default();
        refills.add(0.0, 0.2, 0.0, After::Sending);
        second(&mut refills, 0.2, 30);
        assert_eq!(
            refills.add(0.9, 1.24, 0.0, After::Sending),
            Some(Measurement { rate: 30.0, is_exact: true, is_continuous: false, period: 1.0 })
        );
        assert_eq!(refills.start(), Some(1.24));
        // These are not.
        second(&mut refills, 1.24, 30);
        let rate = refills.add(2.54, 2.56, 0.0, After::Sending).unwrap().rate;
        assert!((18.0..19.0).contains(&rate), "{rate}");
    }

    #[test]
    fn tokens_that_are_added_continuously_are_measured_from_empty_to_empty() {
        let mut refills = Refills::default();
        refills.add(0.0, 0.12, 0.0, After::Search);
        for n in 0..5 {
            refills.add_accepted(0.12 + f64::from(n) / 100.0);
        }
        // What was added in the last 0.12 seconds is in the bucket.
        let measurement = refills.clone().add(0.17, 0.29, 0.0, After::Sending).unwrap();
        assert!(measurement.is_continuous);
        assert!((measurement.rate - 5.0 / 0.17).abs() < 0.01, "{measurement:?}");
    }

    #[test]
    fn a_measurement_of_a_short_time_is_repeated_with_a_longer_one() {
        let mut refills = Refills::default();
        refills.add(0.0, 0.01, 0.0, After::Search);
        for (throttled, calls) in [(0.2, 4), (0.5, 6), (0.9, 8)] {
            for n in 0..calls {
                refills.add_accepted(throttled - 0.01 * f64::from(n + 1));
            }
            let rate = refills.add(throttled, throttled + 0.01, 0.0, After::Sending).unwrap().rate;
            let all = refills.accepted_before(throttled);
            assert!((rate - all / throttled).abs() < 1e-9, "{throttled}: {rate}");
        }
        // Only the last refill is the start of the next measurement.
        assert_eq!(refills.start(), Some(0.91));
    }

    #[test]
    fn a_changed_limit_is_measured_within_a_second() {
        let mut refills = Refills::default();
        for n in 0..6 {
            refills.add(f64::from(n) - 0.01, f64::from(n) + 0.01, 0.0, After::Sending);
            second(&mut refills, f64::from(n) + 0.02, 30);
        }
        refills.add(5.99, 6.01, 0.0, After::Sending);
        second(&mut refills, 6.02, 12);
        assert!((refills.add(6.99, 7.01, 0.0, After::Sending).unwrap().rate - 12.0).abs() < 0.5);
    }

    #[test]
    fn if_the_last_refill_is_old_the_second_before_is_measured() {
        let mut refills = Refills::default();
        refills.add(-0.01, 0.01, 0.0, After::Sending);
        for n in 0..8 {
            second(&mut refills, f64::from(n) + 0.02, 30);
        }
        // 12 of 30 calls are accepted after the limit is lowered.
        for n in 0..12 {
            refills.add_accepted(8.02 + f64::from(n) / 30.0);
        }
        let mut slow = refills.clone();
        let measurement = refills.add(8.99, 9.01, 8.42, After::Sending).unwrap();
        assert!((measurement.rate - 12.0).abs() < 0.5, "{measurement:?}");
        // A second without tokens says nothing about the second before it.
        let measurement = slow.add(9.49, 9.51, 8.42, After::Sending).unwrap();
        assert!(measurement.rate > 25.0, "{measurement:?}");
    }

    #[test]
    fn a_search_of_a_limit_that_looks_back_is_measured_by_its_last_second() {
        let mut refills = Refills::default();
        refills.add(0.9, 1.0, 0.5, After::Search);
        second(&mut refills, 1.0, 30);
        // The limit accepts the next call a second after the first of these, and a poll notices it late.
        let mut unknown = refills.clone();
        assert_eq!(unknown.add(2.3, 2.5, 2.0, After::Search).unwrap().rate, 30.0);
        let rate = refills.add(2.3, 2.5, 2.0, After::Sending).unwrap().rate;
        assert!((21.0..22.0).contains(&rate), "{rate}");
    }

    #[test]
    fn a_limit_that_is_refilled_rarely_has_a_longer_period() {
        let mut refills = Refills::default();
        refills.add(3.9, 5.0, 1.0, After::Search);
        second(&mut refills, 5.0, 150);
        let after_a_second = refills.clone().add(6.5, 6.6, 6.1, After::Search).unwrap();
        assert_eq!(after_a_second.period, 1.0);
        let measurement = refills.clone().add(9.0, 10.1, 6.1, After::Search).unwrap();
        assert_eq!((measurement.period, measurement.rate), (5.0, 30.0));
        assert!(!measurement.is_exact);
        // No window of a limit is as long as this outage.
        assert_eq!(refills.add(14.0, 14.1, 6.1, After::Search).unwrap().period, 1.0);
    }

    #[test]
    fn the_rate_before_a_time_counts_the_calls_of_a_period() {
        let mut refills = Refills::default();
        second(&mut refills, 0.0, 30);
        second(&mut refills, 1.0, 12);
        assert_eq!(refills.rate_before(2.0, 1.0), 12.0);
        assert_eq!(refills.rate_before(2.0, 2.0), 21.0);
        assert_eq!(refills.rate_before(9.0, 1.0), 0.0);
    }

    #[test]
    fn old_calls_are_dropped_and_still_counted() {
        let mut refills = Refills::default();
        for n in 0..100 {
            refills.add(f64::from(n) - 0.01, f64::from(n) + 0.01, 0.0, After::Sending);
            second(&mut refills, f64::from(n) + 0.02, 50);
        }
        assert!(refills.accepted.len() < 600, "{}", refills.accepted.len());
        assert_eq!(refills.accepted_before(200.0), 5_000.0);
    }

    #[test]
    fn only_calls_that_the_rate_does_not_explain_exceed_it() {
        let mut refills = Refills::default();
        for n in 0..60 {
            refills.add_accepted(f64::from(n) * 0.05 + 0.01);
        }
        // It is unknown when the bucket was empty.
        assert!(!refills.exceed(1.0, 1.0, 3.0));
        refills.set_empty(0.0);
        assert!(!refills.exceed(20.0, 1.0, 3.0));
        assert!(!refills.exceed(19.0, 1.0, 3.0));
        assert!(refills.exceed(18.0, 1.0, 3.0));
        // Only whole periods count.
        assert!(!refills.exceed(18.0, 1.0, 2.9));
        refills.forget_empty();
        assert!(!refills.exceed(18.0, 1.0, 3.0));
    }
}
