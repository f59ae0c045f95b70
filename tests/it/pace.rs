//! The controller of the rate limiter against simulated limits. Time is simulated, so minutes of calls take
//! milliseconds, and the results are reproducible.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use iam_boundaries::aws::{Controller, Decision, LimiterOptions, MaxRate, Response, Ticket};
use iam_boundaries::iam::Rate;

/// A token bucket with a variable refill rate, on a network with jitter.
#[derive(Debug, Clone)]
struct Limit {
    rate: f64,
    burst: f64,
    /// The time of a change in seconds, and the rate after it.
    then: Option<(f64, f64)>,
    /// The time from sending a call to its response, in seconds.
    latency: f64,
}

#[derive(Debug)]
struct Simulated {
    seconds: f64,
    calls: usize,
    throttled: usize,
    most_in_flight: usize,
    sent: Vec<f64>,
}

impl Limit {
    fn of(rate: f64, burst: f64, latency: f64) -> Self {
        Limit { rate, burst, then: None, latency }
    }

    fn refilled(&self, level: f64, from: f64, to: f64) -> f64 {
        let (at, then) = self.then.unwrap_or((f64::INFINITY, 0.0));
        let tokens = self.rate * (to.min(at) - from).max(0.0) + then * (to - from.max(at)).max(0.0);
        (level + tokens).min(self.burst)
    }
}

/// Makes `items` calls, and retries each until it is accepted.
fn run(limit: &Limit, items: usize, max_in_flight: usize, max_rate: Option<f64>) -> Simulated {
    const ARRIVED: u8 = 0;
    const RESPONDED: u8 = 1;
    let start = Instant::now();
    let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
    let mut random = fastrand::Rng::with_seed(7);
    let mut jitter = |seconds: f64| -seconds * (1.0 - random.f64()).ln();
    let mut max_rate = MaxRate::new(max_rate.map(|rate| Rate::per_second(rate).unwrap()));
    let mut controller = Controller::new(LimiterOptions { max_in_flight, expected_calls: items });
    let (mut level, mut refilled_at) = (limit.burst, 0.0);
    let mut events: BinaryHeap<Reverse<(u64, u8, usize)>> = BinaryHeap::new();
    let nanos = |seconds: f64| (seconds * 1e9) as u64;
    let mut calls: Vec<(Ticket, bool)> = Vec::new();
    let (mut waiting, mut calls_in_flight, mut now) = (items, 0, 0.0_f64);
    let mut outcome =
        Simulated { seconds: 0.0, calls: 0, throttled: 0, most_in_flight: 0, sent: Vec::new() };
    loop {
        let mut wake = None;
        while waiting > 0 {
            match controller.decide(at(now), &mut max_rate) {
                Decision::Now(ticket) => {
                    waiting -= 1;
                    calls_in_flight += 1;
                    outcome.most_in_flight = outcome.most_in_flight.max(calls_in_flight);
                    outcome.sent.push(now);
                    let arrives = now + limit.latency / 2.0 + jitter(1e-4);
                    events.push(Reverse((nanos(arrives), ARRIVED, calls.len())));
                    calls.push((ticket, false));
                }
                Decision::At(time) => {
                    wake = Some((time - start).as_secs_f64().max(now) + jitter(6e-5));
                    break;
                }
                Decision::AfterResponse => break,
            }
        }
        let next = events.peek().map(|Reverse((time, ..))| *time as f64 / 1e9);
        match (next, wake) {
            (None, None) => break,
            (next, Some(wake)) if next.is_none_or(|next| wake < next) => now = wake,
            _ => {
                let Some(Reverse((time, kind, call))) = events.pop() else { break };
                now = now.max(time as f64 / 1e9);
                if kind == ARRIVED {
                    level = limit.refilled(level, refilled_at, now);
                    refilled_at = now;
                    calls[call].1 = level >= 1.0;
                    level -= f64::from(u8::from(calls[call].1));
                    let responded = now + limit.latency / 2.0 + jitter(1e-4 + limit.latency * 2e-3);
                    events.push(Reverse((nanos(responded), RESPONDED, call)));
                    continue;
                }
                calls_in_flight -= 1;
                let (ticket, accepted) = calls[call];
                if accepted {
                    outcome.seconds = now;
                    controller.on_response(ticket, at(now), Response::Accepted);
                } else {
                    outcome.throttled += 1;
                    waiting += 1;
                    controller.on_response(ticket, at(now), Response::Throttled);
                }
            }
        }
        assert!(calls.len() < 20 * items + 1_000 && now < 36_000.0, "{limit:?} does not end");
    }
    outcome.calls = calls.len();
    assert_eq!(outcome.calls - outcome.throttled, items);
    outcome
}

#[test]
fn an_unknown_limit_is_used_to_within_a_few_percent_and_few_calls_are_throttled() {
    const SECONDS: f64 = 30.0;
    for rate in [2.0, 5.0, 12.0, 30.0, 50.0, 120.0, 200.0] {
        for burst in [10.0, 20.0, 60.0, 200.0] {
            for latency in [0.005, 0.05, 0.2] {
                // With more calls in flight than tokens in the bucket, too many are throttled.
                if burst < 2.0 * rate * latency {
                    continue;
                }
                let limit = Limit::of(rate, burst, latency);
                let items = (rate * SECONDS + burst) as usize;
                let outcome = run(&limit, items, 256, None);
                let ratio = outcome.seconds / SECONDS;
                assert!(ratio < 1.10, "{limit:?}: ×{ratio:.3}");
                let allowed = (items / 16).max(40);
                assert!(outcome.throttled <= allowed, "{limit:?}: {} throttled", outcome.throttled);
            }
        }
    }
}

#[test]
fn the_rate_follows_a_limit_that_falls_or_rises() {
    const SECONDS: f64 = 40.0;
    for rate in [50.0, 200.0] {
        for (then, name) in [(rate / 2.0, "falls"), (rate * 2.0, "rises")] {
            let limit = Limit { then: Some((20.0, then)), ..Limit::of(rate, 20.0, 0.05) };
            let items = ((rate + then) * SECONDS / 2.0 + 20.0) as usize;
            let outcome = run(&limit, items, 256, None);
            let ratio = outcome.seconds / SECONDS;
            assert!(ratio < 1.10, "{name}: ×{ratio:.3}");
            assert!(outcome.throttled <= items / 25, "{name}: {}", outcome.throttled);
        }
    }
}

#[test]
fn without_throttling_only_the_number_of_calls_in_flight_limits_the_rate() {
    for in_flight in [1, 16, 64] {
        let limit = Limit::of(1e6, 1e6, 0.05);
        let outcome = run(&limit, 5_000, in_flight, None);
        let ideal = 5_000.0 * 0.05 / in_flight as f64;
        assert!(outcome.seconds < 1.12 * ideal, "{in_flight}: {} of {ideal}", outcome.seconds);
        assert_eq!((outcome.throttled, outcome.most_in_flight), (0, in_flight));
    }
}

#[test]
fn the_maximum_rate_is_never_exceeded_in_any_interval() {
    let outcome = run(&Limit::of(1e6, 1e6, 0.02), 400, 64, Some(20.0));
    for (first, sent) in outcome.sent.iter().enumerate() {
        for (count, later) in outcome.sent[first..].iter().enumerate() {
            assert!(count as f64 <= 20.0 * (later - sent) + 1e-6 * 400.0, "{sent} {later}");
        }
    }
    assert!(outcome.seconds < 1.02 * 400.0 / 20.0, "{}", outcome.seconds);
}

#[test]
fn a_bucket_of_one_token_is_used_without_calls_that_are_too_early() {
    for (rate, latency) in [(5.0, 0.005), (5.0, 0.2), (50.0, 0.05)] {
        let limit = Limit::of(rate, 1.0, latency);
        let items = (rate * 60.0) as usize;
        let outcome = run(&limit, items, 64, None);
        assert!(outcome.seconds < 1.12 * 60.0, "{limit:?}: {}", outcome.seconds);
        assert!(outcome.throttled <= (items / 33).max(20), "{limit:?}: {}", outcome.throttled);
    }
}

#[test]
fn few_calls_are_retried_while_every_call_is_throttled_and_all_succeed_afterwards() {
    let outage = Limit { then: Some((60.0, 50.0)), ..Limit::of(1e-9, 20.0, 0.05) };
    let outcome = run(&outage, 1_000, 64, None);
    let during = outcome.sent.iter().filter(|&&sent| sent < 60.0).count();
    assert!(during < 20 + 60, "{during} calls in the minute in which every call is throttled");
    assert!(outcome.seconds < 115.0, "{}", outcome.seconds);
}

#[test]
fn a_fixed_window_is_sustained_although_it_is_not_a_token_bucket() {
    // Twenty calls are accepted in each second of the clock.
    let start = Instant::now();
    let mut controller = Controller::new(LimiterOptions { max_in_flight: 32, expected_calls: 400 });
    let mut max_rate = MaxRate::default();
    let (mut done, mut throttled, mut now) = (0, 0, 0.0_f64);
    let (mut window, mut used) = (0, 0);
    while done < 400 {
        assert!(now < 200.0, "{done} done, {throttled} throttled");
        match controller.decide(start + Duration::from_secs_f64(now), &mut max_rate) {
            Decision::Now(ticket) => {
                if now as u64 != window {
                    (window, used) = (now as u64, 0);
                }
                used += 1;
                let accepted = used <= 20;
                done += usize::from(accepted);
                throttled += usize::from(!accepted);
                let response = if accepted { Response::Accepted } else { Response::Throttled };
                controller.on_response(
                    ticket,
                    start + Duration::from_secs_f64(now + 0.001),
                    response,
                );
            }
            Decision::At(time) => now = (time - start).as_secs_f64().max(now + 1e-6),
            Decision::AfterResponse => now += 0.001,
        }
    }
    assert!(now < 1.2 * 20.0, "{now}");
    assert!(throttled < 100, "{throttled}");
}
