use std::collections::VecDeque;

use super::call::Response;

/// The hypothesis that the bucket has a capacity of one token: it accepts a call if the accepted call before it was
/// sent long enough ago.
#[derive(Debug, Clone)]
pub(super) struct Spacing {
    /// The calls from the first one without a response on.
    calls: VecDeque<(f64, Option<Response>)>,
    /// When the last call was sent that was accepted and whose earlier calls all have responses.
    last: Option<f64>,
    /// The shortest time between two accepted calls, in seconds.
    accepted: f64,
    /// The longest time between an accepted call and a throttled one, in seconds.
    throttled: f64,
    /// A response contradicts the hypothesis.
    is_contradicted: bool,
    is_used: bool,
}

/// A response contradicts the hypothesis only if it does so by more than this share and time: calls can arrive
/// early and late.
const TOLERANCE: f64 = 1.1;
const TOLERANCE_SECONDS: f64 = 0.002;
/// The accepted time is known if it exceeds the throttled time by at most this factor. Otherwise a time between
/// them is tried.
const KNOWN: f64 = 1.05;
/// Calls are sent later than necessary by this factor, because of jitter.
const LATER: f64 = 1.01;
/// With each accepted call, the throttled time decreases by this share, so that a higher limit is noticed: a
/// shorter time is tried about every 250 calls.
const DECREASE: f64 = 0.000_2;
/// Two calls within this share of the time of one token are two tokens of the bucket.
const ONE_TOKEN: f64 = 0.3;
/// The longest time between the tokens, in seconds: IAM's limits are higher.
const LONGEST: f64 = 10.0;

impl Default for Spacing {
    fn default() -> Self {
        Spacing {
            calls: VecDeque::new(),
            last: None,
            accepted: f64::MAX,
            throttled: 0.0,
            is_contradicted: false,
            is_used: false,
        }
    }
}

impl Spacing {
    /// Records a call that is sent at `time`.
    pub(super) fn on_sent(&mut self, time: f64) {
        self.calls.push_back((time, None));
    }

    /// Records the response to the call of `sent`.
    pub(super) fn on_response(&mut self, sent: f64, response: Response) {
        let is_it = |call: &&mut (f64, Option<Response>)| call.0 == sent && call.1.is_none();
        if let Some(call) = self.calls.iter_mut().find(is_it) {
            call.1 = Some(response);
        }
        while let Some(&(sent, Some(response))) = self.calls.front() {
            self.calls.pop_front();
            let is_accepted = response == Response::Accepted;
            if let Some(last) = self.last
                && response != Response::Lost
            {
                self.add(sent - last, is_accepted);
            }
            if is_accepted {
                self.last = Some(sent);
            }
        }
    }

    /// Adds a call that was sent `gap` seconds after the accepted call before it.
    fn add(&mut self, gap: f64, accepted: bool) {
        let is_longer = |one: f64, other: f64| one > TOLERANCE * other + TOLERANCE_SECONDS;
        self.is_contradicted |=
            if accepted { is_longer(self.throttled, gap) } else { is_longer(gap, self.accepted) };
        if accepted {
            self.accepted = self.accepted.min(gap);
            if self.is_used {
                self.throttled *= 1.0 - DECREASE;
            }
        } else {
            self.throttled = self.throttled.max(gap);
        }
    }

    /// Whether the hypothesis explains the responses, if `rate` calls per second were accepted.
    pub(super) fn explains(&self, rate: f64) -> bool {
        !self.is_contradicted
            && self.throttled > 0.0
            && self.accepted < LONGEST
            && self.accepted * rate > ONE_TOKEN
    }

    /// From now on, the hypothesis is used.
    pub(super) fn start(&mut self) {
        self.is_used = true;
    }

    /// The time from one call to the next, in seconds.
    pub(super) fn gap(&self) -> f64 {
        if self.accepted > KNOWN * self.throttled {
            (self.accepted * self.throttled).sqrt()
        } else {
            LATER * self.accepted.max(self.throttled)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_approaches_the_time_of_a_token() {
        let mut spacing = Spacing::default();
        for gap in [0.001, 0.004] {
            spacing.add(gap, false);
        }
        spacing.add(0.1, true);
        spacing.start();
        for _ in 0..40 {
            let gap = spacing.gap();
            spacing.add(gap, gap >= 0.02);
        }
        assert!(spacing.explains(40.0));
        assert!((0.02..0.0212).contains(&spacing.gap()), "{spacing:?}");
    }

    #[test]
    fn a_larger_bucket_contradicts_the_hypothesis() {
        let mut spacing = Spacing::default();
        for _ in 0..20 {
            spacing.add(0.001, true);
        }
        for gap in [0.01, 0.1] {
            spacing.add(gap, false);
        }
        assert!(!spacing.explains(20.0));
    }
}
