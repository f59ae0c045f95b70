use std::fmt;
use std::str::FromStr;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A moment in UTC, to the second, written as RFC 3339 has it: `2026-11-25T00:12:03Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(OffsetDateTime);

/// A text that is no [`Timestamp`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as in 2026-11-25T00:12:03Z")]
pub struct BadTimestamp;

impl Timestamp {
    /// The present moment, as the machine's clock has it.
    pub fn now() -> Timestamp {
        Timestamp::to_the_second(OffsetDateTime::now_utc())
    }

    /// For people: `2026-11-25 00:12 UTC`.
    pub fn to_the_minute(self) -> String {
        format!("{} {:02}:{:02} UTC", self.0.date(), self.0.hour(), self.0.minute())
    }

    /// For the names of files, which sort by it: `20261125T001203Z`.
    pub fn compact(self) -> String {
        self.to_string().replace(['-', ':'], "")
    }

    fn to_the_second(moment: OffsetDateTime) -> Timestamp {
        Timestamp(moment.truncate_to_second())
    }
}

impl FromStr for Timestamp {
    type Err = BadTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(moment) if moment.offset() == UtcOffset::UTC => Ok(Timestamp::to_the_second(moment)),
            _ => Err(BadTimestamp),
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
    fn a_time_is_read_back_to_the_second_and_shown_shorter() {
        let text = "2026-11-25T00:12:03Z";
        let moment: Timestamp = text.parse().unwrap();
        assert_eq!(moment.to_string(), text);
        assert_eq!("2026-11-25T00:12:03.987654321Z".parse(), Ok(moment));
        assert_eq!(moment.to_the_minute(), "2026-11-25 00:12 UTC");
        assert_eq!(moment.compact(), "20261125T001203Z");
        assert_eq!("0001-01-01T00:00:00Z".parse::<Timestamp>().unwrap().compact().len(), 16);
        let now = Timestamp::now();
        assert_eq!(now.to_string().parse(), Ok(now));
    }

    #[test]
    fn what_is_no_time_in_utc_is_refused() {
        for text in [
            "",
            "2026-11-25",
            "2026-11-25T00:12:03",
            "2026-11-25T00:12:03+01:00",
            "9999-12-31T23:59:59-23:59",
            "2026-13-25T00:12:03Z",
            "99999999999999999999-11-25T00:12:03Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(BadTimestamp), "{text}");
        }
    }
}
