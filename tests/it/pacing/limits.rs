//! Limits of each kind, drawn at random.

use std::time::Duration;

use iam_boundaries::sandbox::Throttle;

use super::simulator::{Case, greedy, limit, of_action};

/// A kind of limit. The goals are those for the median.
pub struct Kind {
    pub name: &'static str,
    /// The goal for the time, as a multiple of the ideal time with a constant latency.
    pub time: f64,
    /// The share of the calls that may be throttled; 12 always may.
    pub throttled: f64,
}

const fn kind(name: &'static str, time: f64, throttled: f64) -> Kind {
    Kind { name, time, throttled }
}

pub const KINDS: [Kind; 16] = [
    kind("per second", 1.05, 0.03),
    kind("per second, burst below rate", 1.08, 0.03),
    kind("two buckets", 1.05, 0.03),
    kind("continuous", 1.03, 0.03),
    kind("one token", 1.10, 0.03),
    kind("window of 1 s", 1.10, 0.03),
    kind("sliding window of 1 s", 1.10, 0.03),
    kind("window of 5 s", 1.25, 0.05),
    kind("halves", 1.10, 0.03),
    kind("doubles", 1.10, 0.03),
    kind("competitor", 1.10, 0.03),
    kind("no limit, 32 in flight", 1.10, 0.0),
    kind("no limit, 64 in flight", 1.10, 0.0),
    kind("no limit, 128 in flight", 1.10, 0.0),
    kind("all throttled for 10 s", 1.15, 0.03),
    kind("3% throttled at random", 1.20, 0.06),
];

/// A limit of a kind, drawn at random, for about `seconds` seconds.
pub fn draw(kind: &str, spread: f64, random: &mut fastrand::Rng) -> Case {
    let mut between = |low: f64, high: f64| low * (high / low).powf(random.f64());
    let (latency, seconds) = (between(0.02, 0.2), between(20.0, 40.0));
    let per_second = between(5.0, if kind == "one token" { 50.0 } else { 200.0 }).round();
    let phase = between(0.05, 0.95);
    let second = format!("per-second@{phase:.2}");
    let burst = (per_second * between(1.0, 4.0)).round();
    let middle = Duration::from_secs_f64(seconds / 2.0);
    let mut per_second_bucket = limit(per_second, &second, Some(burst));
    let mut accepted = per_second * seconds + burst;
    let (mut in_flight, mut share) = (64, 0.0);
    let throttle = match kind {
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
            let factor = if kind == "halves" { 0.5 } else { 2.0 };
            accepted = per_second * seconds * (1.0 + factor) / 2.0 + burst;
            let change = format!("{}@{}", per_second * factor, middle.as_secs_f64());
            per_second_bucket.changes = vec![change.parse().unwrap()];
            if factor > 1.0 {
                per_second_bucket.model = second.parse().unwrap();
            }
            of_action(per_second_bucket)
        }
        "competitor" => {
            let competitor = format!("{}@{}", per_second / 2.0, middle.as_secs_f64());
            per_second_bucket.competitor = Some(competitor.parse().unwrap());
            accepted = per_second * seconds * 0.75 + burst;
            of_action(per_second_bucket)
        }
        "all throttled for 10 s" => {
            let span = format!("{}..{}", middle.as_secs_f64(), middle.as_secs_f64() + 10.0);
            per_second_bucket.throttle_all = vec![span.parse().unwrap()];
            of_action(per_second_bucket)
        }
        "no limit, 32 in flight" => {
            (in_flight, accepted) = (32, 5_000.0);
            Throttle::default()
        }
        "no limit, 64 in flight" => {
            accepted = 5_000.0;
            Throttle::default()
        }
        "no limit, 128 in flight" => {
            (in_flight, accepted) = (128, 5_000.0);
            Throttle::default()
        }
        "3% throttled at random" => {
            share = 0.03;
            of_action(per_second_bucket)
        }
        _ => of_action(per_second_bucket),
    };
    let calls = accepted as usize;
    let ideal = if kind.starts_with("no limit") {
        accepted * latency * (spread * spread / 2.0).exp() / in_flight as f64
    } else if kind == "competitor" {
        // A client that takes every token before the other one does would be faster.
        seconds
    } else {
        greedy(&throttle, calls).max(1.0)
    };
    let name = format!("{kind}: {per_second}/s, burst {burst}, {:.0} ms", latency * 1_000.0);
    let case = Case::new(name, throttle, calls, ideal, latency);
    Case { in_flight, spread, random: share, ..case }
}
