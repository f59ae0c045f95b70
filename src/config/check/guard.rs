//! The `[guard]` table.

use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use super::{Checker, Value, type_name};
use crate::config::Located;
use crate::config::diagnostic::quoted;
use crate::config::guard::GuardKeys;
use crate::iam::{NamePattern, PrincipalKind, Threshold, escaped};

pub(in crate::config) const KEYS: [&str; 7] = [
    "max_changes",
    "max_removals",
    "protected",
    "protected_roles",
    "allow_own_boundary",
    "widening",
    "taking_used",
];

const OF_ACCOUNT: &str = "the account's users and of its roles";

impl<'a> Checker<'a> {
    pub(super) fn guard(&mut self, table: &DeTable<'a>) -> GuardKeys {
        let mut guard = GuardKeys::default();
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                name @ "max_changes" => guard.max_changes = self.threshold(name, value, OF_ACCOUNT),
                name @ "max_removals" => {
                    guard.max_removals = self.threshold(name, value, OF_ACCOUNT)
                }
                "protected" => {
                    guard.protected = Some(self.protected(PrincipalKind::User, value));
                }
                "protected_roles" => {
                    guard.protected_roles = Some(self.protected(PrincipalKind::Role, value));
                }
                "allow_own_boundary" => match value.get_ref() {
                    DeValue::Boolean(allow) => guard.allow_own_boundary = Some(*allow),
                    other => {
                        let message = format!(
                            "allow_own_boundary must be true or false, not {}",
                            type_name(other)
                        );
                        self.report(value.span(), message, "write true or false without quotes");
                    }
                },
                "widening" => {
                    let help = "write \"refuse\", \"permissions-management\" or \"allow\"";
                    guard.widening = self.parsed_text("widening", value, help);
                }
                "taking_used" => {
                    let help = "write a number of days in quotes, such as \"90d\"";
                    guard.taking_used = self.parsed_text("taking_used", value, help);
                }
                _ => self.unknown_key(key, value, &KEYS),
            }
        }
        guard
    }

    fn parsed_text<T: FromStr>(
        &mut self,
        name: &str,
        value: &Value<'a>,
        help: &'static str,
    ) -> Option<T> {
        let (parsed, found) = match value.get_ref() {
            DeValue::String(text) => (text.parse().ok(), quoted(text)),
            other => (None, type_name(other).to_owned()),
        };
        if parsed.is_none() {
            self.report(value.span(), format!("{name} cannot be {found}"), help);
        }
        parsed
    }

    /// A threshold. `of` says what a percentage is a share of.
    pub(in crate::config) fn threshold(
        &mut self,
        name: &str,
        value: &Value<'a>,
        of: &str,
    ) -> Option<Threshold> {
        let threshold = match value.get_ref() {
            DeValue::Integer(number) => {
                usize::from_str_radix(number.as_str(), number.radix()).ok().map(Threshold::Count)
            }
            // A number in quotes is not valid, here as in the JSON Schema.
            DeValue::String(text) => match text.parse() {
                Ok(share @ Threshold::Share(_)) => Some(share),
                _ => None,
            },
            _ => None,
        };
        if threshold.is_none() {
            let found = match value.get_ref() {
                DeValue::String(text) => quoted(text),
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Float(number) => number.as_str().to_owned(),
                other => type_name(other).to_owned(),
            };
            let message = format!(
                "{name} must be a whole number from 0 or a percentage from 0% to 100%, not {found}"
            );
            let help = match value.get_ref() {
                DeValue::String(text) if text.parse::<usize>().is_ok() => {
                    format!("write the number without quotes: {name} = {text}")
                }
                _ => format!(
                    "write a number, such as {name} = 50, or a percentage of {of} in quotes, such as {name} = \"10%\""
                ),
            };
            self.report(value.span(), message, help);
        }
        threshold
    }

    /// The principals of this kind whose boundary must not be changed.
    fn protected(&mut self, kind: PrincipalKind, value: &Value<'a>) -> Vec<Located<NamePattern>> {
        let (key, help) = match kind {
            PrincipalKind::User => (
                "protected",
                "write an array of user names or patterns in quotes: \
                 protected = [\"break-glass\", \"emergency-*\"]",
            ),
            PrincipalKind::Role => (
                "protected_roles",
                "write an array of role names or patterns in quotes: \
                 protected_roles = [\"break-glass\", \"emergency-*\"]",
            ),
        };
        let noun = kind.noun();
        let DeValue::Array(entries) = value.get_ref() else {
            let found = type_name(value.get_ref());
            self.report(value.span(), format!("{key} must be an array, not {found}"), help);
            return Vec::new();
        };
        let mut patterns = Vec::new();
        for entry in entries.iter() {
            let DeValue::String(text) = entry.get_ref() else {
                let found = type_name(entry.get_ref());
                let message = format!("a protected {noun} must be a string, not {found}");
                self.report(entry.span(), message, help);
                continue;
            };
            match text.parse::<NamePattern>() {
                Ok(value) => {
                    let position = self.position(&entry.span());
                    patterns.push(Located { value, position });
                }
                Err(error) => {
                    let message = format!("{} is not a valid {noun} name or pattern", quoted(text));
                    let diagnostic = self.at(entry.span(), message);
                    self.diagnostics.push(diagnostic.label(escaped(&error.to_string())).help(help));
                }
            }
        }
        patterns
    }
}
