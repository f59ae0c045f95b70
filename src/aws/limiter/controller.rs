//! The controller decides when the next call may be sent. It measures the rate that IAM sustains while the
//! calls are made.
//!
//! IAM throttles with token buckets that are refilled once a second, several of them can apply to one API, and every
//! other tool in the account takes tokens from them. AWS does not publish their sizes. The controller increases the
//! rate until a call is throttled, and waits for the next refill. From refill to refill, it counts the accepted
//! calls ([`Refills`]): that is the rate, whatever the limit is. Then each second repeats the calls of the one before
//! ([`Window`]), and from time to time, one call more looks for a higher limit ([`Attempt`]). [`Spacing`]
//! recognizes a bucket of a single token. `docs/pacing.md` has the reason and the effect of each constant.
//!
//! The controller is pure: it receives the time and never waits, so a test simulates minutes in milliseconds.

use std::time::{Duration, Instant};

use super::attempt::Attempt;
use super::budget::{Budget, FEWEST};
use super::call::{Decision, LimiterOptions, Response, Ticket};
use super::max_rate::MaxRate;
use super::poll;
use super::refills::{LONGEST_WAIT, Refills};
use super::spacing::Spacing;
use super::state::{After, Known, State};
use super::window::{MARGIN, ROUNDING, Window};
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
    /// The calls of this time, in seconds, are repeated: a second, or the time between two refills if that is longer.
    period: f64,
    /// Tokens are not added once a second, so the calls are spaced evenly.
    is_continuous: bool,
    known: Known,
    /// The rate that an earlier run measured.
    remembered: Option<f64>,
    /// Everything was throttled for a while before the last refill, and the rate was kept.
    had_outage: bool,
    /// When a measurement lowered the rate for the last time.
    decreased: f64,
    /// The earliest time of the next call. At the measured rate, the window is a further condition.
    due: f64,
    last_sent: f64,
    /// When the first and the last call were sent that were throttled since the last refill.
    first_throttled: f64,
    last_throttled: f64,
    refills: Refills,
    window: Window,
    spacing: Spacing,
    /// The last eight calls at the measured rate: a bit for each, which is set if it was throttled.
    recent: u8,
    /// The number of times in a row that the first poll was accepted: only single calls are throttled.
    single_throttled: u32,
    /// The attempt at a higher rate, and when the last one ended.
    attempt: Option<Attempt>,
    attempted: f64,
    budget: Budget,
}

/// The requests in flight of a search are fewer at a latency below this one, in seconds: they empty the bucket as fast.
/// Until the first response, the latency is taken for this one.
const LONG_LATENCY: f64 = 0.1;
/// The search of a large run starts with `expected calls × (expected calls / LARGE_RUN)³` more: it has little time to
/// reach the maximum concurrency, and may have many throttled calls.
const LARGE_RUN: f64 = 13_000.0;
/// While the limit is unknown, each accepted call permits this many more requests in flight.
const SEARCH_GROWTH: f64 = 0.015;
/// Calls that are late are sent at this multiple of the rate, unless tokens are added continuously. At a higher one, a
/// small bucket would not accept them all.
const FASTER: f64 = 1.2;
/// If a call is throttled, the rate is measured again. It decreases at most to this share at once: other clients and
/// slow polls can make it seem lower than it is…
const LEAST: f64 = 0.5;
/// …and to this one if only a single call was throttled: it can have arrived early.
const LEAST_AFTER_SINGLE: f64 = 0.94;
/// If the rate decreases twice within [`LONGEST_WAIT`], the second decrease is larger by this share of it: another client
/// gets more of the limit as this one gets less, so each measurement is too high.
const MORE: f64 = 0.5;
/// If only a single call was throttled so often in a row, calls can be throttled at random: then two of eight are
/// needed…
const RANDOM: u32 = 3;
/// …and a single one lowers the number of calls of a period by this: the rate can be a little too high.
const LOWER: f64 = 0.1;
/// A run starts at this share of a remembered rate: at the whole rate, calls that arrive early or late are throttled.
const REMEMBERED: f64 = 0.96;
/// An extra call looks for a higher limit after at most this time, in seconds, and not in the last calls, which take as
/// long.
const LONGEST_PROBE_TIME: f64 = 10.0;
/// The lowest rate, in calls per second: all limits of IAM are higher.
const LOWEST_RATE: f64 = 0.3;

impl Controller {
    /// A controller before the first call.
    pub fn new(options: LimiterOptions) -> Self {
        let calls = options.expected_calls as f64;
        let budget = Budget::new(options.expected_calls);
        Controller {
            options,
            started: None,
            state: State::Searching { head_start: calls * (calls / LARGE_RUN).powi(3) },
            epoch: 0,
            in_flight: 0,
            latency: None,
            rate: LOWEST_RATE,
            period: 1.0,
            is_continuous: false,
            known: Known::Nothing,
            remembered: None,
            had_outage: false,
            decreased: f64::NEG_INFINITY,
            due: 0.0,
            last_sent: f64::NEG_INFINITY,
            first_throttled: 0.0,
            last_throttled: -1.0,
            refills: Refills::default(),
            window: Window::default(),
            spacing: Spacing::default(),
            recent: 0,
            single_throttled: 0,
            attempt: None,
            attempted: 0.0,
            budget,
        }
    }

    /// The options.
    pub fn options(&self) -> LimiterOptions {
        self.options
    }

    /// A controller that starts at a rate that an earlier run measured. The limit may have changed.
    pub fn remembering(rate: Rate, options: LimiterOptions) -> Self {
        let mut controller = Controller {
            state: State::Sending,
            known: Known::Remembered,
            remembered: Some(rate.get()),
            ..Controller::new(options)
        };
        controller.set_rate(REMEMBERED * rate.get());
        controller
    }

    /// The rate that IAM sustains; `None` if it is not measured yet.
    pub fn measured_rate(&self) -> Option<Rate> {
        let rate = match self.attempt {
            _ if self.has_one_token() => 1.0 / self.spacing.gap(),
            // The bucket can have had a little left.
            Some(attempt) if !attempt.is_proven => attempt.rate_before,
            _ => self.rate,
        };
        self.is_measured().then(|| Rate::nearest(rate))
    }

    /// The rate at which the next run may start: the measured one. If no call was throttled, and IAM accepted more calls
    /// in the last second than at the remembered rate, that rate was too low.
    pub fn rate_for_next_run(&self) -> Option<Rate> {
        let last_second = self.refills.rate_before(self.last_sent, 1.0);
        let is_higher = |remembered| last_second > FASTER * remembered;
        self.measured_rate()
            .or_else(|| self.remembered.is_some_and(is_higher).then(|| Rate::nearest(last_second)))
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
        let wait = Duration::from_secs_f64((self.due(time) - time - ROUNDING).max(0.0));
        let at = (now + wait).max(max_rate.next(now));
        if at > now {
            return Decision::At(at);
        }
        max_rate.take(now);
        // Timers are late, so the next call is due after the time at which this one was due.
        let due = self.due.max(time - MARGIN);
        match &mut self.state {
            // The requests that may be in flight are spaced evenly over the latency.
            State::Searching { .. } => self.due = due + self.search_gap(),
            State::Polling { is_sent, .. } => *is_sent = true,
            State::Sending => self.due = due + self.shortest_gap(),
        }
        self.in_flight += 1;
        self.last_sent = time;
        self.window.add(time);
        self.spacing.on_sent(time);
        Decision::Now(Ticket { sent: time, epoch: self.epoch })
    }

    /// The earliest time of the next call. An attempt at a higher rate begins if it is due.
    fn due(&mut self, time: f64) -> f64 {
        if self.state != State::Sending {
            return self.due;
        }
        if self.has_one_token() {
            self.spacing.start();
            return self.last_sent + self.spacing.gap();
        }
        let probe = self.attempted + self.probe_after();
        if self.attempt.is_none() && probe <= time + ROUNDING {
            self.attempt = Some(Attempt::new(self.rate, time));
        }
        let due = self.window.next(self.rate, self.period, self.extra()).max(self.due);
        if self.attempt.is_none() { due.min(probe) } else { due }
    }

    /// Records the response to a call. It may change the next [`Controller::decide`].
    pub fn on_response(&mut self, ticket: Ticket, now: Instant, response: Response) {
        let time = self.seconds(now);
        self.in_flight = self.in_flight.saturating_sub(1);
        self.spacing.on_response(ticket.sent, response);
        self.budget.on_response(response);
        match response {
            Response::Accepted => self.on_accepted(ticket.sent, time),
            Response::Throttled => self.on_throttled(ticket.sent),
            Response::Lost => {}
        }
        if ticket.epoch == self.epoch {
            match self.state {
                State::Searching { .. } => self.on_response_to_search(response),
                State::Polling { polls, after, .. } if response == Response::Accepted => {
                    let is_single = polls == 0 && after != After::Search;
                    self.single_throttled = if is_single { self.single_throttled + 1 } else { 0 };
                    self.on_refill(ticket.sent, time, after);
                }
                State::Polling { polls, after, .. } => {
                    let polls = polls + i32::from(response == Response::Throttled);
                    self.state = State::Polling { polls, is_sent: false, after };
                }
                State::Sending => self.on_response_at_rate(time, response),
            }
        }
        // The first poll at a known rate does not wait for the calls in flight, and that of a search only for one latency.
        if let State::Polling { polls, is_sent: false, after } = self.state
            && (polls > 0 || after == After::Search && self.in_flight == 0)
        {
            self.due = self.next_poll(polls, time);
        }
    }

    fn on_accepted(&mut self, sent: f64, time: f64) {
        let took = time - sent;
        self.latency = Some(self.latency.map_or(took, |known| known + (took - known) / 8.0));
        self.refills.add_accepted(sent);
    }

    fn on_throttled(&mut self, sent: f64) {
        if !matches!(self.state, State::Polling { .. }) {
            self.first_throttled = sent;
        }
        self.last_throttled = self.last_throttled.max(sent);
        self.refills.set_empty(self.last_throttled);
        self.window.remove(sent);
    }

    fn on_response_to_search(&mut self, response: Response) {
        match response {
            Response::Accepted => self.due = self.due.min(self.last_sent + self.search_gap()),
            Response::Throttled => self.poll(After::Search),
            Response::Lost => {}
        }
    }

    /// The time from one call of the search to the next.
    fn search_gap(&self) -> f64 {
        self.latency_or_guess() / self.most_in_flight() as f64
    }

    fn on_response_at_rate(&mut self, time: f64, response: Response) {
        let is_throttled = response == Response::Throttled;
        if response != Response::Lost {
            self.recent = self.recent << 1 | u8::from(is_throttled);
        }
        let has_one_token = self.has_one_token();
        let can_be_random =
            (has_one_token || self.single_throttled >= RANDOM) && self.recent.count_ones() < 2;
        let has_lasted = |it: &Attempt| it.has_lasted(time, self.period, self.latency_or_guess());
        match self.attempt {
            Some(attempt) if is_throttled && (!can_be_random || has_lasted(&attempt)) => {
                self.end_attempt(attempt, time);
            }
            Some(attempt) if has_lasted(&attempt) && self.is_rate_reached() => {
                self.increase(attempt, time);
            }
            None if is_throttled && !can_be_random => self.poll(After::Sending),
            None if is_throttled && !has_one_token => {
                self.set_rate(self.rate - LOWER / self.period);
            }
            _ => {}
        }
    }

    /// Whether the calls of the last period were sent, but for one. The maximum rate and the concurrency can limit them.
    fn is_rate_reached(&self) -> bool {
        self.window.count_after(self.last_sent - self.period) + 1.0 >= self.rate * self.period
    }

    /// No call of the last period was throttled, so the higher rate is sustained. A still higher one is tried.
    fn increase(&mut self, mut attempt: Attempt, time: f64) {
        self.rate += attempt.extra / self.period;
        attempt.is_proven |= self.is_limit_higher(&attempt, time - self.latency_or_guess());
        attempt.increase(self.rate * self.period, time, self.budget.permits_attempts());
        if self.known == Known::Remembered && attempt.is_long() {
            self.known = Known::Nothing;
            return self.enter_search(time);
        }
        if attempt.is_proven {
            // What was accepted before says nothing about the limit of now.
            self.refills.forget();
        }
        self.attempt = Some(attempt);
    }

    /// Whether the limit is higher than the rate before the attempt. The calls sent before `time` have responses.
    fn is_limit_higher(&self, attempt: &Attempt, time: f64) -> bool {
        // If calls are throttled at random, the bucket may not have been empty.
        match self.single_throttled >= RANDOM {
            true => attempt.is_long(),
            false => self.refills.exceed(attempt.rate_before, self.period, time),
        }
    }

    /// A call of an attempt at a higher rate was throttled.
    fn end_attempt(&mut self, attempt: Attempt, time: f64) {
        self.attempted = time;
        // A remembered rate can be too high: the limit on the requests in flight hides it.
        if !self.is_measured() {
            return self.poll(After::Sending);
        }
        if attempt.is_proven {
            self.known = Known::Measured;
            // The limit is measured from the next refill to the one after it, so the rate must be high enough.
            self.rate += attempt.extra / self.period;
            return self.poll(After::Sending);
        }
        // An inexact measurement can be too low. What was sustained is kept, until the first call more is throttled.
        if self.known == Known::Measured && attempt.has_increased() {
            return self.enter(State::Sending);
        }
        self.known = Known::Confirmed;
        self.rate = attempt.rate_before;
        if attempt.is_long() { self.poll(After::Attempt) } else { self.enter(State::Sending) }
    }

    fn poll(&mut self, after: After) {
        self.enter(State::Polling { polls: 0, is_sent: false, after });
        // A slow response does not delay the first poll of a search.
        let wait = match after {
            After::Search => self.latency_or_guess(),
            After::Sending | After::Attempt => 1.0 / self.rate,
        };
        self.due = self.last_sent + wait;
    }

    /// The time of the next poll after `polls` throttled ones.
    fn next_poll(&self, polls: i32, time: f64) -> f64 {
        let throttled_for = self.last_throttled - self.first_throttled;
        let wait = poll::wait(polls, throttled_for, self.is_measured().then_some(self.rate));
        let at = (self.last_throttled + wait).max(time);
        let accepted = self.refills.first_accepted_after(self.first_throttled);
        // Calls among the throttled ones were accepted: tokens are not added once a second.
        let is_batch =
            !self.spacing.explains() && accepted.is_none_or(|sent| sent > self.last_throttled);
        match self.refills.start() {
            Some(last) if polls > 0 && is_batch => {
                let earliest = self.last_throttled.max(at - 1.0);
                (last + (earliest - last).floor() + 1.0 + MARGIN).max(time)
            }
            _ => at,
        }
    }

    /// The call of `sent` found tokens in the bucket, which was empty.
    fn on_refill(&mut self, sent: f64, time: f64, after: After) {
        let sent = self.refills.first_accepted_after(self.last_throttled).unwrap_or(sent);
        // A limit that is refilled more rarely is no outage: it is measured after a first one.
        let longest = LONGEST_WAIT.max(self.period);
        let is_outage = after != After::Search && sent - self.first_throttled > longest;
        let had_outage = self.had_outage;
        self.had_outage = is_outage && !had_outage;
        if self.had_outage {
            self.refills.forget_empty();
        } else if had_outage && !is_outage {
            // The bucket was full, perhaps, after the outage.
            self.refills.forget();
        }
        let (throttled, first) = (self.last_throttled, self.first_throttled);
        match self.refills.add(throttled, sent, first, after) {
            Some(measurement) => {
                self.period = measurement.period;
                self.is_continuous = measurement.is_continuous;
                self.set_measured_rate(measurement.rate, after, time);
                let is_confirmed = self.is_measured() || measurement.is_exact;
                self.known = if is_confirmed { Known::Confirmed } else { Known::Measured };
            }
            // After an outage and after a proof of a higher limit, the rate stays as it is until the next refill.
            None if self.had_outage || self.is_measured() => {}
            // The first search emptied a bucket of unknown size. The second one shows what is refilled.
            None => return self.enter_search(time),
        }
        self.recent = 0;
        self.attempted = time;
        self.enter(State::Sending);
    }

    /// Sets the rate to the measured one. A decrease is limited.
    fn set_measured_rate(&mut self, mut measured: f64, after: After, time: f64) {
        let least = match (after, self.single_throttled) {
            (After::Search, _) => 0.0,
            (After::Attempt, _) => 1.0,
            (After::Sending, singles) if singles == 0 || self.known < Known::Confirmed => LEAST,
            (After::Sending, _) => LEAST_AFTER_SINGLE,
        };
        let before = self.rate;
        let is_second = self.single_throttled == 0 && time - self.decreased < LONGEST_WAIT;
        if is_second && measured < before {
            measured -= MORE * (before - measured);
        }
        self.set_rate(measured.max(least * before));
        if self.rate < before {
            self.decreased = time;
        }
    }

    /// A search without a head start.
    fn enter_search(&mut self, time: f64) {
        self.enter(State::Searching { head_start: 0.0 });
        self.due = time;
    }

    /// Sets a rate that can be lower than all limits of IAM.
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate.max(LOWEST_RATE);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
        self.attempt = None;
    }

    fn has_one_token(&self) -> bool {
        self.state == State::Sending && self.spacing.explains()
    }

    /// The time after which one more call than the rate permits is sent.
    fn probe_after(&self) -> f64 {
        let last = LONGEST_PROBE_TIME * self.rate;
        let after = match self.known {
            Known::Measured => 0.0,
            _ if self.budget.to_come() < last => f64::INFINITY,
            // At a remembered rate, a short run needs no higher one.
            Known::Nothing | Known::Remembered => LONGEST_PROBE_TIME / self.budget.of_short(),
            Known::Confirmed => {
                (self.budget.calls_per_attempt(last) / self.rate).min(LONGEST_PROBE_TIME)
            }
        };
        after.max(self.period)
    }

    fn is_measured(&self) -> bool {
        self.known >= Known::Measured
    }

    /// The number of calls of a period.
    fn calls(&self) -> f64 {
        self.rate * self.period + self.extra()
    }

    /// The shortest time from one call to the next at the measured rate.
    fn shortest_gap(&self) -> f64 {
        let faster = if self.is_continuous { 1.0 } else { FASTER };
        1.0 / (faster * self.calls())
    }

    /// The number of calls to send in addition to the rate in each period.
    fn extra(&self) -> f64 {
        self.attempt.map_or(0.0, |attempt| attempt.extra)
    }

    fn latency_or_guess(&self) -> f64 {
        self.latency.unwrap_or(LONG_LATENCY)
    }

    fn most_in_flight(&self) -> usize {
        let unknown = self.budget.at_risk() + SEARCH_GROWTH * self.budget.accepted();
        let most = match self.state {
            State::Searching { head_start } => {
                (unknown + head_start) * (self.latency_or_guess() / LONG_LATENCY).min(1.0)
            }
            State::Polling { .. } => f64::INFINITY,
            // If responses stop, few changes have an unknown outcome. The calls of a period can be sent within a second, the
            // latency varies, and late calls are sent faster.
            State::Sending => 3.0 * self.calls() * self.latency_or_guess() + FEWEST,
        };
        // A remembered rate can be too high.
        let most = if self.known == Known::Remembered { most.min(unknown) } else { most };
        (most.ceil() as usize).clamp(1, self.options.max_in_flight.max(1))
    }

    fn seconds(&mut self, now: Instant) -> f64 {
        let started = *self.started.get_or_insert(now);
        now.saturating_duration_since(started).as_secs_f64()
    }
}
