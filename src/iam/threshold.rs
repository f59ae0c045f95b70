use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Share;

/// The maximum number of principals in a plan: an absolute number of users and roles together, or a share of the
/// account's users and the same share of its roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// A number of users and roles together.
    Count(usize),
    /// A share of the principals of each kind in the account. Their numbers are not known before the plan.
    Share(Share),
}

/// The error for a text that is not a valid [`Threshold`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a threshold is a whole number, such as 50, or a percentage from 0% to 100%, such as 10% or 2.5%"
)]
pub struct ThresholdError;

impl Threshold {
    /// The number that is allowed of `whole`.
    pub fn of(self, whole: usize) -> usize {
        match self {
            Threshold::Count(count) => count,
            Threshold::Share(share) => share.of(whole),
        }
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.ends_with('%') {
            return text.parse().map(Threshold::Share).map_err(|_| ThresholdError);
        }
        // `parse` also accepts a sign.
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_digits).map(Threshold::Count).ok_or(ThresholdError)
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

/// A number, or a share as a string, as in `boundaries.toml`.
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
enum NumberOrString {
    Number(usize),
    String(String),
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match NumberOrString::deserialize(from)
            .map_err(|_| serde::de::Error::custom(ThresholdError))?
        {
            NumberOrString::Number(count) => Ok(Threshold::Count(count)),
            // The file does not accept a number in quotes.
            NumberOrString::String(text) => match text.parse().map_err(serde::de::Error::custom)? {
                Threshold::Count(_) => Err(serde::de::Error::custom(ThresholdError)),
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
            "title": "Threshold",
            "description": "A whole number, or a percentage of the account's users and of its roles in quotes: \"10%\".",
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
    fn a_threshold_survives_a_round_trip_through_text_and_json() {
        for text in ["0", "50", "0%", "10%", "2.5%", "0.05%", "100%"] {
            let threshold: Threshold = text.parse().unwrap();
            assert_eq!(threshold.to_string(), text);
            let json = serde_json::to_string(&threshold).unwrap();
            assert_eq!(serde_json::from_str::<Threshold>(&json).unwrap(), threshold, "{json}");
        }
    }

    #[test]
    fn an_invalid_threshold_is_rejected() {
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
            assert_eq!(text.parse::<Threshold>(), Err(ThresholdError), "{text}");
        }
    }
}
