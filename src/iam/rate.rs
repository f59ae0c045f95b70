use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of calls per second: finite and above zero.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// A text that is no [`Rate`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a number of calls per second from 0.001 to 100000, such as 10 or 0.5")]
pub struct BadRate;

impl Rate {
    /// `per_second` calls each second.
    ///
    /// # Errors
    /// When it is not between 0.001 and 100,000.
    pub fn per_second(per_second: f64) -> Result<Self, BadRate> {
        if (0.001..=100_000.0).contains(&per_second) { Ok(Rate(per_second)) } else { Err(BadRate) }
    }

    /// What was measured, or the nearest rate that there is.
    pub fn nearest(per_second: f64) -> Self {
        Rate(per_second.clamp(0.001, 100_000.0))
    }

    /// The number of calls each second.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The time from one call to the next when they are spaced evenly.
    pub fn interval(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

impl FromStr for Rate {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map_err(|_| BadRate).and_then(Rate::per_second)
    }
}

/// `4.17 calls/s`, `120 calls/s`: three digits are all that is known of a limit that was measured.
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
    fn a_rate_is_a_finite_number_above_zero() {
        for bad in ["0", "-1", "nan", "inf", "", "fast", "1e9"] {
            assert_eq!(bad.parse::<Rate>(), Err(BadRate), "{bad}");
        }
        assert_eq!("0.5".parse(), Rate::per_second(0.5));
    }

    #[test]
    fn a_rate_reads_with_three_digits() {
        let text = |rate| Rate::per_second(rate).unwrap().to_string();
        assert_eq!(text(4.1666), "4.17 calls/s");
        assert_eq!(text(49.97), "50.0 calls/s");
        assert_eq!(text(499.6), "500 calls/s");
    }
}
