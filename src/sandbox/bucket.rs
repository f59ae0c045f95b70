use std::collections::HashMap;
use std::time::Instant;

use super::throttle::{Limit, Throttle};

/// What a sum of refills may fall short of a whole token by, for the error of its floating point.
const ROUNDING: f64 = 1e-9;

/// The token buckets of all accounts and actions, made as they are first asked.
#[derive(Debug)]
pub(super) struct Buckets {
    throttle: Throttle,
    /// By account and action.
    buckets: HashMap<(String, String), Bucket>,
}

impl Buckets {
    pub(super) fn new(throttle: Throttle) -> Self {
        Buckets { throttle, buckets: HashMap::new() }
    }

    /// Whether the call is let through.
    pub(super) fn take(&mut self, account: &str, action: &str, now: Instant) -> bool {
        let Some(limit) = self.throttle.limit_of(action) else { return true };
        self.buckets
            .entry((account.to_owned(), action.to_owned()))
            .or_insert_with(|| Bucket::new(limit, now))
            .take(now)
    }

    /// Other limits from now on. A bucket whose limit changes keeps the tokens that it has room for, and
    /// the times of its new limit count from now.
    pub(super) fn set(&mut self, throttle: Throttle, now: Instant) {
        self.buckets.retain(|(_, action), bucket| match throttle.limit_of(action) {
            Some(limit) => {
                bucket.change_to(limit, now);
                true
            }
            None => false,
        });
        self.throttle = throttle;
    }
}

/// One token bucket. Pure: it is told the time.
///
/// Refills, changes of the rate and the competitor's calls are worked out when it is asked, in the order
/// of their times; what falls on the same instant as a call comes before it.
#[derive(Debug)]
struct Bucket {
    limit: Limit,
    first: Instant,
    /// Up to when everything is worked out, in seconds since the first call.
    at: f64,
    tokens: f64,
    /// The tokens that come back each second at that time.
    rate: f64,
    /// How many of the limit's changes lie behind.
    changed: usize,
    /// How many of the competitor's calls lie behind.
    competed: u64,
}

impl Bucket {
    /// A full one, whose first call is now.
    fn new(limit: &Limit, now: Instant) -> Self {
        let mut limit = limit.clone();
        limit.changes.sort_by_key(|change| change.after);
        Bucket {
            first: now,
            at: 0.0,
            tokens: limit.burst.get(),
            rate: limit.rate.get(),
            changed: 0,
            competed: 0,
            limit,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        self.catch_up(now);
        self.take_one()
    }

    fn change_to(&mut self, limit: &Limit, now: Instant) {
        let new = Bucket::new(limit, now);
        if new.limit == self.limit {
            return;
        }
        self.catch_up(now);
        *self = Bucket { tokens: self.tokens.min(new.tokens), ..new };
    }

    fn catch_up(&mut self, now: Instant) {
        // Calls that arrive together may be told in another order: time does not go back.
        let now = now.saturating_duration_since(self.first).as_secs_f64();
        while let Some(at) = self.next_competing().filter(|at| *at <= now) {
            self.competed += 1;
            self.refill_until(at);
            self.take_one();
        }
        self.refill_until(now);
    }

    fn next_competing(&self) -> Option<f64> {
        self.limit.competitor.as_ref()?.call(self.competed)
    }

    fn refill_until(&mut self, until: f64) {
        while let Some(change) = self.limit.changes.get(self.changed).copied()
            && change.after.as_secs_f64() <= until
        {
            self.refill(change.after.as_secs_f64());
            self.rate = change.rate.get();
            self.changed += 1;
        }
        self.refill(until);
    }

    /// At the rate of now.
    fn refill(&mut self, until: f64) {
        if until > self.at {
            self.tokens = (self.tokens + self.rate * (until - self.at)).min(self.limit.burst.get());
            self.at = until;
        }
    }

    fn take_one(&mut self) -> bool {
        let has_one = self.tokens >= 1.0 - ROUNDING;
        if has_one {
            self.tokens = (self.tokens - 1.0).max(0.0);
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::throttle::{Burst, Competitor, RateChange};
    use super::*;
    use crate::iam::Rate;

    fn rate(per_second: f64) -> Rate {
        Rate::per_second(per_second).unwrap()
    }

    fn limit(per_second: f64, burst: f64) -> Limit {
        Limit::new(rate(per_second), Burst::of(burst).unwrap())
    }

    fn all(limit: Limit) -> Throttle {
        Throttle { all: Some(limit), ..Throttle::default() }
    }

    /// How many calls pass of those that are made every `1 / per_second` in this span of microseconds.
    fn passed(bucket: &mut Bucket, per_second: u64, micros: std::ops::Range<u64>) -> usize {
        let first = bucket.first;
        micros
            .step_by((1_000_000 / per_second) as usize)
            .filter(|at| bucket.take(first + Duration::from_micros(*at)))
            .count()
    }

    const SECOND: u64 = 1_000_000;

    #[test]
    fn the_burst_passes_at_once_and_then_one_for_each_token_that_comes_back() {
        let start = Instant::now();
        let mut bucket = Bucket::new(&limit(10.0, 5.0), start);
        let mut take = |micros| bucket.take(start + Duration::from_micros(micros));
        assert_eq!([0; 7].map(&mut take), [true, true, true, true, true, false, false]);
        assert!(!take(99_999));
        assert!(take(100_000));
        assert!(!take(199_999));
        assert!(take(200_000));
    }

    #[test]
    fn a_throttled_call_takes_nothing() {
        let mut bucket = Bucket::new(&limit(1.0, 1.0), Instant::now());
        assert_eq!(passed(&mut bucket, 100_000, 0..10 * SECOND + 1), 11);
    }

    #[test]
    fn a_pause_fills_the_bucket_up_to_its_burst_and_no_further() {
        let mut bucket = Bucket::new(&limit(10.0, 4.5), Instant::now());
        assert_eq!(passed(&mut bucket, SECOND, 0..100), 4);
        let later = 3_600 * SECOND;
        assert_eq!(passed(&mut bucket, SECOND, later..later + 100), 4);
        // The half of a token that was left counts.
        assert_eq!(passed(&mut bucket, SECOND, later + 50_000..later + 50_100), 1);
    }

    #[test]
    fn calls_at_the_very_rate_all_pass() {
        for per_second in [1, 4, 10, 25, 500] {
            let mut bucket = Bucket::new(&limit(per_second as f64, 1.0), Instant::now());
            let calls = 100 * per_second as usize;
            assert_eq!(passed(&mut bucket, per_second, 0..100 * SECOND), calls, "{per_second}");
        }
    }

    #[test]
    fn the_rate_changes_at_its_times_in_whatever_order_they_are_given() {
        let after = |seconds, per_second| RateChange {
            after: Duration::from_secs(seconds),
            rate: rate(per_second),
        };
        let changes = vec![after(20, 50.0), after(10, 2.0)];
        let limit = Limit { changes, ..limit(10.0, 1.0) };
        let mut bucket = Bucket::new(&limit, Instant::now());
        assert_eq!(passed(&mut bucket, 1_000, 0..10 * SECOND), 100);
        assert_eq!(passed(&mut bucket, 1_000, 10 * SECOND..20 * SECOND), 20);
        assert_eq!(passed(&mut bucket, 1_000, 20 * SECOND..30 * SECOND), 500);
    }

    #[test]
    fn changes_that_lie_between_two_calls_are_each_counted_for_their_time() {
        let change = |seconds, r| RateChange { after: Duration::from_secs(seconds), rate: rate(r) };
        let limit = Limit { changes: vec![change(1, 10.0), change(2, 2.0)], ..limit(1.0, 100.0) };
        let mut bucket = Bucket::new(&limit, Instant::now());
        assert_eq!(passed(&mut bucket, SECOND, 0..100), 100);
        // 1 + 10 + 2 × 2 tokens came back.
        assert_eq!(passed(&mut bucket, SECOND, 4 * SECOND..4 * SECOND + 100), 15);
    }

    #[test]
    fn a_competitor_takes_from_what_there_is_and_leaves_the_rest() {
        let competing = |per_second, from, until: Option<u64>| {
            let (from, until) = (Duration::from_secs(from), until.map(Duration::from_secs));
            let competitor = Competitor::new(rate(per_second), from, until).unwrap();
            let limit = Limit { competitor: Some(competitor), ..limit(10.0, 1.0) };
            Bucket::new(&limit, Instant::now())
        };
        // As fast as the caller, and neither is in step with the refill: half of the tokens.
        let mut bucket = competing(1_005.0, 0, None);
        let half = passed(&mut bucket, 995, 0..1_000 * SECOND);
        assert!((4_500..=5_500).contains(&half), "{half}");
        // From 10 to 20 seconds only.
        let mut bucket = competing(1_000.0, 10, Some(20));
        assert_eq!(passed(&mut bucket, 50, 0..10 * SECOND), 100);
        assert_eq!(passed(&mut bucket, 50, 10 * SECOND..20 * SECOND), 0);
        assert_eq!(passed(&mut bucket, 50, 20 * SECOND..30 * SECOND), 100);
    }

    #[test]
    fn a_competitor_that_was_alone_has_taken_its_share_when_the_next_call_comes() {
        let competitor = Competitor::new(rate(4.0), Duration::ZERO, None).unwrap();
        let limit = Limit { competitor: Some(competitor), ..limit(1.0, 40.0) };
        let mut bucket = Bucket::new(&limit, Instant::now());
        assert!(bucket.take(bucket.first));
        // 40 - 2 tokens, 9.9 that came back, and 39 that the competitor took at 0.25, 0.5, … 9.75.
        let at = 9_900_000;
        assert_eq!(passed(&mut bucket, SECOND, at..at + 100), 8);
    }

    #[test]
    fn each_account_and_each_action_has_a_bucket_of_its_own() {
        let now = Instant::now();
        let mut buckets = Buckets::new(all(limit(1.0, 1.0)));
        assert!(buckets.take("1", "GetUser", now));
        assert!(!buckets.take("1", "GetUser", now));
        assert!(buckets.take("1", "ListUsers", now));
        assert!(buckets.take("2", "GetUser", now));
        assert!((0..10).all(|_| buckets.take("1", "GetCallerIdentity", now)));
    }

    #[test]
    fn a_limit_that_changes_gives_no_new_burst() {
        let now = Instant::now();
        let mut buckets = Buckets::new(all(limit(1.0, 1.0)));
        assert!(buckets.take("1", "GetUser", now));
        buckets.set(all(limit(10.0, 20.0)), now);
        assert!(!buckets.take("1", "GetUser", now));
        assert!(buckets.take("1", "GetUser", now + Duration::from_millis(100)));
        buckets.set(Throttle::default(), now);
        assert!((0..10).all(|_| buckets.take("1", "GetUser", now)));
    }
}
