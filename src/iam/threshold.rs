use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Share;

/// How many at most: a number, or a share of something that is counted when the limit is held against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// So many.
    Count(usize),
    /// Such a share.
    Share(Share),
}

/// A text that is no [`Threshold`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a limit is a whole number, such as 50, or a share from 0% to 100%, such as 10% or 2.5%")]
pub struct BadThreshold;

impl FromStr for Threshold {
    type Err = BadThreshold;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.ends_with('%') {
            return text.parse().map(Threshold::Share).map_err(|_| BadThreshold);
        }
        // `parse` would take a sign, too.
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_digits).map(Threshold::Count).ok_or(BadThreshold)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Threshold::Count(count) => write!(f, "{count}"),
            Threshold::Share(share) => write!(f, "{share}"),
        }
    }
}

/// A number, or a share as text: as the file has them.
impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Threshold::Count(count) => count.serialize(to),
            Threshold::Share(share) => to.collect_str(share),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Count(usize),
    Text(String),
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Written::deserialize(from).map_err(|_| serde::de::Error::custom(BadThreshold))? {
            Written::Count(count) => Ok(Threshold::Count(count)),
            // A number in quotes would be written back without them.
            Written::Text(text) => match text.parse().map_err(serde::de::Error::custom)? {
                Threshold::Count(_) => Err(serde::de::Error::custom(BadThreshold)),
                share => Ok(share),
            },
        }
    }
}

impl schemars::JsonSchema for Threshold {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Threshold".into()
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
            let limit: Threshold = text.parse().unwrap();
            assert_eq!(limit.to_string(), text);
            let json = serde_json::to_string(&limit).unwrap();
            assert_eq!(serde_json::from_str::<Threshold>(&json).unwrap(), limit, "{json}");
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
            assert_eq!(text.parse::<Threshold>(), Err(BadThreshold), "{text}");
        }
    }
}
