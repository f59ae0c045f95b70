//! The controller decides when the next call may be sent. It measures the rate that IAM sustains while the
//! calls are made.
//!
//! IAM throttles with token buckets that are refilled once a second, several of them can apply to one API, and every
//! other tool in the account takes tokens from them. AWS does not publish their sizes. The controller increases the
//! rate until a call is throttled, and waits for the next refill. From refill to refill, it counts the accepted
//! calls ([`Refills`]): that is the rate, whatever the limit is. Two hypotheses improve on evenly spaced calls where
//! they explain the responses: [`PerSecond`] and [`Spacing`]. `docs/pacing.md` has the reason and the effect of
//! each constant.
//!
//! The controller is pure: it receives the time as an argument and never waits, so a test can simulate minutes
//! of calls in milliseconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::call::{Decision, LimiterOptions, Response, Ticket};
use super::max_rate::MaxRate;
use super::per_second::{PerSecond, Verdict};
use super::random::Random;
use super::refills::Refills;
use super::spacing::Spacing;
use crate::iam::Rate;

/// Decides when calls of one action may be sent to one account.
///
/// All times are in seconds since the first decision, and all rates in calls per second.
#[derive(Debug, Clone)]
pub struct Controller {
    options: LimiterOptions,
    started: Option<Instant>,
    state: State,
    /// The number of the state. Responses to calls of an earlier state say nothing about the present one.
    epoch: u32,
    in_flight: usize,
    /// The smoothed latency of accepted calls.
    latency: Option<f64>,
    rate: f64,
    /// The rate was measured by an earlier run.
    is_remembered: bool,
    is_measured: bool,
    /// The time at which the next call is due.
    due: f64,
    last_sent: f64,
    /// When the first and the last call were sent that were throttled since the last refill.
    first_throttled: f64,
    last_throttled: f64,
    /// The number of requests in flight when the search ended.
    in_flight_when_throttled: usize,
    /// The time of the last refill.
    since: f64,
    refills: Refills,
    /// The number of measurements since everything was throttled for a while.
    measurements: u32,
    per_second: Option<PerSecond>,
    /// The number of refills that must agree before `per_second` is used.
    required: u32,
    spacing: Spacing,
    random: Random,
    /// The calls from the first one without a response on.
    unsettled: VecDeque<(f64, Option<Response>)>,
    last_settled: Option<f64>,
    /// The numbers of calls that were throttled and accepted.
    throttled: f64,
    accepted: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// The limit is unknown. The number of requests in flight grows until a call is throttled.
    Searching {
        /// The maximum number of requests in flight, and by how much it grows with each accepted call.
        most: f64,
        growth: f64,
        accepted: f64,
    },
    /// A call was throttled. One call at a time is sent, until one is accepted.
    Polling {
        polls: i32,
        /// The response to a poll is missing.
        is_sent: bool,
        /// The rate was known.
        was_sending: bool,
    },
    /// Calls are sent at the measured rate.
    Sending,
}

/// The share of the calls that may be throttled, and the number that may be throttled in a short run, too.
const THROTTLED_SHARE: f64 = 0.03;
const FREE_THROTTLED: f64 = 12.0;
/// The maximum number of requests in flight before the first response tells the latency, and at least.
const AT_FIRST: f64 = 4.0;
/// The rate before the first response, in calls per second.
const FIRST_RATE: f64 = 33.0;
/// When the bucket is empty, all requests in flight are throttled: the search limits them to this share of the
/// expected calls…
const RISK: f64 = 0.0105;
/// …less at a latency below this one, in seconds: fewer requests in flight empty the bucket as fast.
const LONG_LATENCY: f64 = 0.1;
/// For each accepted call, the maximum grows by the square of `expected calls / LARGE_RUN`: a large run has little
/// time to reach the maximum concurrency, and may have many throttled calls.
const LARGE_RUN: f64 = 7_000.0;
/// The second search starts with this share of the requests that were in flight when the first one ended.
const SECOND_SEARCH: f64 = 0.33;
/// The growth of the second search, as a share of its accepted calls.
const SECOND_GROWTH: f64 = 0.05;
/// The shortest wait after a throttled call, in seconds. It doubles after each further one…
const SHORTEST_WAIT: f64 = 0.1;
/// …up to this time in the first second, in which most limits are refilled…
const LONGEST_WAIT_AT_FIRST: f64 = 0.25;
/// …and up to this time later.
const LONGEST_WAIT: f64 = 2.0;
/// If everything is throttled for this time at a known rate, in seconds, the rate is kept: the limit is lowered
/// for a while, or another client took every token.
const OUTAGE: f64 = 2.5;
/// Extra calls look for a higher limit, evenly over the calls to come: each can be throttled, and this share of
/// [`THROTTLED_SHARE`] may be, less what was throttled before…
const SPENT: f64 = 0.8;
/// …but not before the shortest and not after the longest time, in seconds.
const SHORTEST_PROBE_TIME: f64 = 0.75;
const LONGEST_PROBE_TIME: f64 = 10.0;
/// The number of extra calls after `n` probe times is `n` to this power.
const PROBE_POWER: i32 = 3;
/// The same at a remembered rate, whose bucket is still full: it starts slowly, and soon grows fast if the rate is too low.
const REMEMBERED_POWER: i32 = 5;
/// The measured rate and the quantity of a second differ by at most this factor.
const SIMILAR: f64 = 1.3;
/// If this number of calls is accepted after a refill, more tokens were added at once: the next ones come a second later.
const BATCH: f64 = 3.0;
/// A timer is late by at most this time, in seconds: the next call makes up for it.
const LATE: f64 = 0.005;
/// Rounding errors of times, in seconds.
const ROUNDING: f64 = 1e-6;
/// The lowest rate, in calls per second: all limits of IAM are higher.
const LOWEST_RATE: f64 = 0.3;

impl Controller {
    /// A controller before the first call.
    pub fn new(options: LimiterOptions) -> Self {
        let most = (RISK * options.expected_calls as f64).max(AT_FIRST);
        let growth = (options.expected_calls as f64 / LARGE_RUN).powi(2);
        Controller {
            options,
            started: None,
            state: State::Searching { most, growth, accepted: 0.0 },
            epoch: 0,
            in_flight: 0,
            latency: None,
            rate: FIRST_RATE,
            is_remembered: false,
            is_measured: false,
            due: 0.0,
            last_sent: 0.0,
            first_throttled: 0.0,
            last_throttled: -1.0,
            in_flight_when_throttled: 0,
            since: 0.0,
            refills: Refills::default(),
            measurements: 0,
            per_second: None,
            required: 2,
            spacing: Spacing::default(),
            unsettled: VecDeque::new(),
            last_settled: None,
            throttled: 0.0,
            accepted: 0.0,
            random: Random::default(),
        }
    }

    /// The options.
    pub fn options(&self) -> LimiterOptions {
        self.options
    }

    /// A controller that starts at a rate that an earlier run measured. The limit may have changed.
    pub fn remembering(rate: Rate, options: LimiterOptions) -> Self {
        Controller {
            state: State::Sending,
            rate: rate.get(),
            is_remembered: true,
            ..Controller::new(options)
        }
    }

    /// The rate that IAM sustains; `None` if it is not measured yet.
    pub fn measured_rate(&self) -> Option<Rate> {
        let rate = if self.has_one_token() { 1.0 / self.spacing.gap() } else { self.rate };
        self.is_measured.then(|| Rate::nearest(rate))
    }

    /// Decides whether a call may be sent at `now`, within `max_rate`. [`Decision::Now`] counts the call as
    /// sent.
    pub fn decide(&mut self, now: Instant, max_rate: &mut MaxRate) -> Decision {
        let time = self.seconds(now);
        if self.in_flight >= self.most_in_flight()
            || matches!(self.state, State::Polling { is_sent: true, .. })
        {
            return Decision::AfterResponse;
        }
        let (last_sent, probe_after) = (self.last_sent, self.probe_after());
        if self.has_one_token() {
            let last = self.refills.last_accepted().unwrap_or(0.0).max(last_sent);
            self.spacing.start();
            self.due = last + self.spacing.gap();
        } else if let Some(hypothesis) = self.per_second_in_use() {
            self.due = hypothesis.due(time + ROUNDING, last_sent, probe_after);
        }
        let wait = Duration::from_secs_f64((self.due - time - ROUNDING).max(0.0));
        let at = (now + wait).max(max_rate.next(now));
        if at > now {
            return Decision::At(at);
        }
        max_rate.take(now);
        let mut second = 0;
        match self.per_second_in_use() {
            Some(hypothesis) => second = hypothesis.on_sent(),
            None => self.due = self.due_after(time),
        }
        if let State::Polling { is_sent, .. } = &mut self.state {
            *is_sent = true;
        }
        self.in_flight += 1;
        self.last_sent = time;
        self.unsettled.push_back((time, None));
        Decision::Now(Ticket { sent: time, epoch: self.epoch, second })
    }

    /// Records the response to a call. It may change the next [`Controller::decide`].
    pub fn on_response(&mut self, ticket: Ticket, now: Instant, response: Response) {
        let time = self.seconds(now);
        self.in_flight = self.in_flight.saturating_sub(1);
        self.settle(ticket.sent, response);
        match response {
            Response::Accepted => self.on_accepted(ticket.sent, time),
            Response::Throttled => self.on_throttled(ticket.sent),
            Response::Lost => {}
        }
        if ticket.epoch == self.epoch {
            self.on_response_in_state(ticket, time, response);
        }
        if let State::Polling { polls, is_sent: false, was_sending } = self.state
            && (self.in_flight == 0 || was_sending && polls > 0)
        {
            self.due = self.next_poll(polls, time);
        }
    }

    fn on_accepted(&mut self, sent: f64, time: f64) {
        let took = time - sent;
        self.accepted += 1.0;
        self.latency = Some(self.latency.map_or(took, |known| known + (took - known) / 8.0));
        self.random.add(false);
        self.refills.add_accepted(sent);
    }

    fn on_throttled(&mut self, sent: f64) {
        if !matches!(self.state, State::Polling { .. }) {
            self.first_throttled = sent;
        }
        self.last_throttled = self.last_throttled.max(sent);
        self.throttled += 1.0;
        self.random.add(true);
    }

    /// Changes the state because of the response to a call that was sent in it.
    fn on_response_in_state(&mut self, ticket: Ticket, time: f64, response: Response) {
        let is_ignored = response == Response::Throttled && self.random.is_confirmed();
        let response = if is_ignored { Response::Lost } else { response };
        let is_throttled = response == Response::Throttled;
        match self.state {
            State::Searching { most, growth, accepted } => match response {
                Response::Accepted => {
                    self.state = State::Searching { most, growth, accepted: accepted + 1.0 };
                    self.search();
                }
                Response::Throttled => self.poll(false),
                Response::Lost => {}
            },
            State::Polling { polls, was_sending, .. } => match response {
                Response::Accepted => self.on_refill(ticket.sent, time, was_sending),
                Response::Throttled | Response::Lost => {
                    let polls = polls + i32::from(is_throttled);
                    self.state = State::Polling { polls, is_sent: false, was_sending };
                }
            },
            State::Sending => {
                if let Some(hypothesis) = self.per_second_in_use() {
                    let accepted = (response != Response::Lost).then_some(!is_throttled);
                    let verdict = hypothesis.on_response(ticket.second, accepted);
                    let quantity = hypothesis.quantity();
                    self.rate = quantity;
                    if verdict == Verdict::Contradicted {
                        self.poll(true);
                    }
                } else if is_throttled {
                    self.poll(true);
                }
            }
        }
    }

    /// Spaces the calls that may be in flight evenly over the latency.
    fn search(&mut self) {
        self.rate = self.most_in_flight() as f64 / self.latency_or_guess();
        self.due = self.due.min(self.last_sent + 1.0 / self.rate);
    }

    fn poll(&mut self, was_sending: bool) {
        self.in_flight_when_throttled = self.in_flight;
        self.enter(State::Polling { polls: 0, is_sent: false, was_sending });
        if was_sending {
            self.due = self.last_sent + 1.0 / self.rate;
        }
    }

    /// The time of the next poll after `polls` throttled ones.
    fn next_poll(&self, polls: i32, time: f64) -> f64 {
        let interval = 1.0 / self.rate;
        let mut wait = interval.max(SHORTEST_WAIT) * 2_f64.powi((polls - 1).max(0));
        if self.last_throttled - self.first_throttled < 1.0 {
            wait = wait.min(interval.max(LONGEST_WAIT_AT_FIRST));
        }
        let at = (self.last_throttled + wait.min(LONGEST_WAIT)).max(time);
        let is_batch = self.refills.accepted_since_refill(time) >= BATCH;
        match &self.per_second {
            Some(known) if polls > 0 && (is_batch || known.is_confirmed(2)) => {
                known.next_refill(self.last_throttled.max(at - 1.0)).max(time)
            }
            _ => at,
        }
    }

    /// The call of `sent` found tokens in the bucket, which was empty.
    fn on_refill(&mut self, sent: f64, time: f64, was_sending: bool) {
        let sent = self.refills.first_accepted_after(self.last_throttled).unwrap_or(sent);
        let throttled = self.last_throttled.max(sent - 1.0);
        self.since = time;
        // A limit that is refilled more rarely is no outage: it has no measurement between two of them.
        let is_known = self.measurements >= 2
            || self.per_second.is_some_and(|known| known.is_confirmed(self.required));
        if was_sending && sent - self.first_throttled > OUTAGE && is_known {
            self.measurements = 0;
            self.refills.forget();
            self.refills.add(throttled, sent);
            self.per_second = self.per_second.map(|known| known.restarted(throttled, sent));
            self.due = time;
            return self.enter(State::Sending);
        }
        let accepted = self.refills.accepted_since_refill(sent);
        let rate = self.refills.add(throttled, sent);
        self.update_per_second(throttled, sent, accepted, rate);
        match rate {
            Some(rate) => {
                let least = if was_sending { 0.5 * self.rate } else { LOWEST_RATE };
                let rate = rate.max(least).max(LOWEST_RATE);
                self.rate = if was_sending { self.random.rate(self.rate, rate) } else { rate };
                self.is_measured = true;
                self.measurements += 1;
                self.due = f64::midpoint(throttled, sent) + 1.0 / self.rate;
                self.enter(State::Sending);
            }
            None => self.enter_second_search(time),
        }
    }

    fn update_per_second(&mut self, earliest: f64, latest: f64, accepted: f64, rate: Option<f64>) {
        let agreeing = self
            .per_second
            .and_then(|known| known.agreeing(earliest, latest, accepted))
            .filter(|new| {
                rate.is_none_or(|rate| (new.quantity() / rate).max(rate / new.quantity()) < SIMILAR)
            });
        if agreeing.is_none() && self.per_second.is_some_and(|old| old.is_confirmed(self.required))
        {
            self.required += 2;
        }
        self.per_second = Some(agreeing.unwrap_or(PerSecond::new(earliest, latest)));
    }

    /// The first search emptied a bucket of unknown size. The second one shows what is refilled.
    fn enter_second_search(&mut self, time: f64) {
        let most = (SECOND_SEARCH * self.in_flight_when_throttled as f64).max(2.0);
        self.enter(State::Searching { most, growth: SECOND_GROWTH, accepted: 0.0 });
        self.due = time;
        self.search();
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
    }

    /// Adds the calls whose earlier calls all have responses to the hypothesis of one token.
    fn settle(&mut self, sent: f64, response: Response) {
        if let Some(call) =
            self.unsettled.iter_mut().find(|call| call.0 == sent && call.1.is_none())
        {
            call.1 = Some(response);
        }
        while let Some(&(sent, Some(response))) = self.unsettled.front() {
            self.unsettled.pop_front();
            let is_accepted = response == Response::Accepted;
            if let Some(last) = self.last_settled
                && response != Response::Lost
            {
                self.spacing.add(sent - last, is_accepted);
            }
            if is_accepted {
                self.last_settled = Some(sent);
            }
        }
    }

    fn has_one_token(&self) -> bool {
        self.state == State::Sending && self.spacing.explains(self.rate)
    }

    /// The hypothesis of a refill each second, if calls are sent by it.
    fn per_second_in_use(&mut self) -> Option<&mut PerSecond> {
        let may_be_used = self.state == State::Sending && !self.has_one_token();
        let required = self.required;
        self.per_second
            .as_mut()
            .filter(|known| may_be_used && known.is_confirmed(required) && known.quantity() >= 1.0)
    }

    /// The time at which the call after the one at `time` is due, if calls are evenly spaced.
    fn due_after(&self, time: f64) -> f64 {
        let mut rate = self.rate;
        if self.state == State::Sending && !self.has_one_token() {
            // The rate grows, so a limit that was raised is noticed.
            let (probe_time, power) = self.growth();
            let passed = (time - self.since).max(0.0) / probe_time;
            rate += f64::from(power) / probe_time * passed.powi(power - 1);
        }
        self.due.max(time - LATE) + 1.0 / rate
    }

    /// The time after which one more call than the rate permits is sent.
    fn probe_after(&self) -> f64 {
        let calls = self.options.expected_calls as f64;
        let most = SPENT * (THROTTLED_SHARE * calls).max(FREE_THROTTLED);
        let calls_a_probe = (calls - self.accepted).max(100.0) / (most - self.throttled).max(1.0);
        (calls_a_probe / self.rate).clamp(SHORTEST_PROBE_TIME, LONGEST_PROBE_TIME)
    }

    /// The same for evenly spaced calls, of which several are throttled at a long latency. The number of extra calls
    /// after `n` times is `n` to the returned power.
    fn growth(&self) -> (f64, i32) {
        let (after, power) = match self.measurements {
            // Either the bucket is full, and is emptied at the end of the run, or the rate is too low.
            0 if self.is_remembered && !self.is_measured => (LONGEST_PROBE_TIME, REMEMBERED_POWER),
            // One measurement is not exact.
            0 | 1 => (SHORTEST_PROBE_TIME, PROBE_POWER),
            _ => (self.probe_after(), PROBE_POWER),
        };
        (after.max(6.0 * self.latency_or_guess()), power)
    }

    fn latency_or_guess(&self) -> f64 {
        self.latency.unwrap_or(0.1)
    }

    fn most_in_flight(&self) -> usize {
        let calls = self.options.expected_calls as f64;
        let most = match self.state {
            State::Searching { .. } if self.latency.is_none() => AT_FIRST,
            State::Searching { most, growth, accepted } => {
                most * (self.latency_or_guess() / LONG_LATENCY).min(1.0) + growth * accepted
            }
            State::Polling { was_sending: true, .. } => f64::INFINITY,
            State::Polling { .. } => 1.0,
            // Three times the product of rate and latency: the latency varies, and the calls of a second are sent
            // faster.
            State::Sending => 3.0 * self.rate * self.latency_or_guess() + AT_FIRST,
        };
        // A remembered rate can be too high.
        let most = if self.is_measured || !self.is_remembered {
            most
        } else {
            most.min((RISK * calls).max(AT_FIRST))
        };
        (most.ceil() as usize).clamp(1, self.options.max_in_flight.max(1))
    }

    fn seconds(&mut self, now: Instant) -> f64 {
        let started = *self.started.get_or_insert(now);
        now.saturating_duration_since(started).as_secs_f64()
    }
}
