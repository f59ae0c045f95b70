use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RoleRef, is_name_char, not_null};

/// How a role is assumed: the parameters of
/// [AssumeRole](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssumeRole {
    /// The role.
    pub role: RoleRef,
    /// The external ID that the trust policy of the role requires. AWS does not treat it as a secret
    /// ([the confused deputy problem](https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html)).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub external_id: Option<ExternalId>,
    /// The name of the session, which CloudTrail records.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub session_name: Option<SessionName>,
    /// The duration of the session; 1 hour without it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub duration: Option<SessionDuration>,
}

impl AssumeRole {
    /// This role, without further parameters.
    pub fn of(role: RoleRef) -> AssumeRole {
        AssumeRole { role, external_id: None, session_name: None, duration: None }
    }
}

/// The external ID of an AssumeRole call: 2 to 1,224 characters of `[\w+=,.@:/-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(String);

/// The name of a session of a role: 2 to 64 characters of `[\w+=,.@-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionName(String);

/// The duration of a session of a role: whole seconds, from 15 minutes to 12 hours. As text: `1h`, `90m`.
///
/// A session that another role opens lasts at most 1 hour, which STS checks
/// ([role chaining](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionDuration(u16);

/// The error for a text that is not a valid [`ExternalId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an external ID has 2 to 1,224 letters, digits or characters of _+=,.@:/-")]
pub struct ExternalIdError;

/// The error for a text that is not a valid [`SessionName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session name has 2 to 64 letters, digits or characters of _+=,.@-")]
pub struct SessionNameError;

/// The error for a text that is not a valid [`SessionDuration`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the duration of a session is from 15m to 12h, in whole seconds")]
pub struct SessionDurationError;

impl ExternalId {
    /// The ID as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SessionName {
    /// The name as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SessionDuration {
    /// The number of seconds: 900 to 43,200.
    pub fn seconds(self) -> u16 {
        self.0
    }
}

impl FromStr for ExternalId {
    type Err = ExternalIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |c: char| is_name_char(c) || matches!(c, ':' | '/');
        let is_valid = (2..=1_224).contains(&text.len()) && text.chars().all(is_allowed);
        if is_valid { Ok(ExternalId(text.to_owned())) } else { Err(ExternalIdError) }
    }
}

impl FromStr for SessionName {
    type Err = SessionNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_valid = (2..=64).contains(&text.len()) && text.chars().all(is_name_char);
        if is_valid { Ok(SessionName(text.to_owned())) } else { Err(SessionNameError) }
    }
}

impl FromStr for SessionDuration {
    type Err = SessionDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let duration = humantime::parse_duration(text).map_err(|_| SessionDurationError)?;
        match duration.as_secs() {
            seconds @ 900..=43_200 if duration.subsec_nanos() == 0 => {
                u16::try_from(seconds).map(SessionDuration).map_err(|_| SessionDurationError)
            }
            _ => Err(SessionDurationError),
        }
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for SessionDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(Duration::from_secs(self.0.into())).fmt(f)
    }
}

super::serde_as_text!(ExternalId);
super::schema_as_text!(
    ExternalId,
    "External ID",
    "The external ID that the trust policy of the role requires.",
    "^[A-Za-z0-9_+=,.@:/-]{2,1224}$",
    ["boundaries-7f3a"]
);
super::serde_as_text!(SessionName);
super::schema_as_text!(
    SessionName,
    "Session name",
    "The name of the session, which CloudTrail records.",
    "^[A-Za-z0-9_+=,.@-]{2,64}$",
    ["iam-boundaries-nightly"]
);
super::serde_as_text!(SessionDuration);
// The schema cannot express the range.
super::schema_as_text!(
    SessionDuration,
    "Duration of a session",
    "From 15m to 12h, in whole seconds.",
    "^ *[0-9]",
    ["1h"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_from_fifteen_minutes_to_twelve_hours() {
        for (text, seconds) in [("15m", 900), ("1h", 3_600), ("12h", 43_200), ("1h 30m", 5_400)] {
            let duration: SessionDuration = text.parse().unwrap();
            assert_eq!((duration.seconds(), duration.to_string().as_str()), (seconds, text));
        }
        for text in ["", "3600", "899s", "12h 1s", "15m 1ms", "-1h", "1 day"] {
            assert_eq!(text.parse::<SessionDuration>(), Err(SessionDurationError), "{text:?}");
        }
    }

    #[test]
    fn ids_and_names_have_the_limits_of_sts() {
        assert!("a:/b".parse::<ExternalId>().is_ok() && "a@b".parse::<SessionName>().is_ok());
        for text in ["", "a", "a b", "ä1", "a\u{1b}"] {
            assert_eq!(text.parse::<ExternalId>(), Err(ExternalIdError), "{text:?}");
            assert_eq!(text.parse::<SessionName>(), Err(SessionNameError), "{text:?}");
        }
        assert!("a/b".parse::<SessionName>().is_err());
        assert!("n".repeat(65).parse::<SessionName>().is_err());
        assert!("n".repeat(1_225).parse::<ExternalId>().is_err());
    }
}
