use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::limit_model::{Burst, LimitModel};
use super::throttle::RateLimit;
use crate::iam::Rate;

/// Tolerates the rounding error of sums of tokens, and of products of a rate and a time.
const ROUNDING: f64 = 1e-9;

/// One limit in use. The current time is an argument.
///
/// A call first processes what happens up to and including its own time: changes of the rate, refills, ends of
/// windows, and the competitor's calls. At the same time, they happen in this order.
#[derive(Debug)]
pub(super) struct LimitState {
    limit: RateLimit,
    first_call: Instant,
    /// The time up to which everything is processed, since the first call.
    processed: Duration,
    rate: Rate,
    processed_changes: usize,
    ticks: u32,
    competitor_calls: u64,
    usage: Usage,
}

/// What happens to a limit between two calls.
#[derive(Debug, Clone, Copy)]
enum Event {
    RateChange(Rate),
    /// A refill, or the end of a window.
    Tick,
    CompetitorCall,
}

/// The part of the limit that is used.
#[derive(Debug)]
enum Usage {
    Bucket { tokens: f64, burst: f64 },
    FixedWindow { accepted: usize },
    SlidingWindow { accepted: VecDeque<Duration> },
}

impl Usage {
    fn none(limit: &RateLimit) -> Self {
        match limit.model {
            LimitModel::PerSecond { burst, .. } | LimitModel::Continuous { burst } => {
                let burst = burst.unwrap_or_else(|| Burst::of_one_second(limit.rate)).get();
                Usage::Bucket { tokens: burst, burst }
            }
            LimitModel::FixedWindow { .. } => Usage::FixedWindow { accepted: 0 },
            LimitModel::SlidingWindow { .. } => Usage::SlidingWindow { accepted: VecDeque::new() },
        }
    }

    /// Adds tokens to a bucket.
    fn refill(&mut self, added: f64) {
        if let Usage::Bucket { tokens, burst } = self {
            *tokens = (*tokens + added).min(*burst);
        }
    }
}

impl LimitState {
    /// A limit whose first call is now.
    pub(super) fn new(limit: &RateLimit, now: Instant) -> Self {
        let mut limit = limit.clone();
        limit.changes.sort_by_key(|change| change.after);
        LimitState {
            first_call: now,
            processed: Duration::ZERO,
            rate: limit.rate,
            processed_changes: 0,
            ticks: 0,
            competitor_calls: 0,
            usage: Usage::none(&limit),
            limit,
        }
    }

    /// Replaces the limit. If it differs, its times count from now. A token bucket keeps its tokens up to the new
    /// burst, and a window begins anew.
    pub(super) fn change_to(&mut self, limit: &RateLimit, now: Instant) {
        let mut new = LimitState::new(limit, now);
        if new.limit == self.limit {
            return;
        }
        self.advance(now);
        if let (Usage::Bucket { tokens, .. }, Usage::Bucket { tokens: left, .. }) =
            (&mut new.usage, &self.usage)
        {
            *tokens = tokens.min(*left);
        }
        *self = new;
    }

    /// Processes everything up to and including `now`.
    pub(super) fn advance(&mut self, now: Instant) {
        // Concurrent calls can acquire the lock in a different order than that of their times.
        let now = now.saturating_duration_since(self.first_call);
        while let Some((at, event)) = self.next_event().filter(|(at, _)| *at <= now) {
            self.pass_until(at);
            match event {
                Event::RateChange(rate) => {
                    self.processed_changes += 1;
                    self.change_rate(rate);
                }
                Event::Tick => {
                    self.ticks += 1;
                    self.tick();
                }
                Event::CompetitorCall => {
                    self.competitor_calls += 1;
                    if self.has_capacity() {
                        self.accept();
                    }
                }
            }
        }
        self.pass_until(now);
    }

    /// Whether a call at the time of the last [`advance`](Self::advance) is accepted.
    pub(super) fn has_capacity(&self) -> bool {
        if self.limit.throttle_all.iter().any(|span| span.contains(self.processed)) {
            return false;
        }
        let is_below = |accepted: usize, window: Duration| {
            accepted as f64 + 1.0 <= self.rate.get() * window.as_secs_f64() + ROUNDING
        };
        let window = self.limit.model.window().unwrap_or_default();
        match &self.usage {
            Usage::Bucket { tokens, .. } => *tokens >= 1.0 - ROUNDING,
            Usage::FixedWindow { accepted } => is_below(*accepted, window),
            Usage::SlidingWindow { accepted } => is_below(accepted.len(), window),
        }
    }

    /// Counts an accepted call at the time of the last [`advance`](Self::advance).
    pub(super) fn accept(&mut self) {
        match &mut self.usage {
            Usage::Bucket { tokens, .. } => *tokens = (*tokens - 1.0).max(0.0),
            Usage::FixedWindow { accepted } => *accepted += 1,
            Usage::SlidingWindow { accepted } => accepted.push_back(self.processed),
        }
    }

    fn next_event(&self) -> Option<(Duration, Event)> {
        let change = self.limit.changes.get(self.processed_changes);
        let competitor = self.limit.competitor.as_ref();
        let call = competitor.and_then(|it| it.time_of_call(self.competitor_calls));
        let events = [
            change.map(|change| (change.after, Event::RateChange(change.rate))),
            self.limit.model.tick(self.ticks).map(|at| (at, Event::Tick)),
            call.map(|at| (at, Event::CompetitorCall)),
        ];
        events.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn change_rate(&mut self, rate: Rate) {
        self.rate = rate;
        let model = self.limit.model;
        if let Usage::Bucket { tokens, burst } = &mut self.usage
            && let LimitModel::PerSecond { burst: None, .. }
            | LimitModel::Continuous { burst: None } = model
        {
            *burst = Burst::of_one_second(rate).get();
            *tokens = tokens.min(*burst);
        }
    }

    fn tick(&mut self) {
        match &mut self.usage {
            Usage::FixedWindow { accepted } => *accepted = 0,
            usage => usage.refill(self.rate.get()),
        }
    }

    /// Lets time pass in which there is no event.
    fn pass_until(&mut self, until: Duration) {
        let Some(passed) = until.checked_sub(self.processed) else { return };
        self.processed = until;
        match (&mut self.usage, self.limit.model) {
            (usage, LimitModel::Continuous { .. }) => {
                usage.refill(self.rate.get() * passed.as_secs_f64());
            }
            (Usage::SlidingWindow { accepted }, LimitModel::SlidingWindow { length }) => {
                let is_over = |at: &Duration| until.saturating_sub(*at) >= length.get();
                while accepted.front().is_some_and(is_over) {
                    accepted.pop_front();
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::super::limit_model::WindowLength;
    use super::super::throttle::{Competitor, RateChange};
    use super::super::time_span::TimeSpan;
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn rate(per_second: f64) -> Rate {
        Rate::per_second(per_second).unwrap()
    }

    fn bucket(burst: f64) -> LimitModel {
        LimitModel::Continuous { burst: Some(Burst::of(burst).unwrap()) }
    }

    /// A bucket that is refilled once a second, first after 300 milliseconds.
    fn per_second(burst: f64) -> LimitModel {
        let (burst, phase) = (Some(Burst::of(burst).unwrap()), Duration::from_millis(300));
        LimitModel::PerSecond { burst, phase }
    }

    /// Windows of one second, the first of which ends after 300 milliseconds.
    fn fixed() -> LimitModel {
        "fixed-window:1@0.3".parse().unwrap()
    }

    fn sliding() -> LimitModel {
        LimitModel::SlidingWindow { length: WindowLength::ONE_SECOND }
    }

    fn state(per_second: f64, model: LimitModel) -> LimitState {
        LimitState::new(&RateLimit::new(rate(per_second), model), Instant::now())
    }

    fn is_accepted(state: &mut LimitState, micros: u64) -> bool {
        state.advance(state.first_call + Duration::from_micros(micros));
        let is_accepted = state.has_capacity();
        if is_accepted {
            state.accept();
        }
        is_accepted
    }

    /// The number of accepted calls if `per_second` calls per second are made in this range of microseconds.
    fn accepted(state: &mut LimitState, per_second: u64, micros: Range<u64>) -> usize {
        micros.step_by((SECOND / per_second) as usize).filter(|at| is_accepted(state, *at)).count()
    }

    /// The number of calls that are accepted at once, at each of these times in milliseconds.
    fn at_once<const N: usize>(state: &mut LimitState, millis: [u64; N]) -> [usize; N] {
        millis.map(|at| (0..1_000).take_while(|_| is_accepted(state, at * 1_000)).count())
    }

    #[test]
    fn the_burst_is_accepted_at_once_and_then_one_call_for_each_new_token() {
        let mut bucket = state(10.0, bucket(5.0));
        let mut accepts = |micros| is_accepted(&mut bucket, micros);
        assert_eq!([0; 7].map(&mut accepts), [true, true, true, true, true, false, false]);
        assert!(!accepts(99_999));
        assert!(accepts(100_000));
        assert!(!accepts(199_999));
        assert!(accepts(200_000));
    }

    #[test]
    fn a_throttled_call_takes_no_token() {
        let mut bucket = state(1.0, bucket(1.0));
        assert_eq!(accepted(&mut bucket, 100_000, 0..10 * SECOND + 1), 11);
    }

    #[test]
    fn a_pause_fills_the_bucket_up_to_its_burst() {
        let mut bucket = state(10.0, bucket(4.5));
        let later = 3_600_000;
        // After 50 milliseconds, the remaining half of a token counts.
        assert_eq!(at_once(&mut bucket, [0, later, later + 50]), [4, 4, 1]);
    }

    #[test]
    fn calls_at_exactly_the_rate_are_all_accepted() {
        for per_second in [1, 4, 10, 25, 500] {
            let mut bucket = state(per_second as f64, bucket(1.0));
            let calls = 100 * per_second as usize;
            assert_eq!(accepted(&mut bucket, per_second, 0..100 * SECOND), calls, "{per_second}");
        }
    }

    #[test]
    fn a_bucket_that_is_refilled_once_a_second_gains_nothing_between_two_refills() {
        let mut bucket = state(10.0, per_second(25.0));
        let times = [0, 299, 300, 1_299, 1_300, 4_299, 4_300, 10_000];
        assert_eq!(at_once(&mut bucket, times), [25, 0, 10, 0, 10, 20, 10, 25]);
    }

    #[test]
    fn each_refill_only_fills_a_bucket_that_holds_less_than_the_tokens_of_one_second() {
        let mut bucket = state(50.0, per_second(20.0));
        assert_eq!(at_once(&mut bucket, [0, 300, 1_299, 1_300, 3_400]), [20, 20, 0, 20, 20]);
        assert_eq!(accepted(&mut bucket, 1_000, 4 * SECOND..34 * SECOND), 30 * 20);
    }

    #[test]
    fn without_a_burst_a_bucket_holds_the_tokens_of_one_second() {
        for (model, calls) in [
            (LimitModel::PER_SECOND, [10, 0, 10]),
            (LimitModel::Continuous { burst: None }, [10, 4, 1]),
        ] {
            assert_eq!(at_once(&mut state(10.0, model), [0, 499, 500]), calls, "{model:?}");
        }
    }

    #[test]
    fn fractions_of_tokens_add_up() {
        let mut slow = state(0.5, per_second(1.0));
        let times = [0, 300, 1_300, 2_300, 3_300];
        assert_eq!(at_once(&mut slow, times), [1, 0, 1, 0, 1]);
    }

    #[test]
    fn a_phase_of_zero_is_a_whole_period() {
        let phase = Duration::ZERO;
        let model = LimitModel::PerSecond { burst: Some(Burst::of(4.0).unwrap()), phase };
        assert_eq!(at_once(&mut state(3.0, model), [0, 999, 1_000, 2_000]), [4, 0, 3, 3]);
        let model = LimitModel::FixedWindow { length: WindowLength::ONE_SECOND, phase };
        assert_eq!(at_once(&mut state(3.0, model), [0, 999, 1_000, 2_000]), [3, 0, 3, 3]);
    }

    #[test]
    fn a_fixed_window_accepts_its_calls_at_any_time_in_it() {
        let mut window = state(2.5, "fixed-window:5@2".parse().unwrap());
        // 12.5 calls for each window.
        let times = [0, 1_999, 2_000, 6_999, 7_000, 11_999, 12_000];
        assert_eq!(at_once(&mut window, times), [12, 0, 12, 0, 12, 0, 12]);
        // Unused calls are not kept.
        assert_eq!(at_once(&mut window, [60_000]), [12]);
        let mut window = state(10.0, "fixed-window:5@2".parse().unwrap());
        assert_eq!(accepted(&mut window, 20, 0..2 * SECOND), 40);
        assert_eq!(accepted(&mut window, 20, 2 * SECOND..7 * SECOND), 50);
    }

    #[test]
    fn a_sliding_window_accepts_its_calls_in_any_one_second() {
        let mut window = state(3.0, sliding());
        let calls = [0, 100, 200, 300, 999, 1_000, 1_000, 1_099, 1_100, 1_200, 1_201];
        let accepted = calls.map(|millis| is_accepted(&mut window, millis * 1_000));
        let expected = [true, true, true, false, false, true, false, false, true, true, false];
        assert_eq!(accepted, expected);
        let mut window = state(20.0, sliding());
        let times: Vec<u64> =
            (0..10 * SECOND).step_by(700).filter(|at| is_accepted(&mut window, *at)).collect();
        let in_one_second = times.windows(21).all(|calls| calls[20] - calls[0] >= SECOND);
        assert!(in_one_second && times.len() == 200, "{}", times.len());
    }

    #[test]
    fn the_rate_changes_at_its_times_which_may_be_in_any_order() {
        let after = |seconds, per_second| RateChange {
            after: Duration::from_secs(seconds),
            rate: rate(per_second),
        };
        for (model, calls) in [
            (bucket(1.0), [100, 20, 500]),
            // The refill at 9.3 seconds is used up to 10.3 seconds. The burst is that of the first rate.
            (per_second(10.0), [110, 20, 100]),
            // At 20 seconds, the window has accepted 2 of 50 calls.
            (fixed(), [110, 20, 48 + 500]),
            (sliding(), [100, 20, 500]),
        ] {
            let changes = vec![after(20, 50.0), after(10, 2.0)];
            let limit = RateLimit { changes, ..RateLimit::new(rate(10.0), model) };
            let mut state = LimitState::new(&limit, Instant::now());
            let each = [0, 10, 20]
                .map(|from| accepted(&mut state, 1_000, from * SECOND..(from + 10) * SECOND));
            assert_eq!(each, calls, "{model:?}");
        }
    }

    #[test]
    fn each_change_between_two_calls_counts_for_its_time() {
        let change = |seconds, r| RateChange { after: Duration::from_secs(seconds), rate: rate(r) };
        for (model, gained) in [
            (bucket(100.0), 1 + 10 + 2 * 2),
            // Refills at 0.3, 1.3, 2.3 and 3.3 seconds.
            (per_second(100.0), 1 + 10 + 2 * 2),
        ] {
            let changes = vec![change(1, 10.0), change(2, 2.0)];
            let limit = RateLimit { changes, ..RateLimit::new(rate(1.0), model) };
            let mut state = LimitState::new(&limit, Instant::now());
            assert_eq!(at_once(&mut state, [0, 4_000]), [100, gained], "{model:?}");
        }
    }

    #[test]
    fn a_bucket_without_a_burst_always_holds_the_tokens_of_one_second() {
        let change = |millis, r| RateChange { after: Duration::from_millis(millis), rate: rate(r) };
        for (model, calls) in [
            (LimitModel::PER_SECOND, [10, 30, 30, 4]),
            (LimitModel::Continuous { burst: None }, [10, 30, 30, 4]),
        ] {
            let changes = vec![change(1_000, 30.0), change(7_000, 4.0)];
            let limit = RateLimit { changes, ..RateLimit::new(rate(10.0), model) };
            let mut state = LimitState::new(&limit, Instant::now());
            assert_eq!(at_once(&mut state, [0, 4_000, 6_000, 7_000]), calls, "{model:?}");
        }
    }

    #[test]
    fn a_refill_at_the_time_of_a_change_has_the_new_rate() {
        let changes = vec![RateChange { after: Duration::from_millis(1_300), rate: rate(7.0) }];
        let limit = RateLimit { changes, ..RateLimit::new(rate(2.0), per_second(50.0)) };
        let mut state = LimitState::new(&limit, Instant::now());
        assert_eq!(at_once(&mut state, [0, 300, 1_300, 2_300]), [50, 2, 7, 7]);
    }

    fn competing(model: LimitModel, competitor: &str) -> LimitState {
        let competitor = Some(competitor.parse::<Competitor>().unwrap());
        let limit = RateLimit { competitor, ..RateLimit::new(rate(10.0), model) };
        LimitState::new(&limit, Instant::now())
    }

    #[test]
    fn a_competitor_uses_the_limit_during_its_time() {
        // The competitor is as fast as the client, and takes half of the tokens.
        let half = accepted(&mut competing(bucket(1.0), "1005"), 995, 0..1_000 * SECOND);
        assert!((4_500..=5_500).contains(&half), "{half}");
        // Active from 10 to 20 seconds. Its calls come first, except that a refill is enough for a client's call at
        // the same time.
        for (model, calls) in [
            (bucket(1.0), [100, 0, 100]),
            (per_second(10.0), [110, 10, 100]),
            (fixed(), [110, 10, 100]),
            (sliding(), [100, 0, 100]),
        ] {
            let mut state = competing(model, "1000@10..20");
            let each = [0, 10, 20]
                .map(|from| accepted(&mut state, 50, from * SECOND..(from + 10) * SECOND));
            assert_eq!(each, calls, "{model:?}");
        }
    }

    #[test]
    fn a_competitor_uses_the_limit_between_two_distant_calls() {
        let competitor = Some(Competitor::new(rate(4.0), Duration::ZERO, None).unwrap());
        let limit = RateLimit { competitor, ..RateLimit::new(rate(1.0), bucket(40.0)) };
        let mut bucket = LimitState::new(&limit, Instant::now());
        assert!(is_accepted(&mut bucket, 0));
        // 40 - 2 tokens, 9.9 gained, and 39 taken by the competitor at 0.25, 0.5, … 9.75.
        assert_eq!(at_once(&mut bucket, [9_900]), [8]);
    }

    #[test]
    fn every_call_is_throttled_in_the_times_for_it_and_none_counts() {
        for (model, calls) in [
            (bucket(20.0), [20, 9, 0, 17, 0, 14]),
            (per_second(20.0), [20, 10, 0, 20, 0, 10]),
            (fixed(), [10, 10, 0, 10, 0, 10]),
            (sliding(), [10, 0, 0, 10, 0, 10]),
        ] {
            let spans = ["1..2.5", "3..4"].map(|span| span.parse::<TimeSpan>().unwrap());
            let limit = RateLimit {
                throttle_all: spans.to_vec(),
                competitor: Some("1000@1..2.5".parse().unwrap()),
                ..RateLimit::new(rate(10.0), model)
            };
            let mut state = LimitState::new(&limit, Instant::now());
            let times = [0, 999, 1_000, 2_600, 3_999, 4_000];
            assert_eq!(at_once(&mut state, times), calls, "{model:?}");
        }
    }

    #[test]
    fn a_limit_that_changes_its_model_starts_anew() {
        let mut state = state(10.0, per_second(20.0));
        assert_eq!(at_once(&mut state, [0]), [20]);
        let now = state.first_call;
        state.change_to(&RateLimit::new(rate(10.0), bucket(20.0)), now);
        assert_eq!(at_once(&mut state, [0, 500]), [0, 5]);
        state.change_to(&RateLimit::new(rate(10.0), sliding()), now);
        assert_eq!(at_once(&mut state, [0]), [10]);
    }
}
