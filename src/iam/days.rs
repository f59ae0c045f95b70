use std::fmt;
use std::str::FromStr;

/// A number of days. As text: `90d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(u32);

/// The error for a text that is not valid [`Days`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number of days is 1d to 400d, such as 90d")]
pub struct DaysError;

impl Days {
    /// The most days. IAM reports what was used in the last 400 days
    /// ([last accessed information](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_access-advisor.html)).
    pub const MAX: u32 = 400;

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl FromStr for Days {
    type Err = DaysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_suffix('d').ok_or(DaysError)?;
        let is_number = !digits.starts_with('0') && digits.bytes().all(|c| c.is_ascii_digit());
        let number = digits.parse().ok().filter(|number| is_number && *number <= Self::MAX);
        number.map(Days).ok_or(DaysError)
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}d", self.0)
    }
}

super::serde_as_text!(Days);
super::schema_as_text!(
    Days,
    "Days",
    "A number of days from 1 to 400, such as 90d.",
    "^([1-9][0-9]?|[123][0-9][0-9]|400)d$",
    ["90d"]
);
