use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of calls per second, from 0.001 to 100,000.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// The error for a text or number that is not a valid [`Rate`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a number of calls per second from 0.001 to 100000, such as 10 or 0.5")]
pub struct RateError;

impl Rate {
    /// A rate of `per_second` calls per second.
    ///
    /// # Errors
    /// Returns [`RateError`] if `per_second` is not between 0.001 and 100,000.
    pub fn per_second(per_second: f64) -> Result<Self, RateError> {
        if (0.001..=100_000.0).contains(&per_second) {
            Ok(Rate(per_second))
        } else {
            Err(RateError)
        }
    }

    /// The valid rate that is nearest to `per_second`.
    pub fn nearest(per_second: f64) -> Self {
        Rate(per_second.clamp(0.001, 100_000.0))
    }

    /// The number of calls per second.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The time between two calls that are evenly spaced.
    pub fn interval(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map_err(|_| RateError).and_then(Rate::per_second)
    }
}

/// Three significant digits, such as `4.17 calls/s`: a measured rate is not more precise.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            slow @ ..10.0 => write!(f, "{slow:.2} calls/s"),
            medium @ ..100.0 => write!(f, "{medium:.1} calls/s"),
            fast => write!(f, "{fast:.0} calls/s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_finite_positive_number() {
        for bad in ["0", "-1", "nan", "inf", "", "fast", "1e9"] {
            assert_eq!(bad.parse::<Rate>(), Err(RateError), "{bad}");
        }
        assert_eq!("0.5".parse(), Rate::per_second(0.5));
    }

    #[test]
    fn a_rate_is_displayed_with_three_significant_digits() {
        let text = |rate| Rate::per_second(rate).unwrap().to_string();
        assert_eq!(text(4.1666), "4.17 calls/s");
        assert_eq!(text(49.97), "50.0 calls/s");
        assert_eq!(text(499.6), "500 calls/s");
    }
}
