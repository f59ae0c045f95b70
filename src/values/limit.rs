use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many at most: a number, or a share of something that is counted when the limit is held against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    Count(usize),
    /// Such a share.
    Share(Share),
}

/// A share from 0 % to 100 %, in hundredths of a per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u16);

/// A text that is no [`Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a limit is a whole number, such as 50, or a share from 0% to 100%, such as 10% or 2.5%")]
pub struct BadLimit;

impl Share {
    /// So many whole per cent, up to 100.
    pub const fn percent(percent: u16) -> Self {
        assert!(percent <= 100, "a share is 100 % at most");
        Share(percent * 100)
    }

    /// The most that is still within this share of `whole`.
    pub fn of(self, whole: usize) -> usize {
        let part = whole as u128 * u128::from(self.0) / 10_000;
        usize::try_from(part).unwrap_or(whole)
    }
}

impl FromStr for Limit {
    type Err = BadLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(percent) = text.strip_suffix('%') else {
            // `parse` would take a sign, too.
            return match text.parse() {
                Ok(count) if digits(text) => Ok(Limit::Count(count)),
                _ => Err(BadLimit),
            };
        };
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, "0"));
        if !digits(whole) || !digits(fraction) || !(1..=2).contains(&fraction.len()) {
            return Err(BadLimit);
        }
        let whole: u16 = whole.parse().map_err(|_| BadLimit)?;
        let hundredths: u16 = format!("{fraction:0<2}").parse().map_err(|_| BadLimit)?;
        match whole.checked_mul(100).and_then(|whole| whole.checked_add(hundredths)) {
            Some(share @ ..=10_000) => Ok(Limit::Share(Share(share))),
            _ => Err(BadLimit),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Count(count) => write!(f, "{count}"),
            Limit::Share(share) => write!(f, "{share}"),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, fraction) if fraction % 10 == 0 => write!(f, "{whole}.{}%", fraction / 10),
            (whole, fraction) => write!(f, "{whole}.{fraction:02}%"),
        }
    }
}

/// A number, or a share as text: as the file has them.
impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Limit::Count(count) => count.serialize(to),
            Limit::Share(share) => to.collect_str(share),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Count(usize),
    Text(String),
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Written::deserialize(from).map_err(|_| serde::de::Error::custom(BadLimit))? {
            Written::Count(count) => Ok(Limit::Count(count)),
            // A number in quotes would be written back without them.
            Written::Text(text) => match text.parse().map_err(serde::de::Error::custom)? {
                Limit::Count(_) => Err(serde::de::Error::custom(BadLimit)),
                share => Ok(share),
            },
        }
    }
}

impl schemars::JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "title": "A limit",
            "description": "A whole number, or a share of the account's users in quotes: \"10%\"",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": r"^([0-9]{1,2}(\.[0-9]{1,2})?|100(\.0{1,2})?)%$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["0", "50", "0%", "10%", "2.5%", "0.05%", "100%"] {
            let limit: Limit = text.parse().unwrap();
            assert_eq!(limit.to_string(), text);
            let json = serde_json::to_string(&limit).unwrap();
            assert_eq!(serde_json::from_str::<Limit>(&json).unwrap(), limit, "{json}");
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in [
            "",
            "%",
            "-1",
            "+1",
            "1.5",
            "101%",
            "100.01%",
            "1.%",
            ".5%",
            "1.555%",
            "ten",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<Limit>(), Err(BadLimit), "{text}");
        }
    }

    #[test]
    fn a_share_is_rounded_down() {
        let share = |text: &str| match text.parse() {
            Ok(Limit::Share(share)) => share,
            other => panic!("{other:?}"),
        };
        assert_eq!(share("10%").of(19), 1);
        assert_eq!(share("0.05%").of(5_000), 2);
        assert_eq!(share("100%").of(usize::MAX), usize::MAX);
    }
}
