//! When the next call may go out: at the pace that IAM bears, which is found out while calls are made.
//!
//! IAM throttles by token buckets whose sizes and refill rates AWS does not publish, and other tools in
//! the account drink from them too. So the pace begins gently and grows until IAM throttles a call. The
//! answers so far then tell, rather exactly, which bucket gave them ([`bucket`]). From there on calls go
//! out at the bucket's own rate, a little faster as time passes, so that a limit that rose is noticed;
//! each further throttled call makes the bucket better known, or shows that it has changed.
//!
//! Everything here is pure: it is told the time and never waits, so that a test can drive it.

mod bucket;
mod ceiling;
mod record;

pub use ceiling::Ceiling;

use std::time::{Duration, Instant};

use bucket::Bucket;
use record::Record;

use crate::iam::Rate;

/// The pace of one kind of call to one account.
#[derive(Debug, Clone)]
pub struct Pace {
    bounds: Bounds,
    begun: Option<Instant>,
    phase: Phase,
    /// Calls a second; while holding, what it is at the beginning of the hold.
    rate: f64,
    /// When the next call is due.
    due: f64,
    last_sent: f64,
    in_flight: usize,
    /// Smoothed, of accepted calls.
    latency: Option<f64>,
    accepted: f64,
    /// Answers to calls sent before this are about an older pace.
    decided: f64,
    /// The last throttled call, and the calls sent since then that were accepted.
    throttled_at: f64,
    accepted_since: f64,
    record: Record,
    bucket: Option<Bucket>,
    /// How much the bucket holds, as far as it is known.
    burst: Option<f64>,
    /// By what share a bucket of one token is approached less fast than it fills: its calls must not
    /// come early by any jitter.
    slack: f64,
}

/// What a pace keeps to, whatever IAM would bear.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// At most this many calls without an answer at once.
    pub in_flight: usize,
    /// How many calls there will be, about: the more, the more throttled ones the search may cost.
    pub calls: usize,
}

/// Whether a call may go out.
#[derive(Debug, Clone, Copy)]
pub enum Turn {
    /// Now. The ticket is given back with the answer.
    Now(Ticket),
    /// Not before this time.
    At(Instant),
    /// Not before another call is answered.
    AfterAnswer,
}

/// A call that went out.
#[derive(Debug, Clone, Copy)]
#[must_use = "the pace counts the call as under way until it is answered"]
pub struct Ticket {
    sent: f64,
}

/// How a call ended, as far as the pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// IAM took the call, whatever came of it.
    Accepted,
    /// IAM threw it back.
    Throttled,
    /// No answer came: it is not known which.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Nothing was throttled yet: faster and faster.
    Probing,
    /// Something was, for the first time. Few new calls, until those under way are answered.
    Draining { left: usize },
    /// The bucket is known, more or less.
    Holding {
        /// When it began.
        since: f64,
        /// In this time, without a throttled call, the rate doubles: slowly at first.
        patience: f64,
        /// More was accepted than the bucket explains: the limit has risen.
        outgrown: bool,
    },
}

/// Calls under way at once, before the first answer has told the latency.
const AT_FIRST: f64 = 4.0;
/// Calls a second, before the first answer.
const FIRST_RATE: f64 = 33.0;
/// While probing, the rate grows by this factor each round trip, or each [`SHORTEST_ROUND`] seconds.
const GROWTH: f64 = 3.0;
const SHORTEST_ROUND: f64 = 0.1;
/// When the bucket runs out, the calls under way may be throttled all. This share of the calls to come
/// may be risked so, and at least this many; and some of what has already gone well.
const RISK_OF_CALLS: f64 = 0.013;
const LEAST_RISK: f64 = 4.0;
/// The share of it that may be under way as soon as the latency is known.
const RISK_AT_FIRST: f64 = 0.25;
const RISK_OF_ACCEPTED: f64 = 0.01;
/// No bucket as large as that is likely to run out: from here on, more is risked.
const LARGE_BURST: f64 = 600.0;
const RISK_ABOVE: f64 = 0.3;
/// While draining, this share of the calls to come may be risked besides.
const RISK_WHILE_DRAINING: f64 = 0.005;
/// Tokens that are left in the bucket after it was found empty, against jitter.
const MARGIN: f64 = 2.0;
/// The longest patience, in seconds; and for a bucket of one token, of which each try costs one.
const LONGEST_PATIENCE: f64 = 12.0;
const LONGEST_PATIENCE_OF_ONE: f64 = 20.0;
/// Where the rates that explain the answers are so far apart, the highest is divided by that to go on.
const WIDE: f64 = 2.5;
/// Calls a second, at least, while one after another is throttled: IAM's limits are all higher.
const SLOWEST_SEARCH: f64 = 0.5;
/// Seconds, at most, until another call is tried: a limit that was low may be so no more.
const LONGEST_WAIT: f64 = 10.0;
/// The patience grows by this factor with each throttled call that the bucket's own rate explains.
const PATIENCE_GROWTH: f64 = 1.7;
/// A bucket is known when the rates that explain the answers are no further apart.
const CERTAIN: f64 = 1.25;
/// A rate that comes out lower than this share of the last one has fallen; one that comes out higher than
/// this multiple, by accepted calls alone, is gone to.
const FALLEN: f64 = 0.8;
const WORTH_GOING_TO: f64 = 1.25;
/// Tokens, and a share of those that were refilled, by which more must have been accepted than the bucket
/// explains before it counts as outgrown: its rate is known only so well.
const OUTGROWN_BY: f64 = 3.0;
const OUTGROWN_SHARE: f64 = 1.02;
/// After a throttled call the next one waits at least this share of a token's time.
const AFTER_THROTTLED: f64 = 0.15;
/// Slack grows with each throttled call at the bucket's own rate, and shrinks with each accepted one, so
/// that about one call in a hundred is throttled.
const LEAST_SLACK: f64 = 0.004;
const MOST_SLACK: f64 = 0.5;
/// Late calls are made up for, if they are late by no more seconds: timers are not exact.
const CATCH_UP: f64 = 0.003;

impl Pace {
    /// A pace for calls that are all still to come.
    pub fn new(bounds: Bounds) -> Self {
        Pace {
            bounds,
            begun: None,
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
            record: Record::default(),
            bucket: None,
            burst: None,
            slack: 0.01,
        }
    }

    /// The rate that IAM was found to bear; none while it has not throttled anything.
    pub fn found(&self) -> Option<Rate> {
        self.bucket.map(|_| Rate::nearest(self.rate))
    }

    /// Says whether a call may go out, below `ceiling`. [`Turn::Now`] counts it as sent.
    pub fn turn(&mut self, now: Instant, ceiling: &mut Ceiling) -> Turn {
        let time = self.seconds(now);
        if self.in_flight >= self.most_in_flight(time) {
            return Turn::AfterAnswer;
        }
        // Less than a microsecond is lost in the arithmetic.
        let wait = Duration::from_secs_f64((self.due - time - 1e-6).max(0.0));
        let at = (now + wait).max(ceiling.next(now));
        if at > now {
            return Turn::At(at);
        }
        ceiling.take(now);
        self.in_flight += 1;
        self.last_sent = time;
        let catch_up = if self.has_one_token() { 0.0 } else { CATCH_UP };
        self.due = self.due.max(time - catch_up) + 1.0 / self.rate_at(time);
        Turn::Now(Ticket { sent: time })
    }

    /// Takes the answer to a call. [`Pace::turn`] may say something else from now on.
    pub fn answered(&mut self, ticket: Ticket, now: Instant, answer: Answer) {
        let time = self.seconds(now);
        self.in_flight = self.in_flight.saturating_sub(1);
        if answer != Answer::Lost {
            self.record.add(ticket.sent, answer == Answer::Accepted);
        }
        if ticket.sent <= self.decided
            && let Phase::Draining { left } = &mut self.phase
        {
            *left = left.saturating_sub(1);
        }
        match answer {
            Answer::Accepted => self.accepted(ticket, time),
            Answer::Throttled => self.throttled(ticket, time),
            Answer::Lost => {}
        }
        // An answer to a call sent since then comes after those of all the others, most likely.
        if let Phase::Draining { left } = self.phase
            && (left == 0 || ticket.sent > self.decided)
        {
            self.learn(time, true);
        }
    }

    fn accepted(&mut self, ticket: Ticket, time: f64) {
        let took = time - ticket.sent;
        let latency = match self.latency {
            Some(known) => known + (took - known) / 8.0,
            None => {
                // The more there is to do, the faster it may begin.
                let calls = self.bounds.calls as f64;
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
                    let patience = self.shortest_patience(true);
                    self.phase = Phase::Holding { since: time, patience, outgrown: true };
                } else if self.has_one_token() && is_unclear && ticket.sent > self.decided {
                    // With one token at a time, an accepted call tells as much as a throttled one.
                    self.learn(time, false);
                }
            }
        }
    }

    /// While probing: faster, up to what may be risked.
    fn grow(&mut self, latency: f64, time: f64) {
        let most = self.most_in_flight(time) as f64 / latency;
        if self.rate < most {
            let calls_a_round = (self.rate * latency.max(SHORTEST_ROUND)).max(1.0);
            self.rate = (self.rate * GROWTH.powf(1.0 / calls_a_round)).min(most);
            self.due = self.due.min(self.last_sent + 1.0 / self.rate);
        }
    }

    /// Whether more was accepted since the bucket was empty than it can have got.
    fn is_outgrown(&self, ticket: Ticket) -> bool {
        let refilled = self.rate * (ticket.sent - self.throttled_at);
        self.accepted_since > refilled * OUTGROWN_SHARE + self.margin() + OUTGROWN_BY
    }

    fn throttled(&mut self, ticket: Ticket, time: f64) {
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
            Phase::Holding { since, patience, .. } => {
                let is_clear = self.bucket.is_some_and(|bucket| bucket.spread() < 1.3);
                // Throttled at the bucket's own rate, not at one that tried for more.
                if self.has_one_token() && is_clear && ticket.sent - since < 0.3 * patience {
                    self.slack = (self.slack * 1.3 + 0.004).min(MOST_SLACK);
                }
                self.learn(time, true);
            }
        }
        self.decided = time;
    }

    /// Goes on at the rate of the bucket that explains the answers best.
    fn learn(&mut self, time: f64, after_throttled: bool) {
        let Some(bucket) = Bucket::explaining(&mut self.record, self.burst) else {
            return self.back_off(time);
        };
        // Otherwise the growth that is under way does more.
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
        let shortest = self.shortest_patience(is_vague);
        let patience = match self.phase {
            Phase::Holding { patience, outgrown: false, .. }
                if spread <= CERTAIN && bucket.rate >= FALLEN * before =>
            {
                let longest =
                    if self.has_one_token() { LONGEST_PATIENCE_OF_ONE } else { LONGEST_PATIENCE };
                (patience * PATIENCE_GROWTH).min(longest).max(shortest)
            }
            _ => shortest,
        };

        // Those under way take theirs before the margin has come together.
        let under_way = (self.in_flight as f64).min(bucket.rate * self.latency_or_guess());
        let full = bucket.at + (1.0 + self.margin() + under_way - bucket.level) / self.rate;
        let earliest = if !after_throttled {
            self.due.min(self.last_sent + 1.0 / self.unhurried())
        } else if self.has_one_token() && self.in_flight > 0 {
            self.last_sent + 1.0 / self.unhurried()
        } else {
            time + AFTER_THROTTLED / self.rate
        };
        self.due = full.max(earliest).min(time + LONGEST_WAIT);
        self.phase = Phase::Holding { since: self.due, patience, outgrown: false };
    }

    /// Where nothing can be learned yet, at half the rate.
    fn back_off(&mut self, time: f64) {
        self.decided = time;
        self.rate = (self.rate / 2.0).max(SLOWEST_SEARCH);
        self.due = time + 1.0 / self.rate;
        self.phase = Phase::Holding {
            since: self.due,
            patience: self.shortest_patience(true),
            outgrown: false,
        };
    }

    /// The patience at first: some calls' time; and so long that not too many of the calls under way
    /// are throttled when the rate has grown beyond the limit.
    fn shortest_patience(&self, is_vague: bool) -> f64 {
        let latency = self.latency_or_guess();
        let overshoot = (self.rate * latency / 2.0).cbrt().max(1.0);
        let calls = if is_vague { 1.5 } else { 10.0 };
        (calls / self.rate).max(6.0 * latency * overshoot).max(0.8)
    }

    /// Seconds from a call to its answer; a guess before any was accepted.
    fn latency_or_guess(&self) -> f64 {
        self.latency.unwrap_or(0.1)
    }

    /// Whether the bucket holds a single token, so that calls may come neither early nor late.
    fn has_one_token(&self) -> bool {
        self.margin() < 1.0
    }

    /// The tokens that shall be left in the bucket; none in a bucket of one.
    fn margin(&self) -> f64 {
        self.burst.map_or(MARGIN, |burst| (burst - 1.0).clamp(0.0, MARGIN).floor())
    }

    fn rate_at(&self, time: f64) -> f64 {
        match self.phase {
            Phase::Probing | Phase::Draining { .. } => self.rate,
            Phase::Holding { since, patience, .. } => {
                let grown = 1.0 + ((time - since) / patience).max(0.0).powi(3);
                self.unhurried() * grown
            }
        }
    }

    /// The rate at the beginning of a hold.
    fn unhurried(&self) -> f64 {
        let slack = if self.has_one_token() { self.slack } else { 0.0 };
        self.rate * (1.0 - slack)
    }

    fn most_in_flight(&self, time: f64) -> usize {
        let calls = self.bounds.calls as f64;
        let most = match self.phase {
            Phase::Probing if self.latency.is_none() => AT_FIRST,
            Phase::Probing => {
                (RISK_OF_CALLS * calls).max(LEAST_RISK)
                    + RISK_OF_ACCEPTED * self.accepted
                    + RISK_ABOVE * (self.accepted - LARGE_BURST).max(0.0)
            }
            Phase::Draining { left } => left as f64 + self.risk_while_draining(),
            // Twice what rate and latency ask for: latency varies.
            Phase::Holding { .. } => 2.0 * self.rate_at(time) * self.latency_or_guess() + 4.0,
        };
        (most as usize).clamp(1, self.bounds.in_flight.max(1))
    }

    fn risk_while_draining(&self) -> f64 {
        (RISK_WHILE_DRAINING * self.bounds.calls as f64).max(1.0)
    }

    fn seconds(&mut self, now: Instant) -> f64 {
        let begun = *self.begun.get_or_insert(now);
        now.saturating_duration_since(begun).as_secs_f64()
    }
}
