/// The hypothesis that IAM adds tokens once a second: a number of calls is accepted in each second, counted from a
/// refill, however they are spaced.
///
/// AWS describes its limits in this way ("How to monitor and query IAM resources at scale – Part 2", AWS Security
/// Blog). A fixed window of one second is such a limit, too. All times are in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct PerSecond {
    /// The last refill came between these times.
    earliest: f64,
    latest: f64,
    /// The last refill of an empty bucket.
    empty_at: f64,
    /// The number of refills that agree with the hypothesis.
    agreed: u32,
    /// The number of tokens of a refill.
    quantity: f64,
    /// The number of the present second. Responses to calls of another one do not count.
    second: u32,
    sent: f64,
    accepted: f64,
    in_flight: u32,
    /// The number of calls to send in addition, to learn whether the quantity is higher.
    extra: f64,
    extra_in_next: f64,
    /// Whether the last second ended before its extra calls were throttled.
    is_raised: bool,
    /// A call of this second was throttled: no more are sent.
    is_empty: bool,
    probed_at: f64,
}

/// What a response says about the hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Expected,
    /// A call was throttled before the quantity was used.
    Contradicted,
}

/// Calls are sent this much later than a refill at the earliest, because of jitter.
const MARGIN: f64 = 0.005;
/// Calls are sent at this multiple of the rate, so that responses arrive before the next refill.
const FASTER: f64 = 1.5;
/// Extra calls are sent when all responses have arrived. If that leaves no time before the next refill, they are sent
/// anyway after this multiple of the time between them.
const OVERDUE: f64 = 3.0;
/// Rounding errors of sums of quantities, in calls.
const ROUNDING: f64 = 1e-3;

impl PerSecond {
    /// The hypothesis of a first refill between these times.
    pub(super) fn new(earliest: f64, latest: f64) -> Self {
        PerSecond {
            earliest,
            latest,
            empty_at: f64::midpoint(earliest, latest),
            agreed: 1,
            quantity: 0.0,
            second: 0,
            // The call that found the tokens.
            sent: 1.0,
            accepted: 1.0,
            in_flight: 0,
            extra: 0.0,
            extra_in_next: 0.0,
            is_raised: false,
            is_empty: false,
            probed_at: latest,
        }
    }

    /// The hypothesis after a refill of the empty bucket between these times; `None` if it is not whole seconds
    /// after the earlier ones. `accepted` calls were accepted since the last one.
    pub(super) fn agreeing(&self, earliest: f64, latest: f64, accepted: f64) -> Option<Self> {
        let middle = f64::midpoint(earliest, latest);
        let whole = (middle - f64::midpoint(self.earliest, self.latest)).round();
        let (earliest, latest) =
            (earliest.max(self.earliest + whole), latest.min(self.latest + whole));
        let seconds = (middle - self.empty_at).round();
        (seconds >= 1.0 && earliest < latest + 2.0 * MARGIN).then(|| PerSecond {
            agreed: self.agreed + 1,
            quantity: accepted / seconds,
            second: self.second + 1,
            ..PerSecond::new(earliest.min(latest), latest)
        })
    }

    /// The hypothesis after a refill that says nothing about the quantity.
    pub(super) fn restarted(&self, earliest: f64, latest: f64) -> Self {
        PerSecond {
            agreed: self.agreed,
            quantity: self.quantity,
            second: self.second + 1,
            ..PerSecond::new(earliest, latest)
        }
    }

    /// Whether at least this number of refills agree with the hypothesis.
    pub(super) fn is_confirmed(&self, refills: u32) -> bool {
        self.agreed >= refills
    }

    /// The number of tokens of a refill.
    pub(super) fn quantity(&self) -> f64 {
        self.quantity
    }

    /// The time of the next refill after `time`.
    pub(super) fn next_refill(&self, time: f64) -> f64 {
        self.latest + (time - self.latest).floor() + 1.0 + MARGIN
    }

    /// The time at which the next call may be sent. After `probe_after` seconds, one more call than the quantity is
    /// sent in a second.
    pub(super) fn due(&mut self, time: f64, last_sent: f64, probe_after: f64) -> f64 {
        let passed = (time - self.latest - MARGIN + 1e-6).floor();
        if passed >= 1.0 {
            self.begin_second();
            self.latest += passed;
            self.earliest += passed;
        }
        let next = self.latest + 1.0 + MARGIN;
        if self.is_empty {
            return next;
        }
        let quota = self.quantity.max(1.0) + self.extra - ROUNDING;
        if self.sent >= quota {
            let passed = time - self.probed_at;
            let has_time = self.in_flight == 0 && time < self.earliest + 1.0;
            let may_probe = has_time && passed >= probe_after || passed >= OVERDUE * probe_after;
            if self.extra > 0.0 || !may_probe {
                return next;
            }
            self.probed_at = time;
            self.extra = 1.0;
        }
        (last_sent + 1.0 / (FASTER * (self.quantity + self.extra))).max(time).min(next)
    }

    /// Counts a call as sent. Returns the number of its second.
    pub(super) fn on_sent(&mut self) -> u32 {
        self.sent += 1.0;
        self.in_flight += 1;
        self.second
    }

    /// Records the response to a call of this second; `None` if it was lost.
    pub(super) fn on_response(&mut self, second: u32, accepted: Option<bool>) -> Verdict {
        if second != self.second {
            if second + 1 == self.second && accepted == Some(false) && self.is_raised {
                // Its last calls were throttled after all.
                self.quantity = (self.quantity - 1.0).max(1.0);
                (self.extra, self.extra_in_next) = (0.0, 0.0);
            }
            return Verdict::Expected;
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        let is_contradicted =
            accepted == Some(false) && !self.is_empty && self.sent <= self.quantity + ROUNDING;
        match accepted {
            Some(true) => self.accepted += 1.0,
            Some(false) => self.is_empty = true,
            None => {}
        }
        if self.in_flight == 0 {
            if self.is_empty && !is_contradicted {
                self.quantity = self.accepted.max(1.0);
            } else if self.extra > 0.0 && self.sent >= self.quantity + self.extra - ROUNDING {
                self.extra *= 2.0;
            }
        }
        if is_contradicted { Verdict::Contradicted } else { Verdict::Expected }
    }

    fn begin_second(&mut self) {
        // The extra calls were accepted: double them.
        self.is_raised = self.extra > 0.0 && !self.is_empty && self.sent > self.quantity;
        if self.is_raised {
            self.extra_in_next = (2.0 * self.extra).min(self.quantity);
            self.quantity = self.sent;
        }
        self.second += 1;
        (self.sent, self.accepted, self.in_flight) = (0.0, 0.0, 0);
        (self.extra, self.extra_in_next) = (self.extra_in_next, 0.0);
        self.is_empty = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two refills at 1 and 2 seconds, with `quantity` accepted calls in between.
    fn confirmed(quantity: f64) -> PerSecond {
        PerSecond::new(0.98, 1.0).agreeing(1.98, 2.0, quantity).unwrap()
    }

    /// Runs the second that begins at `from`. Returns the number of accepted and throttled calls.
    fn run(hypothesis: &mut PerSecond, from: f64, tokens: u32) -> (u32, u32) {
        let (mut accepted, mut throttled, mut last) = (0, 0, from);
        let end = hypothesis.next_refill(from + 0.01);
        let mut time = from + 0.01;
        loop {
            time = hypothesis.due(time, last, 0.1).max(time);
            if time >= end - 1e-6 {
                return (accepted, throttled);
            }
            // Within the second, a call waits for the response to the one before.
            last = time;
            let second = hypothesis.on_sent();
            let is_accepted = accepted < tokens;
            if is_accepted {
                accepted += 1
            } else {
                throttled += 1
            }
            hypothesis.on_response(second, Some(is_accepted));
        }
    }

    #[test]
    fn refills_agree_if_they_are_whole_seconds_apart() {
        let first = PerSecond::new(0.98, 1.0);
        assert!(first.agreeing(3.97, 4.01, 60.0).is_some_and(|two| two.quantity() == 20.0));
        assert!(first.agreeing(3.4, 3.45, 60.0).is_none());
        assert!(first.agreeing(1.0, 1.02, 60.0).is_none());
    }

    #[test]
    fn a_second_uses_its_quantity_and_at_most_one_call_is_throttled() {
        let mut hypothesis = confirmed(20.0);
        for n in 3..10 {
            let (accepted, throttled) = run(&mut hypothesis, f64::from(n), 20);
            assert_eq!(accepted, 20, "{hypothesis:?}");
            assert!(throttled <= 1, "{hypothesis:?}");
        }
    }

    #[test]
    fn a_higher_quantity_is_found_in_a_few_seconds() {
        let mut hypothesis = confirmed(20.0);
        for n in 3..6 {
            run(&mut hypothesis, f64::from(n), 45);
        }
        assert_eq!(hypothesis.quantity(), 45.0, "{hypothesis:?}");
    }

    #[test]
    fn a_lower_quantity_contradicts_the_hypothesis() {
        let mut hypothesis = confirmed(2.0);
        hypothesis.due(3.01, 2.0, 10.0);
        let second = hypothesis.on_sent();
        assert_eq!(hypothesis.on_response(second, Some(false)), Verdict::Contradicted);
    }
}
