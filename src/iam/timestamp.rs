use std::fmt;
use std::str::FromStr;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A time in UTC with a resolution of one second. As text, in the form of RFC 3339:
/// `2026-11-25T00:12:03Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(OffsetDateTime);

/// The error for a text that is not a valid [`Timestamp`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a timestamp is an RFC 3339 time in UTC, such as 2026-11-25T00:12:03Z")]
pub struct TimestampError;

impl Timestamp {
    /// The current time of the system clock.
    pub fn now() -> Timestamp {
        Timestamp::truncated(OffsetDateTime::now_utc())
    }

    /// The form for people: `2026-11-25 00:12 UTC`.
    pub fn to_the_minute(self) -> String {
        format!("{} {:02}:{:02} UTC", self.0.date(), self.0.hour(), self.0.minute())
    }

    /// The form for file names, which sorts by time: `20261125T001203Z`.
    pub fn compact(self) -> String {
        self.to_string().replace(['-', ':'], "")
    }

    fn truncated(time: OffsetDateTime) -> Timestamp {
        Timestamp(time.truncate_to_second())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(time) if time.offset() == UtcOffset::UTC => Ok(Timestamp::truncated(time)),
            _ => Err(TimestampError),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, (hour, minute, second)) = (self.0.date(), self.0.to_hms());
        write!(f, "{date}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

super::serde_as_text!(Timestamp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_parsed_to_the_second_and_has_two_shorter_forms() {
        let text = "2026-11-25T00:12:03Z";
        let timestamp: Timestamp = text.parse().unwrap();
        assert_eq!(timestamp.to_string(), text);
        assert_eq!("2026-11-25T00:12:03.987654321Z".parse(), Ok(timestamp));
        assert_eq!(timestamp.to_the_minute(), "2026-11-25 00:12 UTC");
        assert_eq!(timestamp.compact(), "20261125T001203Z");
        assert_eq!("0001-01-01T00:00:00Z".parse::<Timestamp>().unwrap().compact().len(), 16);
        let now = Timestamp::now();
        assert_eq!(now.to_string().parse(), Ok(now));
    }

    #[test]
    fn a_text_that_is_not_a_utc_time_is_rejected() {
        for text in [
            "",
            "2026-11-25",
            "2026-11-25T00:12:03",
            "2026-11-25T00:12:03+01:00",
            "9999-12-31T23:59:59-23:59",
            "2026-13-25T00:12:03Z",
            "99999999999999999999-11-25T00:12:03Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }
}
