//! The rate limiter against simulated limits, in virtual time: a minute of calls takes milliseconds.
//!
//!     cargo test --release --test it pacing::report -- --ignored --nocapture
//!
//! prints the median and the worst of limits that are drawn at random.

mod limits;
mod simulator;

use std::fmt::Write;

use limits::{KINDS, Kind, draw};
use simulator::{Case, Outcome, greedy, limit, of_action, simulate};

/// The outcomes of `count` limits of a kind.
fn outcomes(kind: &Kind, spread: f64, count: u64) -> Vec<Outcome> {
    let draw = |seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let case = draw(kind.name, spread, &mut random);
        simulate(&case, &mut random)
    };
    (0..count).map(draw).collect()
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn times(outcomes: &[Outcome]) -> Vec<f64> {
    sorted(outcomes.iter().map(|it| it.time).collect())
}

fn throttled(kind: &Kind, outcomes: &[Outcome]) -> Vec<f64> {
    sorted(outcomes.iter().map(|it| it.throttled_of_allowed(kind.throttled)).collect())
}

#[test]
#[ignore = "a report, which takes a minute in a release build"]
fn report() {
    let mut report = format!(
        "{:30} {:6} {:>5}  {:>6} {:>6} {:>6}  throttled/allowed: median, 90%, worst\n",
        "limit", "spread", "goal", "median", "90%", "worst"
    );
    let (mut runs, mut slow, mut throttled_often) = (0, 0, 0);
    for kind in &KINDS {
        for spread in [0.0, 0.6] {
            let outcomes = outcomes(kind, spread, 100);
            let (times, shares) = (times(&outcomes), throttled(kind, &outcomes));
            let goal = if spread > 0.0 { kind.time + 0.05 } else { kind.time };
            let [median, most, worst] = [50, 90, 99].map(|at| times[at]);
            let [half, nine, all] = [50, 90, 99].map(|at| shares[at]);
            runs += 100;
            slow += times.iter().filter(|time| **time > goal).count();
            throttled_often += shares.iter().filter(|share| **share > 1.0).count();
            writeln!(
                report,
                "{:30} {spread:6} {goal:5.2}  {median:6.3} {most:6.3} {worst:6.3}  {half:6.2} {nine:6.2} {all:6.2}",
                kind.name
            )
            .unwrap();
        }
    }
    eprint!("{report}of {runs} runs, {slow} miss the goal for the time, and {throttled_often} that for throttled calls\n");
}
