//! The value types of IAM and of this tool. They are created only by parsing, so every value is valid.
//!
//! Names, ARNs and their limits follow the [IAM API reference] and the page
//! [IAM and AWS STS quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
//!
//! [IAM API reference]: https://docs.aws.amazon.com/IAM/latest/APIReference/

mod account_alias;
mod account_id;
mod account_name;
mod action_pattern;
mod assume_role;
mod boundary_change;
mod character;
mod date_or_time;
mod days;
mod digest;
mod encoding;
mod group_pattern;
mod name_pattern;
mod partition;
mod path_pattern;
mod policy_arn;
mod policy_ref;
mod principal;
mod principal_counts;
mod principal_name;
mod principal_pattern;
mod rate;
mod role_ref;
mod shard;
mod share;
mod tag_pattern;
mod text;
mod threshold;
mod timestamp;
mod unique_id;
mod unit_id;
mod unmodifiable_role;
mod wildcards;

pub use account_alias::{AccountAlias, AccountAliasError};
pub use account_id::{AccountId, AccountIdError};
pub use account_name::{AccountName, AccountNameError, AccountSelector, AccountSelectorError};
pub use action_pattern::{ActionPattern, ActionPatternError};
pub use assume_role::{
    AssumeRole, ExternalId, ExternalIdError, SessionDuration, SessionDurationError, SessionName,
    SessionNameError,
};
pub use boundary_change::BoundaryChange;
pub(crate) use character::{character, is_curly_quote};
pub use date_or_time::{DateOrTime, DateOrTimeError};
pub use days::{Days, DaysError};
pub use digest::{Digest, DigestBuilder, DigestError};
pub use encoding::ForeignEncoding;
pub use group_pattern::{GroupPattern, GroupPatternError};
pub use name_pattern::{NamePattern, NamePatternError};
pub use partition::{Partition, UnknownPartition};
pub use path_pattern::{PathPattern, PathPatternError};
pub(crate) use policy_arn::policy_pattern;
pub use policy_arn::{PolicyArn, PolicyArnError, PolicyOwner};
pub use policy_ref::{PolicyRef, RelativePolicy};
pub use principal::{Principal, PrincipalKind};
pub use principal_counts::PrincipalCounts;
pub use principal_name::{PrincipalName, PrincipalNameError};
pub use principal_pattern::{PrincipalPattern, PrincipalPatternError};
pub use rate::{Rate, RateError};
pub use role_ref::{RoleArn, RoleRef, RoleRefError};
pub use shard::{Shard, ShardError};
pub use share::{Share, ShareError};
pub use tag_pattern::{TagError, TagKey, TagPattern};
pub use text::{Printable, counted, grouped};
pub(crate) use text::{escaped, is_printable, is_unsafe, printable, serde_message};
pub use threshold::{Threshold, ThresholdError};
pub use timestamp::{ClockError, Timestamp, TimestampError};
pub use unique_id::{UniqueId, UniqueIdError};
pub use unit_id::{UnitId, UnitIdError};
pub use unmodifiable_role::UnmodifiableRole;

/// Whether IAM allows `c` in the names of users, roles and policies: `[\w+=,.@-]`, where `\w` is ASCII only.
pub(crate) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

/// Whether `text` is a valid short name of a boundary. An ARN never is, because it contains colons.
pub(crate) fn is_short_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.chars().all(is_name_char)
}

/// [`is_name_char`] as a regular expression of a JSON Schema.
pub(crate) const NAME_CHAR_PATTERN: &str = "[A-Za-z0-9_+=,.@-]";

/// Implements serde for a type with `FromStr` and `Display`.
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

/// Deserializes a field that may be null but must be present: serde treats a missing `Option` as null.
pub(crate) fn present<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(from)
}

/// Deserializes a field that may be missing, but must not be null.
pub(crate) fn not_null<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(from).map(Some)
}

/// Deserializes a list that is missing if it is empty.
pub(crate) fn not_empty<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    let list = <Vec<T> as serde::Deserialize>::deserialize(from)?;
    match list.is_empty() {
        true => Err(serde::de::Error::custom("an empty list must be left out")),
        false => Ok(list),
    }
}

/// Implements `JsonSchema` for a type with `FromStr`. The pattern must match exactly the texts that
/// `FromStr` accepts.
macro_rules! schema_as_text {
    ($type:ty, $title:literal, $description:literal, $pattern:expr, $examples:expr) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "title": $title,
                    "description": $description,
                    "type": "string",
                    "pattern": $pattern,
                    "examples": $examples,
                })
            }
        }
    };
}
pub(crate) use schema_as_text;
