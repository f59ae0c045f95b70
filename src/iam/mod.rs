//! The value types: made only by parsing, so that a value that exists is valid.
//!
//! The rules are those of the [IAM API reference] and of
//! [IAM's quotas page](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
//!
//! [IAM API reference]: https://docs.aws.amazon.com/IAM/latest/APIReference/

mod account_id;
mod boundary_change;
mod digest;
mod name_pattern;
mod partition;
mod policy_arn;
mod principal;
mod principal_name;
mod rate;
mod share;
mod text;
mod threshold;
mod timestamp;
mod unique_id;

pub use account_id::{AccountId, AccountIdError};
pub use boundary_change::BoundaryChange;
pub use digest::{BadDigest, Digest};
pub use name_pattern::{NamePattern, NamePatternError};
pub use partition::{Partition, UnknownPartition};
pub use policy_arn::{PolicyArn, PolicyArnError, PolicyOwner};
pub use principal::{Principal, PrincipalKind};
pub use principal_name::{PrincipalName, PrincipalNameError};
pub use rate::{BadRate, Rate};
pub use share::{BadShare, Share};
pub(crate) use text::{is_printable, printable, serde_message};
pub use threshold::{BadThreshold, Threshold};
pub use timestamp::{BadTimestamp, Timestamp};
pub use unique_id::{BadUniqueId, UniqueId};

/// Whether IAM takes `c` in the names of users and policies: `[\w+=,.@-]`, where `\w` is ASCII only.
pub(crate) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

/// Whether `text` can be a short name of a boundary. An ARN cannot: it has colons.
pub(crate) fn is_short_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.chars().all(is_name_char)
}

/// [`is_name_char`] as a JSON Schema writes it.
pub(crate) const NAME_CHAR_PATTERN: &str = "[A-Za-z0-9_+=,.@-]";

/// Serde for a type that is read with `FromStr` and written with `Display`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use serde_as_text;

/// Serde for a field that may be null, but not left out.
pub(crate) fn present<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(from)
}

/// A JSON Schema for a type that is read from text: a title, what an editor shows beside it, an
/// expression of the function's result that matches what is parsed and nothing else, and examples.
macro_rules! schema_as_text {
    ($type:ty, $title:literal, $about:literal, $pattern:expr, $examples:expr) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "title": $title,
                    "description": $about,
                    "type": "string",
                    "pattern": $pattern,
                    "examples": $examples,
                })
            }
        }
    };
}
pub(crate) use schema_as_text;
