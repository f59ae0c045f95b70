use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

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

/// The system clock is not at a usable time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// It is before 1970.
    #[error("the clock of this machine is before the year 1970")]
    Before1970,
    /// It is after 9999.
    #[error("the clock of this machine is after the year 9999")]
    After9999,
}

impl Timestamp {
    /// The current time of the system clock.
    ///
    /// # Errors
    /// [`ClockError`] if the clock is not between the years 1970 and 9999. Other years cannot be written in the
    /// form of RFC 3339, and AWS's signatures have the same form.
    pub fn now() -> Result<Timestamp, ClockError> {
        Timestamp::of(SystemTime::now())
    }

    /// A time of the system clock.
    ///
    /// # Errors
    /// As for [`Timestamp::now`].
    pub fn of(time: SystemTime) -> Result<Timestamp, ClockError> {
        let Ok(since) = time.duration_since(UNIX_EPOCH) else {
            return Err(ClockError::Before1970);
        };
        let seconds = i64::try_from(since.as_secs()).map_err(|_| ClockError::After9999)?;
        match OffsetDateTime::from_unix_timestamp(seconds) {
            Ok(time) => Ok(Timestamp::truncated(time)),
            Err(_) => Err(ClockError::After9999),
        }
    }

    /// The seconds since the beginning of 1970.
    pub fn unix_seconds(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// A time in the form of RFC 3339 with any offset from UTC.
    ///
    /// # Errors
    /// [`TimestampError`] if it is not such a time, or the time in UTC is not between the years 0 and 9999.
    pub fn with_offset(text: &str) -> Result<Timestamp, TimestampError> {
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimestampError)?;
        let time = time.checked_to_offset(UtcOffset::UTC).filter(|time| time.year() >= 0);
        time.map(Timestamp::truncated).ok_or(TimestampError)
    }

    /// The form for people: `2026-11-25 00:12 UTC`.
    pub fn to_the_minute(self) -> String {
        format!("{} {:02}:{:02} UTC", self.0.date(), self.0.hour(), self.0.minute())
    }

    /// The form for file names, which sorts by time: `20261125T001203Z`.
    pub fn compact(self) -> String {
        self.to_string().replace(['-', ':'], "")
    }

    /// The time at which the day in UTC begins.
    pub fn start_of_day(self) -> Timestamp {
        Timestamp(self.0.replace_time(time::Time::MIDNIGHT))
    }

    /// The time this many days later; the last time that a timestamp can have, if that is earlier.
    pub fn plus_days(self, days: u32) -> Timestamp {
        let last = time::Date::MAX
            .with_hms(23, 59, 59)
            .map_or(self.0, time::PrimitiveDateTime::assume_utc);
        Timestamp(self.0.checked_add(time::Duration::days(days.into())).unwrap_or(last))
    }

    /// The time this many days earlier; the beginning of 1970 if that is before the year 0.
    pub fn minus_days(self, days: u32) -> Timestamp {
        let earlier = self.0.checked_sub(time::Duration::days(days.into()));
        Timestamp(earlier.filter(|time| time.year() >= 0).unwrap_or(OffsetDateTime::UNIX_EPOCH))
    }

    /// The number of whole days since an earlier time; 0 if it is later.
    pub fn days_since(self, earlier: Timestamp) -> u32 {
        u32::try_from((self.0 - earlier.0).whole_days()).unwrap_or_default()
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
    use std::time::Duration;

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
        let now = Timestamp::now().unwrap();
        assert_eq!(now.to_string().parse(), Ok(now));
    }

    #[test]
    fn a_clock_outside_the_years_1970_to_9999_is_an_error() {
        let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        let text = |time| Timestamp::of(time).map(|time| time.to_string());
        assert_eq!(text(UNIX_EPOCH).as_deref(), Ok("1970-01-01T00:00:00Z"));
        assert_eq!(text(last).as_deref(), Ok("9999-12-31T23:59:59Z"));
        assert_eq!(text(last + Duration::from_secs(1)), Err(ClockError::After9999));
        // The latest time that the system has.
        let latest = UNIX_EPOCH.checked_add(Duration::from_secs(i64::MAX as u64));
        assert_eq!(latest.map(text), Some(Err(ClockError::After9999)));
        let before = UNIX_EPOCH.checked_sub(Duration::from_nanos(1)).unwrap();
        assert_eq!(text(before), Err(ClockError::Before1970));
        let earliest = UNIX_EPOCH.checked_sub(Duration::from_secs(1 << 40)).unwrap();
        assert_eq!(text(earliest), Err(ClockError::Before1970));
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
