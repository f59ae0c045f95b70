//! Simulates the calls of a run in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use iam_boundaries::aws::{Controller, Decision, LimiterOptions, MaxRate, Response, Ticket};
use iam_boundaries::iam::Rate;
use iam_boundaries::sandbox::{Burst, LimitModel, RateLimit, Throttle, Throttler};

pub const ACTION: &str = "PutUserPermissionsBoundary";

/// A limit, and the calls that are made against it.
pub struct Case {
    pub name: String,
    pub throttle: Throttle,
    pub calls: usize,
    /// The time of a client that knows the limit, in seconds.
    pub ideal: f64,
    pub in_flight: usize,
    /// The median latency in seconds, and the sigma of its logarithm.
    pub latency: f64,
    pub spread: f64,
    /// The mean of a further, exponential delay of each request on its way to the server, in seconds.
    pub jitter: f64,
    /// How much later each timer is, in seconds, in addition to up to a millisecond.
    pub late: f64,
    /// The share of the calls that are throttled at random.
    pub random: f64,
    pub remembered: Option<f64>,
    pub max_rate: Option<f64>,
}

pub struct Outcome {
    /// As a multiple of the ideal time.
    pub time: f64,
    pub throttled: usize,
    pub most_in_flight: usize,
    /// When the calls were sent, in seconds.
    pub sent: Vec<f64>,
    /// The rate at which the next run starts.
    pub for_next_run: Option<f64>,
}

pub fn rate(per_second: f64) -> Rate {
    Rate::per_second(per_second).unwrap()
}

/// A limit of `per_second` calls. The model is as in `--limit-model`.
pub fn limit(per_second: f64, model: &str, burst: Option<f64>) -> RateLimit {
    let model: LimitModel = model.parse().unwrap();
    let model = match burst {
        Some(burst) => model.with_burst(Burst::of(burst).unwrap()).unwrap(),
        None => model,
    };
    RateLimit::new(rate(per_second), model)
}

pub fn of_action(limit: RateLimit) -> Throttle {
    Throttle { actions: [(ACTION.parse().unwrap(), limit)].into(), ..Throttle::default() }
}

impl Case {
    /// A case with a constant latency and up to 64 requests in flight.
    pub fn new(name: String, throttle: Throttle, calls: usize, ideal: f64, latency: f64) -> Self {
        let (remembered, max_rate, random) = (None, None, 0.0);
        let (in_flight, spread, jitter, late) = (64, 0.0, 0.0, 0.0);
        Case {
            name,
            throttle,
            calls,
            ideal,
            in_flight,
            latency,
            spread,
            jitter,
            late,
            random,
            remembered,
            max_rate,
        }
    }

    /// The ideal time is that of a client that makes each call as soon as the limit accepts it.
    pub fn greedy(name: String, throttle: Throttle, calls: usize, latency: f64) -> Self {
        let ideal = greedy(&throttle, calls);
        Case::new(name, throttle, calls, ideal, latency)
    }

    /// A bucket that is refilled continuously, for 30 seconds.
    pub fn continuous(per_second: f64, burst: f64, latency: f64) -> Self {
        let throttle = of_action(limit(per_second, "continuous", Some(burst)));
        let name = format!("{per_second}/s, burst {burst}, {:.0} ms", latency * 1_000.0);
        Case::new(name, throttle, (per_second * 30.0 + burst) as usize, 30.0, latency)
    }
}

/// The time in which a client makes `calls` calls that tries every 5 milliseconds, in seconds.
pub fn greedy(throttle: &Throttle, calls: usize) -> f64 {
    let (mut throttler, start, mut accepted) =
        (Throttler::new(throttle.clone()), Instant::now(), 0);
    for millis in (0..).step_by(5) {
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

/// Makes the calls of a case, and retries each until it is accepted.
pub fn simulate(case: &Case, random: &mut fastrand::Rng) -> Outcome {
    let options = LimiterOptions { max_in_flight: case.in_flight, expected_calls: case.calls };
    let mut controller = match case.remembered {
        Some(remembered) => Controller::remembering(rate(remembered), options),
        None => Controller::new(options),
    };
    let mut max_rate = MaxRate::new(case.max_rate.map(rate));
    let mut throttler = Throttler::new(case.throttle.clone());
    let (start, mut now) = (Instant::now(), Duration::ZERO);
    let mut messages: BinaryHeap<Message> = BinaryHeap::new();
    let mut requests: Vec<(Ticket, Duration)> = Vec::new();
    let (mut left, mut done, mut in_flight) = (case.calls, 0, 0);
    let mut outcome = Outcome {
        time: 0.0,
        throttled: 0,
        most_in_flight: 0,
        sent: Vec::new(),
        for_next_run: None,
    };
    while done < case.calls {
        let mut wake = None;
        while left > 0 && in_flight < case.in_flight {
            match controller.decide(start + now, &mut max_rate) {
                Decision::Now(ticket) => {
                    let latency = case.latency * (case.spread * normal(random)).exp();
                    let back = Duration::from_secs_f64(latency / 2.0);
                    requests.push((ticket, back));
                    outcome.sent.push(now.as_secs_f64());
                    let mut there = back;
                    if case.jitter > 0.0 {
                        let delay = -case.jitter * (1.0 - random.f64()).ln();
                        there += Duration::from_secs_f64(delay);
                    }
                    messages.push((Reverse(now + there), requests.len() - 1, None));
                    (left, in_flight) = (left - 1, in_flight + 1);
                    outcome.most_in_flight = outcome.most_in_flight.max(in_flight);
                }
                // A timer is late by up to a millisecond.
                Decision::At(at) => {
                    let late = Duration::from_micros(random.u64(1..1_000))
                        + Duration::from_secs_f64(case.late);
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
                let is_accepted =
                    random.f64() >= case.random && throttler.admit("account", ACTION, start + now);
                messages.push((Reverse(now + back), number, Some(is_accepted)));
            }
            Some(is_accepted) => {
                in_flight -= 1;
                if is_accepted {
                    done += 1;
                } else {
                    left += 1;
                    outcome.throttled += 1;
                }
                let response = if is_accepted { Response::Accepted } else { Response::Throttled };
                controller.on_response(ticket, start + now, response);
            }
        }
    }
    outcome.time = now.as_secs_f64() / case.ideal;
    outcome.for_next_run = controller.rate_for_next_run().map(Rate::get);
    outcome
}

impl Outcome {
    /// The throttled calls, as a multiple of those that may be: this share of all calls, or 12.
    pub fn throttled_of_allowed(&self, share: f64) -> f64 {
        self.throttled as f64 / (share * self.sent.len() as f64).max(12.0)
    }
}

/// A sample of the standard normal distribution.
fn normal(random: &mut fastrand::Rng) -> f64 {
    let (one, other) = (random.f64().max(1e-12), random.f64());
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
}
