use std::str::FromStr;
use std::time::Duration;

/// A time span after the first call of a limit. As text, `30..40` begins after 30 seconds and ends before 40 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan {
    from: Duration,
    until: Duration,
}

/// The value is not a [`TimeSpan`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTimeSpan {
    /// The form is wrong.
    #[error("a time span is FROM..UNTIL, such as 30..40, in seconds")]
    Form,
    /// The end is not after the beginning.
    #[error("a time span must end after it begins, as in 30..40")]
    Times,
}

impl TimeSpan {
    /// The span from `from` until `until`, both since the limit's first call. `until` does not belong to it.
    ///
    /// # Errors
    /// Returns [`BadTimeSpan::Times`] if `until` is not after `from`.
    pub fn new(from: Duration, until: Duration) -> Result<Self, BadTimeSpan> {
        if from < until { Ok(TimeSpan { from, until }) } else { Err(BadTimeSpan::Times) }
    }

    pub(super) fn contains(&self, at: Duration) -> bool {
        (self.from..self.until).contains(&at)
    }
}

impl FromStr for TimeSpan {
    type Err = BadTimeSpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, until) = text.split_once("..").ok_or(BadTimeSpan::Form)?;
        let time = |text| seconds(text).ok_or(BadTimeSpan::Form);
        TimeSpan::new(time(from)?, time(until)?)
    }
}

/// Parses a number of seconds, which may be a fraction.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_contains_its_beginning_and_not_its_end() {
        let span: TimeSpan = "0.5..2".parse().unwrap();
        let contains = |millis| span.contains(Duration::from_millis(millis));
        assert_eq!([499, 500, 1_999, 2_000].map(contains), [false, true, true, false]);
        for bad in ["", "5", "..", "5..", "..5", "-1..5", "1..inf", "1..2..3", "1-2"] {
            assert_eq!(bad.parse::<TimeSpan>(), Err(BadTimeSpan::Form), "{bad}");
        }
        for bad in ["5..5", "5..4"] {
            assert_eq!(bad.parse::<TimeSpan>(), Err(BadTimeSpan::Times), "{bad}");
        }
    }
}
