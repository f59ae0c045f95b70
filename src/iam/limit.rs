use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Share;

/// How many at most: a number, or a share of something that is counted when the limit is held against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    Count(usize),
    /// Such a share.
    Share(Share),
}

/// A text that is no [`Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a limit is a whole number, such as 50, or a share from 0% to 100%, such as 10% or 2.5%")]
pub struct BadLimit;

impl FromStr for Limit {
    type Err = BadLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.ends_with('%') {
            return text.parse().map(Limit::Share).map_err(|_| BadLimit);
        }
        // `parse` would take a sign, too.
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_digits).map(Limit::Count).ok_or(BadLimit)
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
            "010%",
            "ten",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<Limit>(), Err(BadLimit), "{text}");
        }
    }
}
