use super::call::Response;

/// The calls of a run that may be throttled, and those that were.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    /// The number of calls that are expected.
    expected: f64,
    throttled: f64,
    accepted: f64,
}

/// The share of the calls that may be throttled, and the number that may be throttled in a short run, too.
const THROTTLED_SHARE: f64 = 0.03;
const FREE_THROTTLED: f64 = 12.0;
/// When the bucket is empty, all requests in flight are throttled: a search limits them to this share of the expected
/// calls…
const RISK: f64 = 0.006;
/// …but not to fewer than this number.
pub(super) const FEWEST: f64 = 2.5;
/// Extra calls look for a higher limit, evenly over the calls to come: each can be throttled, and this share of the calls
/// that may be throttled is for them, less what was throttled before.
const SPENT: f64 = 0.8;

impl Budget {
    pub(super) fn new(expected_calls: usize) -> Self {
        Budget { expected: expected_calls as f64, throttled: 0.0, accepted: 0.0 }
    }

    pub(super) fn on_response(&mut self, response: Response) {
        match response {
            Response::Accepted => self.accepted += 1.0,
            Response::Throttled => self.throttled += 1.0,
            Response::Lost => {}
        }
    }

    /// The number of accepted calls.
    pub(super) fn accepted(&self) -> f64 {
        self.accepted
    }

    /// The number of calls that are expected to come.
    pub(super) fn to_come(&self) -> f64 {
        self.expected - self.accepted
    }

    /// The number of requests that may be in flight while the limit is unknown.
    pub(super) fn at_risk(&self) -> f64 {
        (RISK * self.expected).max(FEWEST)
    }

    /// The number of calls that may be throttled, as a multiple of that of a short run.
    pub(super) fn of_short(&self) -> f64 {
        self.most() / FREE_THROTTLED
    }

    /// Whether a call of an attempt at a higher rate may be throttled.
    pub(super) fn permits_attempts(&self) -> bool {
        self.left() > 0.0
    }

    /// The number of calls from one attempt at a higher rate to the next, if none is made in the `last` calls.
    pub(super) fn calls_per_attempt(&self, last: f64) -> f64 {
        (self.to_come() - last).max(100.0) / self.left().max(1.0)
    }

    /// The number of throttled calls that attempts at a higher rate may still cost.
    fn left(&self) -> f64 {
        SPENT * self.most() - self.throttled
    }

    fn most(&self) -> f64 {
        (THROTTLED_SHARE * self.expected).max(FREE_THROTTLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_spread_over_the_calls_to_come() {
        let mut budget = Budget::new(1_000);
        assert_eq!((budget.at_risk(), budget.of_short()), (6.0, 2.5));
        assert!((budget.calls_per_attempt(0.0) - 1_000.0 / 24.0).abs() < 0.1);
        assert!((budget.calls_per_attempt(400.0) - 600.0 / 24.0).abs() < 0.1);
        for _ in 0..500 {
            budget.on_response(Response::Accepted);
        }
        for _ in 0..23 {
            budget.on_response(Response::Throttled);
            budget.on_response(Response::Lost);
        }
        assert!(budget.permits_attempts());
        assert_eq!(budget.calls_per_attempt(0.0), 500.0);
        budget.on_response(Response::Throttled);
        assert!(!budget.permits_attempts());
        assert_eq!(budget.calls_per_attempt(0.0), 500.0);
    }

    #[test]
    fn a_short_run_may_have_as_many_throttled_calls_as_a_longer_one() {
        let budget = Budget::new(30);
        assert_eq!((budget.at_risk(), budget.of_short()), (2.5, 1.0));
        assert!((budget.calls_per_attempt(0.0) - 100.0 / 9.6).abs() < 0.1);
    }
}
