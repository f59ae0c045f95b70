/// An attempt at a higher rate: some calls are sent in addition, and more of them with each period in which no call
/// is throttled.
///
/// All times are in seconds, and all rates in calls per second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    /// The number of calls to send in addition in each period.
    pub(super) extra: f64,
    /// The number of times that the extra calls were sustained.
    increases: u32,
    /// When the extra calls began.
    since: f64,
    /// The rate before the attempt.
    pub(super) rate_before: f64,
    /// The limit is higher than the rate before.
    pub(super) is_proven: bool,
}

/// If no call of a period is throttled, this multiple of the extra calls is tried…
const GROWTH: f64 = 5.0;
/// …but at most this share of the calls of a period, which is tried at once if the limit is known to be higher.
const LARGEST_STEP: f64 = 0.3;
/// If it is unknown when the bucket was empty: fewer increases can have used what was left in it. At the rate of an earlier
/// run, as many show that it was much too low: a search is faster.
const PROOF: u32 = 2;

impl Attempt {
    /// One call more than `rate`, from `time` on.
    pub(super) fn new(rate: f64, time: f64) -> Self {
        Attempt { extra: 1.0, increases: 0, since: time, rate_before: rate, is_proven: false }
    }

    /// Whether the extra calls of a whole period have responses at `time`.
    pub(super) fn has_lasted(&self, time: f64, period: f64, latency: f64) -> bool {
        time > self.since + period + latency
    }

    /// Whether extra calls were sustained.
    pub(super) fn has_increased(&self) -> bool {
        self.increases > 0
    }

    /// Whether the rate was increased so often that little is left in a bucket.
    pub(super) fn is_long(&self) -> bool {
        self.increases >= PROOF
    }

    /// The extra calls are part of the `calls` of a period now, and more are tried from `time` on; only one if throttled
    /// calls are not affordable and the limit can be the same.
    pub(super) fn increase(&mut self, calls: f64, time: f64, is_affordable: bool) {
        self.increases += 1;
        self.since = time;
        let largest = (LARGEST_STEP * calls).floor();
        let extra = if self.is_proven {
            largest
        } else if is_affordable || self.is_long() {
            (GROWTH * self.extra).min(largest)
        } else {
            1.0
        };
        self.extra = extra.max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extra_calls_grow_to_a_share_of_the_rate() {
        let (mut rate, mut attempt) = (40.0, Attempt::new(40.0, 0.0));
        let mut extras = vec![attempt.extra];
        for second in 1..5 {
            rate += attempt.extra;
            attempt.increase(rate, f64::from(second), true);
            extras.push(attempt.extra);
        }
        assert_eq!(extras, [1.0, 5.0, 13.0, 17.0, 22.0]);
        assert_eq!(attempt.rate_before, 40.0);
    }

    #[test]
    fn without_a_proof_only_one_call_more_is_tried_if_throttled_calls_are_not_affordable() {
        let mut attempt = Attempt::new(40.0, 0.0);
        attempt.increase(41.0, 1.0, false);
        assert_eq!((attempt.extra, attempt.is_long()), (1.0, false));
        attempt.increase(42.0, 2.0, false);
        assert_eq!((attempt.extra, attempt.is_long()), (5.0, true));
    }

    #[test]
    fn with_a_proof_the_largest_step_is_tried_at_once() {
        let mut attempt = Attempt { is_proven: true, ..Attempt::new(40.0, 0.0) };
        attempt.increase(41.0, 1.0, false);
        assert_eq!(attempt.extra, 12.0);
    }

    #[test]
    fn extra_calls_have_lasted_after_the_response_to_a_whole_period() {
        let attempt = Attempt::new(40.0, 5.0);
        assert!(!attempt.has_lasted(6.1, 1.0, 0.2));
        assert!(attempt.has_lasted(6.3, 1.0, 0.2));
        assert!(!attempt.has_lasted(6.3, 5.0, 0.2));
    }
}
