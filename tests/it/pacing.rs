//! The rate limiter against simulated limits, in virtual time: a minute of calls takes milliseconds.
//!
//!     cargo test --release --test it pacing::report -- --ignored --nocapture
//!
//! prints the median and the worst of limits that are drawn at random.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use iam_boundaries::aws::{Controller, Decision, LimiterOptions, MaxRate, Response, Ticket};
use iam_boundaries::iam::Rate;
use iam_boundaries::sandbox::{Burst, LimitModel, RateLimit, Throttle, Throttler};

const ACTION: &str = "PutUserPermissionsBoundary";

/// A limit, and the calls that are made against it.
struct Case {
    name: String,
    throttle: Throttle,
    calls: usize,
    /// The time of a client that knows the limit, in seconds.
    ideal: f64,
    in_flight: usize,
    /// The median latency in seconds, and the sigma of its logarithm.
    latency: f64,
    spread: f64,
    remembered: Option<f64>,
}

struct Outcome {
    /// As a multiple of the ideal time.
    time: f64,
    throttled: usize,
    /// The number of calls that may be throttled: 3%, or 12.
    allowed: f64,
}

fn rate(per_second: f64) -> Rate {
    Rate::per_second(per_second).unwrap()
}

/// A limit of `per_second` calls. The model is as in `--limit-model`.
fn limit(per_second: f64, model: &str, burst: Option<f64>) -> RateLimit {
    let model: LimitModel = model.parse().unwrap();
    let model = match burst {
        Some(burst) => model.with_burst(Burst::of(burst).unwrap()).unwrap(),
        None => model,
    };
    RateLimit::new(rate(per_second), model)
}

fn of_action(limit: RateLimit) -> Throttle {
    Throttle { actions: [(ACTION.parse().unwrap(), limit)].into(), ..Throttle::default() }
}

/// The time in which a client makes `calls` calls that tries every millisecond, in seconds.
fn greedy(throttle: &Throttle, calls: usize) -> f64 {
    let (mut throttler, start, mut accepted) =
        (Throttler::new(throttle.clone()), Instant::now(), 0);
    for millis in 0.. {
        while throttler.admit("account", ACTION, start + Duration::from_millis(millis)) {
            accepted += 1;
            if accepted == calls {
                return millis as f64 / 1_000.0;
            }
        }
    }
    unreachable!("the limit accepts calls")
}

/// A request on its way to the server, or a response on its way back. The earliest is the first in the heap.
type Message = (Reverse<Duration>, usize, Option<bool>);

fn simulate(case: &Case, random: &mut fastrand::Rng) -> Outcome {
    let options = LimiterOptions { max_in_flight: case.in_flight, expected_calls: case.calls };
    let mut controller = match case.remembered {
        Some(remembered) => Controller::remembering(rate(remembered), options),
        None => Controller::new(options),
    };
    let mut max_rate = MaxRate::default();
    let mut throttler = Throttler::new(case.throttle.clone());
    let (start, mut now) = (Instant::now(), Duration::ZERO);
    let mut messages: BinaryHeap<Message> = BinaryHeap::new();
    let mut requests: Vec<(Ticket, Duration)> = Vec::new();
    let (mut left, mut done, mut in_flight, mut throttled) = (case.calls, 0, 0, 0);
    while done < case.calls {
        let mut wake = None;
        while left > 0 && in_flight < case.in_flight {
            match controller.decide(start + now, &mut max_rate) {
                Decision::Now(ticket) => {
                    let latency = case.latency * (case.spread * normal(random)).exp();
                    let back = Duration::from_secs_f64(latency / 2.0);
                    requests.push((ticket, back));
                    messages.push((Reverse(now + back), requests.len() - 1, None));
                    (left, in_flight) = (left - 1, in_flight + 1);
                }
                // A timer is late by up to a millisecond.
                Decision::At(at) => {
                    let late = Duration::from_micros(random.u64(1..1_000));
                    wake = Some(at.duration_since(start) + late);
                    break;
                }
                Decision::AfterResponse => break,
            }
        }
        let next = messages.peek().map(|message| message.0.0);
        if let Some(wake) = wake.filter(|wake| next.is_none_or(|next| *wake < next)) {
            now = wake;
            continue;
        }
        let (Reverse(at), number, response) = messages.pop().expect("something is in flight");
        now = at;
        assert!(now < Duration::from_secs(3_600), "{}: {done} calls in an hour", case.name);
        let (ticket, back) = requests[number];
        match response {
            None => {
                let is_accepted = throttler.admit("account", ACTION, start + now);
                messages.push((Reverse(now + back), number, Some(is_accepted)));
            }
            Some(is_accepted) => {
                in_flight -= 1;
                if is_accepted {
                    done += 1;
                } else {
                    (left, throttled) = (left + 1, throttled + 1);
                }
                let response = if is_accepted { Response::Accepted } else { Response::Throttled };
                controller.on_response(ticket, start + now, response);
            }
        }
    }
    Outcome {
        time: now.as_secs_f64() / case.ideal,
        throttled,
        allowed: (0.03 * requests.len() as f64).max(12.0),
    }
}

/// A sample of the standard normal distribution.
fn normal(random: &mut fastrand::Rng) -> f64 {
    let (one, other) = (random.f64().max(1e-12), random.f64());
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
}

/// The rows of the report. `goal` is the multiple of the ideal time with a constant latency.
const ROWS: [(&str, f64); 14] = [
    ("per second", 1.05),
    ("per second, burst below rate", 1.08),
    ("two buckets", 1.05),
    ("continuous", 1.03),
    ("one token", 1.10),
    ("window of 1 s", 1.10),
    ("sliding window of 1 s", 1.10),
    ("window of 5 s", 1.25),
    ("halves", 1.10),
    ("doubles", 1.10),
    ("rival", 1.10),
    ("no limit, 32 at once", 1.10),
    ("no limit, 128 at once", 1.10),
    ("all throttled for 10 s", 1.15),
];

/// A limit of a row, drawn at random, for about `seconds` seconds.
fn draw(row: &str, spread: f64, random: &mut fastrand::Rng) -> Case {
    let mut between = |low: f64, high: f64| low * (high / low).powf(random.f64());
    let (latency, seconds) = (between(0.02, 0.2), between(20.0, 40.0));
    let per_second = between(5.0, if row == "one token" { 50.0 } else { 200.0 }).round();
    let phase = between(0.05, 0.95);
    let second = format!("per-second@{phase:.2}");
    let burst = (per_second * between(1.0, 4.0)).round();
    let middle = Duration::from_secs_f64(seconds / 2.0);
    let mut per_second_bucket = limit(per_second, &second, Some(burst));
    let mut accepted = per_second * seconds + burst;
    let mut in_flight = 64;
    let throttle = match row {
        "per second, burst below rate" => {
            let burst = (per_second * between(0.3, 0.95)).round().max(4.0);
            accepted = burst * (seconds + 1.0);
            of_action(limit(per_second, &second, Some(burst)))
        }
        "two buckets" => {
            let other = per_second * between(1.0, 3.0);
            let writes = limit(other, "per-second@0.4", Some(other * between(1.0, 2.0)));
            Throttle { writes: Some(writes), ..of_action(per_second_bucket) }
        }
        "continuous" => {
            let burst = between(10.0, 200.0).round();
            accepted = per_second * seconds + burst;
            of_action(limit(per_second, "continuous", Some(burst)))
        }
        "one token" => of_action(limit(per_second, "continuous", Some(1.0))),
        "window of 1 s" => of_action(limit(per_second, &format!("fixed-window@{phase:.2}"), None)),
        "sliding window of 1 s" => of_action(limit(per_second, "sliding-window", None)),
        "window of 5 s" => {
            of_action(limit(per_second, &format!("fixed-window:5@{phase:.2}"), None))
        }
        "halves" | "doubles" => {
            let factor = if row == "halves" { 0.5 } else { 2.0 };
            accepted = per_second * seconds * (1.0 + factor) / 2.0 + burst;
            let change = format!("{}@{}", per_second * factor, middle.as_secs_f64());
            per_second_bucket.changes = vec![change.parse().unwrap()];
            if factor > 1.0 {
                per_second_bucket.model = second.parse().unwrap();
            }
            of_action(per_second_bucket)
        }
        "rival" => {
            let rival = format!("{}@{}", per_second / 2.0, middle.as_secs_f64());
            per_second_bucket.competitor = Some(rival.parse().unwrap());
            accepted = per_second * seconds * 0.75 + burst;
            of_action(per_second_bucket)
        }
        "all throttled for 10 s" => {
            let span = format!("{}..{}", middle.as_secs_f64(), middle.as_secs_f64() + 10.0);
            per_second_bucket.throttle_all = vec![span.parse().unwrap()];
            of_action(per_second_bucket)
        }
        "no limit, 32 at once" => {
            (in_flight, accepted) = (32, 5_000.0);
            Throttle::default()
        }
        "no limit, 128 at once" => {
            (in_flight, accepted) = (128, 5_000.0);
            Throttle::default()
        }
        _ => of_action(per_second_bucket),
    };
    let calls = accepted as usize;
    let ideal = if row.starts_with("no limit") {
        accepted * latency * (spread * spread / 2.0).exp() / in_flight as f64
    } else {
        greedy(&throttle, calls).max(1.0)
    };
    let name = format!("{row}: {per_second}/s, burst {burst}, {:.0} ms", latency * 1_000.0);
    Case { name, throttle, calls, ideal, in_flight, latency, spread, remembered: None }
}

/// The outcomes of `count` limits of a row, sorted by time.
fn outcomes(row: &str, spread: f64, count: u64) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = (0..count)
        .map(|seed| {
            let mut random = fastrand::Rng::with_seed(seed);
            let case = draw(row, spread, &mut random);
            simulate(&case, &mut random)
        })
        .collect();
    outcomes.sort_by(|one, other| one.time.total_cmp(&other.time));
    outcomes
}

fn share_throttled(outcomes: &[Outcome]) -> Vec<f64> {
    let mut shares: Vec<f64> =
        outcomes.iter().map(|outcome| outcome.throttled as f64 / outcome.allowed).collect();
    shares.sort_by(f64::total_cmp);
    shares
}

#[test]
#[ignore = "a report, which takes a minute in a release build"]
fn report() {
    let mut report = format!(
        "{:30} {:6} {:>5}  {:>6} {:>6} {:>6}  throttled/allowed: median, 90%, worst\n",
        "limit", "spread", "goal", "median", "90%", "worst"
    );
    for (row, goal) in ROWS {
        for spread in [0.0, 0.6] {
            let outcomes = outcomes(row, spread, 100);
            let shares = share_throttled(&outcomes);
            let goal = if spread > 0.0 { goal + 0.05 } else { goal };
            let [median, most, worst] = [50, 90, 99].map(|at| outcomes[at].time);
            let [half, nine, all] = [50, 90, 99].map(|at| shares[at]);
            writeln!(
                report,
                "{row:30} {spread:6} {goal:5.2}  {median:6.3} {most:6.3} {worst:6.3}  {half:6.2} {nine:6.2} {all:6.2}"
            )
            .unwrap();
        }
    }
    eprint!("{report}");
}

/// Deterministic: the limits, the latencies and the clock are simulated.
#[test]
fn a_limit_of_each_kind_is_sustained() {
    for (row, goal) in ROWS {
        let outcomes = outcomes(row, 0.0, 9);
        let (median, shares) = (outcomes[4].time, share_throttled(&outcomes));
        assert!(median <= goal + 0.25, "{row}: {median}");
        assert!(shares[4] <= 2.5, "{row}: {shares:?}");
    }
}

#[test]
fn without_a_limit_no_call_is_throttled_and_the_concurrency_is_used() {
    for outcome in outcomes("no limit, 128 at once", 0.0, 5) {
        assert_eq!(outcome.throttled, 0);
        assert!(outcome.time < 1.25, "{}", outcome.time);
    }
}

/// The outcome of 200 writes at 15 calls per second with a remembered rate.
fn remembering(remembered: Option<f64>) -> Outcome {
    let throttle = of_action(limit(15.0, "per-second@0.3", Some(25.0)));
    let ideal = greedy(&throttle, 200);
    let name = format!("{remembered:?}");
    let (calls, in_flight, latency, spread) = (200, 64, 0.08, 0.0);
    let case = Case { name, throttle, calls, ideal, in_flight, latency, spread, remembered };
    simulate(&case, &mut fastrand::Rng::with_seed(1))
}

#[test]
fn a_remembered_rate_saves_throttled_calls_and_a_wrong_one_costs_little() {
    let first = remembering(None);
    let second = remembering(Some(15.0));
    assert!(3 * second.throttled <= first.throttled, "{} {}", second.throttled, first.throttled);
    for (wrong, time) in [(1.0, 3.0), (5.0, 2.5), (50.0, 1.4), (500.0, 1.4)] {
        let outcome = remembering(Some(wrong));
        assert!(outcome.time < time, "{wrong}: {}", outcome.time);
        assert!(outcome.throttled <= 40, "{wrong}: {}", outcome.throttled);
    }
}
