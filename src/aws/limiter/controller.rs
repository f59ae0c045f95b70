//! The controller decides when the next call may be sent. It measures the rate that IAM sustains while the
//! calls are made.
//!
//! IAM throttles with token buckets. AWS does not publish their sizes and refill rates, and every other tool
//! in the account takes tokens from the same buckets. The controller therefore starts slowly and increases the
//! rate until IAM throttles a call. The responses up to then determine the bucket quite precisely (see
//! [`FittedBucket`]). From then on, calls are sent at the refill rate of the bucket. The rate increases slowly
//! with time, so a limit that was raised is noticed. Each further throttled call makes the estimate more precise
//! or shows that the limit has changed.
//!
//! The controller is pure: it receives the time as an argument and never waits, so a test can simulate minutes
//! of calls in milliseconds.

use std::time::{Duration, Instant};

use super::history::History;
use super::max_rate::MaxRate;
use super::token_bucket::FittedBucket;
use crate::iam::Rate;

/// Decides when calls of one action may be sent to one account.
///
/// All times are in seconds since the first decision, and all rates in calls per second.
#[derive(Debug, Clone)]
pub struct Controller {
    options: LimiterOptions,
    started: Option<Instant>,
    phase: Phase,
    /// The rate; while holding, the rate at the start of the hold.
    rate: f64,
    /// The time at which the next call is due.
    due: f64,
    last_sent: f64,
    in_flight: usize,
    /// The smoothed latency of accepted calls.
    latency: Option<f64>,
    accepted: f64,
    /// The time of the last change of the rate. Responses to calls sent before it say nothing about the present
    /// rate.
    decided: f64,
    /// The time at which the last throttled call was sent.
    throttled_at: f64,
    /// The number of accepted calls that were sent after `throttled_at`.
    accepted_since: f64,
    history: History,
    bucket: Option<FittedBucket>,
    /// The capacity of the bucket, as far as it is known.
    burst: Option<f64>,
    /// The share by which calls to a bucket of one token stay below its refill rate, so that jitter does not
    /// make them early.
    slack: f64,
}

/// Options of the rate limiter for one action.
#[derive(Debug, Clone, Copy)]
pub struct LimiterOptions {
    /// The maximum number of requests in flight; 0 counts as 1.
    pub max_in_flight: usize,
    /// The approximate number of calls to come. The more there are, the more throttled calls the search for
    /// the limit may cost.
    pub expected_calls: usize,
}

/// Whether a call may be sent.
#[derive(Debug, Clone, Copy)]
pub enum Decision {
    /// The call may be sent now. The ticket identifies it when the response arrives.
    Now(Ticket),
    /// No call may be sent before this time.
    At(Instant),
    /// No call may be sent before another response arrives.
    AfterResponse,
}

/// A request in flight.
#[derive(Debug, Clone, Copy)]
#[must_use = "the controller counts the call as in flight until its response arrives"]
pub struct Ticket {
    sent: f64,
}

/// How a call ended, as far as the rate limiter is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// IAM did not throttle the call, whether or not it succeeded.
    Accepted,
    /// IAM throttled the call.
    Throttled,
    /// No response arrived: whether the call was accepted is unknown.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// No call was throttled yet. The rate grows.
    Probing,
    /// The first call was throttled. Few new calls are sent until the requests in flight have responses.
    Draining { left: usize },
    /// The bucket is approximately known.
    Holding {
        /// The start of the hold.
        since: f64,
        /// The time in which the rate doubles, slowly at first, if no call is throttled.
        growth_time: f64,
        /// More calls were accepted than the bucket explains: the limit was raised.
        outgrown: bool,
    },
}

/// The maximum number of requests in flight before the first response tells the latency.
const AT_FIRST: f64 = 4.0;
/// The rate before the first response, in calls per second.
const FIRST_RATE: f64 = 33.0;
/// While probing, the rate grows by this factor in each round trip, but at most once in [`SHORTEST_ROUND`].
const GROWTH: f64 = 3.0;
/// In seconds.
const SHORTEST_ROUND: f64 = 0.1;
/// When the bucket is empty, all requests in flight may be throttled. While probing, the number of requests in flight
/// is limited to this share of the expected calls…
const RISK_OF_CALLS: f64 = 0.013;
/// …but not to fewer than this number…
const LEAST_RISK: f64 = 4.0;
/// …plus this share of the calls that were accepted.
const RISK_OF_ACCEPTED: f64 = 0.01;
/// The part of [`RISK_OF_CALLS`] that may be in flight as soon as the latency is known.
const RISK_AT_FIRST: f64 = 0.25;
/// A bucket larger than this number of tokens is unlikely. After this number of accepted calls, the share
/// [`RISK_ABOVE`] of the further accepted calls may additionally be in flight.
const LARGE_BURST: f64 = 600.0;
const RISK_ABOVE: f64 = 0.3;
/// The share of the expected calls that may additionally be in flight while draining.
const RISK_WHILE_DRAINING: f64 = 0.005;
/// The number of tokens to keep in the bucket after it was empty, against jitter.
const MARGIN: f64 = 2.0;
/// The longest growth time, in seconds.
const LONGEST_GROWTH_TIME: f64 = 12.0;
/// The longest growth time for a bucket of one token: each attempt at a higher rate costs a throttled call.
const LONGEST_GROWTH_TIME_OF_ONE: f64 = 20.0;
/// An estimate is vague if the highest and the lowest rate that explain the responses differ by more than this
/// factor. The controller then continues at the highest rate divided by it.
const WIDE: f64 = 2.5;
/// The lowest rate, in calls per second, while every call is throttled: all limits of IAM are higher.
const SLOWEST_SEARCH: f64 = 0.5;
/// The longest wait before the next call, in seconds: a limit that was lowered may be raised again.
const LONGEST_WAIT: f64 = 10.0;
/// The growth time increases by this factor with each throttled call that the fitted bucket explains.
const GROWTH_TIME_FACTOR: f64 = 1.7;
/// An estimate is certain if the rates that explain the responses differ by at most this factor.
const CERTAIN: f64 = 1.25;
/// A new estimate below this share of the last rate means that the limit was lowered.
const FALLEN: f64 = 0.8;
/// A new estimate from accepted calls only is used if it exceeds this multiple of the present rate.
const WORTH_GOING_TO: f64 = 1.25;
/// A bucket is outgrown if the accepted calls exceed the refilled tokens by this number of tokens and by
/// [`OUTGROWN_SHARE`]: the estimate of its rate is not exact.
const OUTGROWN_BY: f64 = 3.0;
const OUTGROWN_SHARE: f64 = 1.02;
/// The shortest wait after a throttled call, as a share of the time in which one token is refilled.
const AFTER_THROTTLED: f64 = 0.15;
/// The slack grows with each call that is throttled at the bucket's refill rate, and shrinks with each accepted
/// call, so that about one call in a hundred is throttled.
const LEAST_SLACK: f64 = 0.004;
const MOST_SLACK: f64 = 0.5;
/// A call that is late by at most this number of seconds does not delay the next ones: timers are not exact.
const CATCH_UP: f64 = 0.003;

impl Controller {
    /// A controller before the first call.
    pub fn new(options: LimiterOptions) -> Self {
        Controller {
            options,
            started: None,
            phase: Phase::Probing,
            rate: FIRST_RATE,
            due: 0.0,
            last_sent: 0.0,
            in_flight: 0,
            latency: None,
            accepted: 0.0,
            decided: -1.0,
            throttled_at: 0.0,
            accepted_since: 0.0,
            history: History::default(),
            bucket: None,
            burst: None,
            slack: 0.01,
        }
    }

    /// The rate that IAM sustains; `None` if it has not throttled a call yet.
    pub fn measured_rate(&self) -> Option<Rate> {
        self.bucket.map(|_| Rate::nearest(self.rate))
    }

    /// Decides whether a call may be sent at `now`, within `max_rate`. [`Decision::Now`] counts the call as
    /// sent.
    pub fn decide(&mut self, now: Instant, max_rate: &mut MaxRate) -> Decision {
        let time = self.seconds(now);
        if self.in_flight >= self.most_in_flight(time) {
            return Decision::AfterResponse;
        }
        // A microsecond covers rounding errors.
        let wait = Duration::from_secs_f64((self.due - time - 1e-6).max(0.0));
        let at = (now + wait).max(max_rate.next(now));
        if at > now {
            return Decision::At(at);
        }
        max_rate.take(now);
        self.in_flight += 1;
        self.last_sent = time;
        let catch_up = if self.has_one_token() { 0.0 } else { CATCH_UP };
        self.due = self.due.max(time - catch_up) + 1.0 / self.rate_at(time);
        Decision::Now(Ticket { sent: time })
    }

    /// Records the response to a call. It may change the next [`Controller::decide`].
    pub fn on_response(&mut self, ticket: Ticket, now: Instant, response: Response) {
        let time = self.seconds(now);
        self.in_flight = self.in_flight.saturating_sub(1);
        if response != Response::Lost {
            self.history.add(ticket.sent, response == Response::Accepted);
        }
        if ticket.sent <= self.decided
            && let Phase::Draining { left } = &mut self.phase
        {
            *left = left.saturating_sub(1);
        }
        match response {
            Response::Accepted => self.on_accepted(ticket, time),
            Response::Throttled => self.on_throttled(ticket, time),
            Response::Lost => {}
        }
        // The response to a call sent since then most likely arrives after all the others.
        if let Phase::Draining { left } = self.phase
            && (left == 0 || ticket.sent > self.decided)
        {
            self.fit(time, true);
        }
    }

    fn on_accepted(&mut self, ticket: Ticket, time: f64) {
        let took = time - ticket.sent;
        let latency = match self.latency {
            Some(known) => known + (took - known) / 8.0,
            None => {
                // The more calls there are, the faster the start may be.
                let calls = self.options.expected_calls as f64;
                self.rate = self.rate.max(RISK_AT_FIRST * RISK_OF_CALLS * calls / took.max(1e-3));
                took
            }
        };
        self.latency = Some(latency);
        self.accepted += 1.0;
        if ticket.sent > self.throttled_at {
            self.accepted_since += 1.0;
        }
        match self.phase {
            Phase::Probing => self.grow(latency, time),
            Phase::Draining { .. } => {}
            Phase::Holding { since, outgrown, .. } => {
                self.slack = (self.slack * 0.997 - 0.5e-4).max(LEAST_SLACK);
                let is_unclear = self.bucket.is_some_and(|bucket| bucket.spread() > 1.5);
                if !outgrown && time > since && self.is_outgrown(ticket) {
                    self.rate = self.rate_at(time);
                    let growth_time = self.shortest_growth_time(true);
                    self.phase = Phase::Holding { since: time, growth_time, outgrown: true };
                } else if self.has_one_token() && is_unclear && ticket.sent > self.decided {
                    // With a bucket of one token, an accepted call is as informative as a throttled one.
                    self.fit(time, false);
                }
            }
        }
    }

    /// Increases the rate while probing, up to the risk that is allowed.
    fn grow(&mut self, latency: f64, time: f64) {
        let most = self.most_in_flight(time) as f64 / latency;
        if self.rate < most {
            let calls_a_round = (self.rate * latency.max(SHORTEST_ROUND)).max(1.0);
            self.rate = (self.rate * GROWTH.powf(1.0 / calls_a_round)).min(most);
            self.due = self.due.min(self.last_sent + 1.0 / self.rate);
        }
    }

    /// Whether more calls were accepted since the bucket was empty than it can have refilled.
    fn is_outgrown(&self, ticket: Ticket) -> bool {
        let refilled = self.rate * (ticket.sent - self.throttled_at);
        self.accepted_since > refilled * OUTGROWN_SHARE + self.margin() + OUTGROWN_BY
    }

    fn on_throttled(&mut self, ticket: Ticket, time: f64) {
        if ticket.sent > self.throttled_at {
            self.throttled_at = ticket.sent;
            self.accepted_since = 0.0;
        }
        if ticket.sent <= self.decided {
            return;
        }
        match self.phase {
            Phase::Probing => {
                self.phase = Phase::Draining { left: self.in_flight };
                let latency = self.latency_or_guess().max(SHORTEST_ROUND);
                self.rate = (self.rate / 2.0).min(self.risk_while_draining() / latency);
                self.due = self.last_sent + 1.0 / self.rate;
            }
            Phase::Draining { .. } => {}
            Phase::Holding { since, growth_time, .. } => {
                let is_clear = self.bucket.is_some_and(|bucket| bucket.spread() < 1.3);
                // Throttled at the refill rate itself, not at an increased rate.
                if self.has_one_token() && is_clear && ticket.sent - since < 0.3 * growth_time {
                    self.slack = (self.slack * 1.3 + 0.004).min(MOST_SLACK);
                }
                self.fit(time, true);
            }
        }
        self.decided = time;
    }

    /// Continues at the rate of the bucket that explains the responses best.
    fn fit(&mut self, time: f64, after_throttled: bool) {
        let Some(bucket) = FittedBucket::fit(&mut self.history, self.burst) else {
            return self.back_off(time);
        };
        // Otherwise the present growth of the rate is faster.
        if !after_throttled && bucket.rate < WORTH_GOING_TO * self.rate_at(time) {
            return;
        }
        self.decided = time;
        let before = self.rate;
        self.bucket = Some(bucket);
        self.burst = bucket.burst.or(self.burst);
        let spread = bucket.spread();
        let is_vague = if self.has_one_token() { spread > 4.0 } else { spread > WIDE };
        self.rate = if is_vague { bucket.most / WIDE } else { bucket.rate };
        if self.accepted_since < 1.0 {
            self.rate = self.rate.max(SLOWEST_SEARCH);
        }
        let shortest = self.shortest_growth_time(is_vague);
        let growth_time = match self.phase {
            Phase::Holding { growth_time, outgrown: false, .. }
                if spread <= CERTAIN && bucket.rate >= FALLEN * before =>
            {
                let longest = if self.has_one_token() {
                    LONGEST_GROWTH_TIME_OF_ONE
                } else {
                    LONGEST_GROWTH_TIME
                };
                (growth_time * GROWTH_TIME_FACTOR).min(longest).max(shortest)
            }
            _ => shortest,
        };

        // The requests in flight take their tokens before the margin is refilled.
        let calls_in_flight = (self.in_flight as f64).min(bucket.rate * self.latency_or_guess());
        let full = bucket.at + (1.0 + self.margin() + calls_in_flight - bucket.level) / self.rate;
        let earliest = if !after_throttled {
            self.due.min(self.last_sent + 1.0 / self.base_rate())
        } else if self.has_one_token() && self.in_flight > 0 {
            self.last_sent + 1.0 / self.base_rate()
        } else {
            time + AFTER_THROTTLED / self.rate
        };
        self.due = full.max(earliest).min(time + LONGEST_WAIT);
        self.phase = Phase::Holding { since: self.due, growth_time, outgrown: false };
    }

    /// Halves the rate while the history is too short to fit a bucket.
    fn back_off(&mut self, time: f64) {
        self.decided = time;
        self.rate = (self.rate / 2.0).max(SLOWEST_SEARCH);
        self.due = time + 1.0 / self.rate;
        self.phase = Phase::Holding {
            since: self.due,
            growth_time: self.shortest_growth_time(true),
            outgrown: false,
        };
    }

    /// The growth time at the start of a hold. It spans several calls, and it is long enough that only few of
    /// the requests in flight are throttled when the rate exceeds the limit.
    fn shortest_growth_time(&self, is_vague: bool) -> f64 {
        let latency = self.latency_or_guess();
        let overshoot = (self.rate * latency / 2.0).cbrt().max(1.0);
        let calls = if is_vague { 1.5 } else { 10.0 };
        (calls / self.rate).max(6.0 * latency * overshoot).max(0.8)
    }

    /// The latency in seconds; a guess before the first accepted call.
    fn latency_or_guess(&self) -> f64 {
        self.latency.unwrap_or(0.1)
    }

    /// Whether the bucket has a capacity of one token, so that calls must be neither early nor late.
    fn has_one_token(&self) -> bool {
        self.margin() < 1.0
    }

    /// The number of tokens to keep in the bucket; 0 in a bucket of one token.
    fn margin(&self) -> f64 {
        self.burst.map_or(MARGIN, |burst| (burst - 1.0).clamp(0.0, MARGIN).floor())
    }

    fn rate_at(&self, time: f64) -> f64 {
        match self.phase {
            Phase::Probing | Phase::Draining { .. } => self.rate,
            Phase::Holding { since, growth_time, .. } => {
                let grown = 1.0 + ((time - since) / growth_time).max(0.0).powi(3);
                self.base_rate() * grown
            }
        }
    }

    /// The rate at the start of a hold.
    fn base_rate(&self) -> f64 {
        let slack = if self.has_one_token() { self.slack } else { 0.0 };
        self.rate * (1.0 - slack)
    }

    fn most_in_flight(&self, time: f64) -> usize {
        let calls = self.options.expected_calls as f64;
        let most = match self.phase {
            Phase::Probing if self.latency.is_none() => AT_FIRST,
            Phase::Probing => {
                (RISK_OF_CALLS * calls).max(LEAST_RISK)
                    + RISK_OF_ACCEPTED * self.accepted
                    + RISK_ABOVE * (self.accepted - LARGE_BURST).max(0.0)
            }
            Phase::Draining { left } => left as f64 + self.risk_while_draining(),
            // Twice the product of rate and latency: the latency varies.
            Phase::Holding { .. } => 2.0 * self.rate_at(time) * self.latency_or_guess() + 4.0,
        };
        (most as usize).clamp(1, self.options.max_in_flight.max(1))
    }

    fn risk_while_draining(&self) -> f64 {
        (RISK_WHILE_DRAINING * self.options.expected_calls as f64).max(1.0)
    }

    fn seconds(&mut self, now: Instant) -> f64 {
        let started = *self.started.get_or_insert(now);
        now.saturating_duration_since(started).as_secs_f64()
    }
}
