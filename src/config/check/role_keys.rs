//! The keys that say how a role is assumed: `assume_role`, `external_id`, `session_name` and `duration`.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use toml::de::DeValue;

use super::{Checker, Key, Value, type_name};
use crate::config::diagnostic::quoted;
use crate::iam::{AssumeRole, ExternalId, RoleRef, SessionDuration, SessionName, escaped};

/// The keys, and [`ASSUME_ROLE`] is the one that the others need.
pub(in crate::config) const ROLE_KEYS: [&str; 4] =
    [ASSUME_ROLE, "external_id", "session_name", "duration"];
pub(in crate::config) const ASSUME_ROLE: &str = "assume_role";

const ROLE_HELP: &str = "write role/NAME for the role of this name in the account, or the ARN of a role, such as \
                         arn:aws:iam::123456789012:role/iam-boundaries";

/// The keys that a table has, as far as their values are valid.
#[derive(Debug, Clone, Default)]
pub(in crate::config) struct RoleKeys {
    /// The position of `assume_role`'s value, also if it is not valid.
    pub(in crate::config) span: Option<Range<usize>>,
    pub(in crate::config) role: Option<RoleKey>,
    pub(in crate::config) external_id: Option<ExternalId>,
    pub(in crate::config) session_name: Option<SessionName>,
    pub(in crate::config) duration: Option<SessionDuration>,
    /// The other keys that the table has, with their positions.
    pub(in crate::config) others: Vec<(&'static str, Range<usize>)>,
}

/// The value of `assume_role`.
#[derive(Debug, Clone)]
pub(in crate::config) enum RoleKey {
    /// `false`: no role is assumed.
    None,
    Role(RoleRef),
}

impl RoleKeys {
    /// The role to assume; `None` without one.
    pub(in crate::config) fn assume_role(&self) -> Option<AssumeRole> {
        match &self.role {
            Some(RoleKey::Role(role)) => Some(AssumeRole {
                role: role.clone(),
                external_id: self.external_id.clone(),
                session_name: self.session_name.clone(),
                duration: self.duration,
            }),
            _ => None,
        }
    }

    /// These keys, and those of `default` that the table does not have.
    pub(in crate::config) fn or(&self, default: &RoleKeys) -> RoleKeys {
        RoleKeys {
            span: self.span.clone().or_else(|| default.span.clone()),
            role: if self.span.is_some() { self.role.clone() } else { default.role.clone() },
            external_id: self.external_id.clone().or_else(|| default.external_id.clone()),
            session_name: self.session_name.clone().or_else(|| default.session_name.clone()),
            duration: self.duration.or(default.duration),
            others: self.others.clone(),
        }
    }
}

impl<'a> Checker<'a> {
    /// Reads one of the [`ROLE_KEYS`]. Returns whether the key is one of them. `may_be_false` says whether
    /// `assume_role` can be `false`.
    pub(in crate::config) fn role_key(
        &mut self,
        keys: &mut RoleKeys,
        key: &Key<'_>,
        value: &Value<'a>,
        may_be_false: bool,
    ) -> bool {
        let Some(name) = ROLE_KEYS.into_iter().find(|name| key.get_ref() == name) else {
            return false;
        };
        if name != ASSUME_ROLE {
            keys.others.push((name, key.span()));
        }
        match (name, value.get_ref()) {
            (ASSUME_ROLE, DeValue::Boolean(false)) if may_be_false => {
                keys.span = Some(value.span());
                keys.role = Some(RoleKey::None);
            }
            (ASSUME_ROLE, _) => {
                keys.span = Some(value.span());
                keys.role = self.text(name, "role", value, ROLE_HELP).map(RoleKey::Role);
            }
            ("external_id", _) => {
                let help = "write the external ID that the trust policy of the role requires";
                keys.external_id = self.text(name, "external ID", value, help);
            }
            ("session_name", _) => {
                let help = "write a name in quotes, such as session_name = \"iam-boundaries\"";
                keys.session_name = self.text(name, "session name", value, help);
            }
            _ => {
                let help = "write a duration in quotes, such as duration = \"1h\"";
                keys.duration = self.text(name, "duration", value, help);
            }
        }
        true
    }

    /// Reports the keys that need `assume_role`. `why` says what the table has instead.
    pub(in crate::config) fn needs_no_role(&mut self, keys: &RoleKeys, why: &str, help: &str) {
        for (name, span) in &keys.others {
            self.report(span.clone(), format!("{name} has no effect {why}"), help);
        }
    }

    /// A value that is a string of this type, whose name in messages is `noun`.
    pub(in crate::config) fn text<T>(
        &mut self,
        name: &str,
        noun: &str,
        value: &Value<'a>,
        help: &str,
    ) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        match value.get_ref() {
            DeValue::String(text) => match text.parse() {
                Ok(parsed) => return Some(parsed),
                Err(error) => {
                    let message = format!("{} is not a valid {noun}", quoted(text));
                    let diagnostic = self.at(value.span(), message);
                    let label = escaped(&error.to_string());
                    self.diagnostics.push(diagnostic.label(label).help(help));
                }
            },
            other => {
                let message = format!("{name} must be a string, not {}", type_name(other));
                self.report(value.span(), message, help);
            }
        }
        None
    }
}
