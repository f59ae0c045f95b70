use std::collections::HashMap;
use std::time::Instant;

use super::throttle::{RateLimit, Throttle};

/// Tolerates the rounding error of summed refills.
const ROUNDING: f64 = 1e-9;

/// The token buckets by account and action. The first call creates its bucket.
#[derive(Debug)]
pub(super) struct TokenBuckets {
    throttle: Throttle,
    buckets: HashMap<(String, String), TokenBucket>,
}

impl TokenBuckets {
    pub(super) fn new(throttle: Throttle) -> Self {
        TokenBuckets { throttle, buckets: HashMap::new() }
    }

    /// Takes a token for a call. Returns false if the call is throttled.
    pub(super) fn take(&mut self, account: &str, action: &str, now: Instant) -> bool {
        let Some(limit) = self.throttle.limit_of(action) else { return true };
        self.buckets
            .entry((account.to_owned(), action.to_owned()))
            .or_insert_with(|| TokenBucket::new(limit, now))
            .take(now)
    }

    /// Replaces the limits. A bucket whose limit changes keeps its tokens up to the new burst, and the times of
    /// its new limit count from now.
    pub(super) fn set_throttle(&mut self, throttle: Throttle, now: Instant) {
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

/// One token bucket. The current time is an argument.
///
/// A call first processes the refills, the rate changes and the competitor's calls up to and including its own
/// time, in the order of their times.
#[derive(Debug)]
struct TokenBucket {
    limit: RateLimit,
    first: Instant,
    /// The time up to which everything is processed, in seconds since the first call.
    processed_until: f64,
    tokens: f64,
    /// The number of tokens that are added each second at that time.
    rate: f64,
    processed_changes: usize,
    competitor_calls: u64,
}

impl TokenBucket {
    /// A full bucket whose first call is now.
    fn new(limit: &RateLimit, now: Instant) -> Self {
        let mut limit = limit.clone();
        limit.changes.sort_by_key(|change| change.after);
        TokenBucket {
            first: now,
            processed_until: 0.0,
            tokens: limit.burst.get(),
            rate: limit.rate.get(),
            processed_changes: 0,
            competitor_calls: 0,
            limit,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        self.catch_up(now);
        self.take_one()
    }

    fn change_to(&mut self, limit: &RateLimit, now: Instant) {
        let new = TokenBucket::new(limit, now);
        if new.limit == self.limit {
            return;
        }
        self.catch_up(now);
        *self = TokenBucket { tokens: self.tokens.min(new.tokens), ..new };
    }

    fn catch_up(&mut self, now: Instant) {
        // Concurrent calls can acquire the lock in a different order than that of their times.
        let now = now.saturating_duration_since(self.first).as_secs_f64();
        while let Some(at) = self.next_competitor_call().filter(|at| *at <= now) {
            self.competitor_calls += 1;
            self.refill_until(at);
            self.take_one();
        }
        self.refill_until(now);
    }

    fn next_competitor_call(&self) -> Option<f64> {
        self.limit.competitor.as_ref()?.time_of_call(self.competitor_calls)
    }

    fn refill_until(&mut self, until: f64) {
        while let Some(change) = self.limit.changes.get(self.processed_changes).copied()
            && change.after.as_secs_f64() <= until
        {
            self.refill(change.after.as_secs_f64());
            self.rate = change.rate.get();
            self.processed_changes += 1;
        }
        self.refill(until);
    }

    /// Adds tokens at the current rate.
    fn refill(&mut self, until: f64) {
        if until > self.processed_until {
            self.tokens = (self.tokens + self.rate * (until - self.processed_until))
                .min(self.limit.burst.get());
            self.processed_until = until;
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

    fn limit(per_second: f64, burst: f64) -> RateLimit {
        RateLimit::new(rate(per_second), Burst::of(burst).unwrap())
    }

    fn all(limit: RateLimit) -> Throttle {
        Throttle { all: Some(limit), ..Throttle::default() }
    }

    /// The number of accepted calls if `per_second` calls per second are made in this range of microseconds.
    fn accepted(bucket: &mut TokenBucket, per_second: u64, micros: std::ops::Range<u64>) -> usize {
        let first = bucket.first;
        micros
            .step_by((1_000_000 / per_second) as usize)
            .filter(|at| bucket.take(first + Duration::from_micros(*at)))
            .count()
    }

    const SECOND: u64 = 1_000_000;

    #[test]
    fn the_burst_is_accepted_at_once_and_then_one_call_for_each_new_token() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(&limit(10.0, 5.0), start);
        let mut take = |micros| bucket.take(start + Duration::from_micros(micros));
        assert_eq!([0; 7].map(&mut take), [true, true, true, true, true, false, false]);
        assert!(!take(99_999));
        assert!(take(100_000));
        assert!(!take(199_999));
        assert!(take(200_000));
    }

    #[test]
    fn a_throttled_call_takes_no_token() {
        let mut bucket = TokenBucket::new(&limit(1.0, 1.0), Instant::now());
        assert_eq!(accepted(&mut bucket, 100_000, 0..10 * SECOND + 1), 11);
    }

    #[test]
    fn a_pause_fills_the_bucket_up_to_its_burst() {
        let mut bucket = TokenBucket::new(&limit(10.0, 4.5), Instant::now());
        assert_eq!(accepted(&mut bucket, SECOND, 0..100), 4);
        let later = 3_600 * SECOND;
        assert_eq!(accepted(&mut bucket, SECOND, later..later + 100), 4);
        // The remaining half of a token counts.
        assert_eq!(accepted(&mut bucket, SECOND, later + 50_000..later + 50_100), 1);
    }

    #[test]
    fn calls_at_exactly_the_rate_are_all_accepted() {
        for per_second in [1, 4, 10, 25, 500] {
            let mut bucket = TokenBucket::new(&limit(per_second as f64, 1.0), Instant::now());
            let calls = 100 * per_second as usize;
            assert_eq!(accepted(&mut bucket, per_second, 0..100 * SECOND), calls, "{per_second}");
        }
    }

    #[test]
    fn the_rate_changes_at_its_times_which_may_be_in_any_order() {
        let after = |seconds, per_second| RateChange {
            after: Duration::from_secs(seconds),
            rate: rate(per_second),
        };
        let changes = vec![after(20, 50.0), after(10, 2.0)];
        let limit = RateLimit { changes, ..limit(10.0, 1.0) };
        let mut bucket = TokenBucket::new(&limit, Instant::now());
        assert_eq!(accepted(&mut bucket, 1_000, 0..10 * SECOND), 100);
        assert_eq!(accepted(&mut bucket, 1_000, 10 * SECOND..20 * SECOND), 20);
        assert_eq!(accepted(&mut bucket, 1_000, 20 * SECOND..30 * SECOND), 500);
    }

    #[test]
    fn each_change_between_two_calls_counts_for_its_time() {
        let change = |seconds, r| RateChange { after: Duration::from_secs(seconds), rate: rate(r) };
        let limit =
            RateLimit { changes: vec![change(1, 10.0), change(2, 2.0)], ..limit(1.0, 100.0) };
        let mut bucket = TokenBucket::new(&limit, Instant::now());
        assert_eq!(accepted(&mut bucket, SECOND, 0..100), 100);
        // The bucket gained 1 + 10 + 2 × 2 tokens.
        assert_eq!(accepted(&mut bucket, SECOND, 4 * SECOND..4 * SECOND + 100), 15);
    }

    #[test]
    fn a_competitor_takes_tokens_during_its_time() {
        let competing = |per_second, from, until: Option<u64>| {
            let (from, until) = (Duration::from_secs(from), until.map(Duration::from_secs));
            let competitor = Competitor::new(rate(per_second), from, until).unwrap();
            let limit = RateLimit { competitor: Some(competitor), ..limit(10.0, 1.0) };
            TokenBucket::new(&limit, Instant::now())
        };
        // The competitor is as fast as the client, and takes half of the tokens.
        let mut bucket = competing(1_005.0, 0, None);
        let half = accepted(&mut bucket, 995, 0..1_000 * SECOND);
        assert!((4_500..=5_500).contains(&half), "{half}");
        // Active from 10 to 20 seconds.
        let mut bucket = competing(1_000.0, 10, Some(20));
        assert_eq!(accepted(&mut bucket, 50, 0..10 * SECOND), 100);
        assert_eq!(accepted(&mut bucket, 50, 10 * SECOND..20 * SECOND), 0);
        assert_eq!(accepted(&mut bucket, 50, 20 * SECOND..30 * SECOND), 100);
    }

    #[test]
    fn a_competitor_takes_tokens_between_two_distant_calls() {
        let competitor = Competitor::new(rate(4.0), Duration::ZERO, None).unwrap();
        let limit = RateLimit { competitor: Some(competitor), ..limit(1.0, 40.0) };
        let mut bucket = TokenBucket::new(&limit, Instant::now());
        assert!(bucket.take(bucket.first));
        // 40 - 2 tokens, 9.9 gained, and 39 taken by the competitor at 0.25, 0.5, … 9.75.
        let at = 9_900_000;
        assert_eq!(accepted(&mut bucket, SECOND, at..at + 100), 8);
    }

    #[test]
    fn each_account_and_each_action_has_its_own_bucket() {
        let now = Instant::now();
        let mut buckets = TokenBuckets::new(all(limit(1.0, 1.0)));
        assert!(buckets.take("1", "GetUser", now));
        assert!(!buckets.take("1", "GetUser", now));
        assert!(buckets.take("1", "ListUsers", now));
        assert!(buckets.take("2", "GetUser", now));
        assert!((0..10).all(|_| buckets.take("1", "GetCallerIdentity", now)));
    }

    #[test]
    fn a_changed_limit_does_not_refill_the_bucket() {
        let now = Instant::now();
        let mut buckets = TokenBuckets::new(all(limit(1.0, 1.0)));
        assert!(buckets.take("1", "GetUser", now));
        buckets.set_throttle(all(limit(10.0, 20.0)), now);
        assert!(!buckets.take("1", "GetUser", now));
        assert!(buckets.take("1", "GetUser", now + Duration::from_millis(100)));
        buckets.set_throttle(Throttle::default(), now);
        assert!((0..10).all(|_| buckets.take("1", "GetUser", now)));
    }
}
