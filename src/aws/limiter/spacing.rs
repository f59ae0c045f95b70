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
    /// The time from one call to the next, in seconds, once the time of a token is known.
    gap: Option<f64>,
}

/// A response contradicts the hypothesis only if it does so by more than this factor: calls can arrive early and late.
const TOLERANCE: f64 = 1.6;
/// With each throttled call, the time between calls increases by this share, from the time on at which the time of a token
/// is known as exactly…
const LATER: f64 = 0.02;
/// …and with each accepted one, it decreases, so that about this share of the calls is throttled. So it adapts to the
/// jitter of the calls, and a higher limit is noticed.
const THROTTLED: f64 = 0.015;

impl Default for Spacing {
    fn default() -> Self {
        Spacing {
            calls: VecDeque::new(),
            last: None,
            accepted: f64::INFINITY,
            throttled: 0.0,
            is_contradicted: false,
            is_used: false,
            gap: None,
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
        if accepted {
            self.is_contradicted |= self.throttled > TOLERANCE * gap;
            self.accepted = self.accepted.min(gap);
        } else {
            self.is_contradicted |= gap > TOLERANCE * self.accepted;
            self.throttled = self.throttled.max(gap);
        }
        match &mut self.gap {
            Some(planned) if accepted => *planned *= 1.0 - LATER * THROTTLED,
            Some(planned) => *planned *= 1.0 + LATER,
            None if self.is_used && self.accepted <= (1.0 + LATER) * self.throttled => {
                self.gap = Some((1.0 + LATER) * self.accepted.max(self.throttled));
            }
            None => {}
        }
    }

    /// Whether the hypothesis explains the responses.
    pub(super) fn explains(&self) -> bool {
        !self.is_contradicted && self.throttled > 0.0 && self.accepted.is_finite()
    }

    /// From now on, the hypothesis is used.
    pub(super) fn start(&mut self) {
        self.is_used = true;
    }

    /// The time from one call to the next, in seconds.
    pub(super) fn gap(&self) -> f64 {
        self.gap.unwrap_or((self.accepted * self.throttled).sqrt())
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
        assert!(spacing.explains());
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
        assert!(!spacing.explains());
    }
}
