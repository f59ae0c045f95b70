use std::fmt;
use std::str::FromStr;

use super::Timestamp;

/// A date, or a time to the second, in UTC: `2027-01-31` or `2027-01-31T12:00:00Z`. A date is the moment at which it
/// begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateOrTime {
    moment: Timestamp,
    is_date: bool,
}

/// The error for a text that is not a valid [`DateOrTime`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a date is YYYY-MM-DD, such as 2027-01-31, and a time is in UTC, such as 2027-01-31T12:00:00Z"
)]
pub struct DateOrTimeError;

impl DateOrTime {
    /// The day of a time.
    pub fn date_of(time: Timestamp) -> Self {
        DateOrTime { moment: time.start_of_day(), is_date: true }
    }

    /// A time to the second.
    pub fn time(time: Timestamp) -> Self {
        DateOrTime { moment: time, is_date: false }
    }

    /// The time, or the moment at which the date begins.
    pub fn moment(self) -> Timestamp {
        self.moment
    }

    /// Whether it is a date without a time.
    pub fn is_date(self) -> bool {
        self.is_date
    }
}

impl FromStr for DateOrTime {
    type Err = DateOrTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_date = text.len() == "2027-01-31".len();
        let moment = match is_date {
            true => format!("{text}T00:00:00Z").parse(),
            false => text.parse(),
        };
        let moment = moment.map_err(|_| DateOrTimeError)?;
        let parsed = DateOrTime { moment, is_date };
        // Each has one form, so that equal plans are equal texts.
        match parsed.to_string() == text {
            true => Ok(parsed),
            false => Err(DateOrTimeError),
        }
    }
}

impl fmt::Display for DateOrTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.moment.to_string();
        match self.is_date {
            true => f.pad(&text[.."2027-01-31".len()]),
            false => f.pad(&text),
        }
    }
}

super::serde_as_text!(DateOrTime);
super::schema_as_text!(
    DateOrTime,
    "Date or time in UTC",
    "A date, which is the moment at which it begins in UTC, or a time in UTC.",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$",
    ["2027-01-31", "2027-01-31T12:00:00Z"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_moment_at_which_it_begins() {
        let date: DateOrTime = "2027-01-31".parse().unwrap();
        let time: DateOrTime = "2027-01-31T00:00:00Z".parse().unwrap();
        assert_eq!((date.to_string().as_str(), date.is_date()), ("2027-01-31", true));
        assert_eq!((time.to_string().as_str(), time.is_date()), ("2027-01-31T00:00:00Z", false));
        assert_eq!(date.moment(), time.moment());
        let noon = "2027-01-31T12:00:00Z".parse().unwrap();
        assert_eq!(DateOrTime::date_of(noon), date);
        assert_eq!(DateOrTime::time(noon).moment(), noon);
    }

    #[test]
    fn other_forms_are_rejected() {
        for text in [
            "",
            "2027-02-30",
            "2027-1-31",
            "2027-01-31T12:00Z",
            "2027-01-31T12:00:00+01:00",
            "2027-01-31T12:00:00.5Z",
            "2027-01-31 12:00:00Z",
        ] {
            assert_eq!(text.parse::<DateOrTime>(), Err(DateOrTimeError), "{text}");
        }
    }
}
