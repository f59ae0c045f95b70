/// The hypothesis that IAM throttles some calls at random: a lower rate does not prevent it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Random {
    /// The smoothed share of the calls that are throttled.
    share: f64,
    was_throttled: bool,
    /// The number of measurements since more than single calls were throttled.
    measurements: u32,
    /// The rate before the first of them, in calls per second.
    rate: f64,
    is_confirmed: bool,
}

/// The hypothesis is confirmed after this number of measurements, if…
const REQUIRED: u32 = 3;
/// …they lowered the rate to less than this share, and single calls are still throttled.
const LOWERED: f64 = 0.8;
/// If a larger share of the calls is throttled, it is because of their rate.
const MOST_THROTTLED: f64 = 0.1;
/// The weight of a call in the smoothed share.
const WEIGHT: f64 = 0.02;

impl Random {
    /// Adds the response to a call.
    pub(super) fn add(&mut self, is_throttled: bool) {
        self.share += WEIGHT * (f64::from(u8::from(is_throttled)) - self.share);
        if is_throttled && self.was_throttled || self.share > MOST_THROTTLED {
            (self.measurements, self.is_confirmed) = (0, false);
        }
        self.was_throttled = is_throttled;
    }

    /// Whether throttled calls say nothing about the limit.
    pub(super) fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// The rate to use after calls at the rate `before` were throttled and the rate was `measured`.
    pub(super) fn rate(&mut self, before: f64, measured: f64) -> f64 {
        if self.measurements == 0 {
            self.rate = before;
        }
        self.measurements += 1;
        if self.measurements < REQUIRED || measured > LOWERED * self.rate {
            return measured;
        }
        (self.measurements, self.is_confirmed) = (0, true);
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes `calls` calls at `rate`, of which the last one is throttled. Returns the rate that is used then.
    fn throttled_after(calls: u32, random: &mut Random, rate: f64) -> f64 {
        for _ in 1..calls {
            random.add(false);
        }
        random.add(true);
        random.rate(rate, 0.9 * rate)
    }

    #[test]
    fn the_rate_is_restored_if_lower_rates_have_no_effect() {
        let (mut random, mut rate) = (Random::default(), 100.0);
        for lower in [90.0, 81.0, 100.0] {
            rate = throttled_after(30, &mut random, rate);
            assert!((rate - lower).abs() < 1e-6, "{rate} {lower}");
        }
        assert!(random.is_confirmed());
        random.add(true);
        assert!(!random.is_confirmed());
    }

    #[test]
    fn frequent_throttling_is_not_random() {
        let (mut random, mut rate) = (Random::default(), 100.0);
        for _ in 0..20 {
            rate = throttled_after(5, &mut random, rate);
        }
        assert!(rate < 40.0 && !random.is_confirmed(), "{rate}");
    }
}
