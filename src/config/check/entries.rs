//! The tables `[users]` and `[roles]`.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::boundary::{Expected, expected_boundary};
use super::entry_keys::{is_entry_table, nearly_entry_table};
use super::{Checker, Defined, Key, PrincipalKey, Value, nearest, not_allowed};
use crate::config::Entry;
use crate::config::diagnostic::quoted;
use crate::config::toml_text::boundary_help;
use crate::iam::{
    PolicyRef, PrincipalKind, PrincipalName, UnmodifiableRole, escaped, is_name_char, is_short_name,
};

impl<'a> Checker<'a> {
    /// The entries of the table of this kind.
    pub(super) fn entries(
        &mut self,
        kind: PrincipalKind,
        table: &DeTable<'a>,
        defined: &Defined,
    ) -> BTreeMap<PrincipalName, Entry> {
        let mut entries = BTreeMap::new();
        for (key, value) in table.iter() {
            let entry = match value.get_ref() {
                DeValue::Table(nested)
                    if is_entry_table(nested)
                        || self.is_inline(value)
                        || nearly_entry_table(nested) =>
                {
                    let name = self.name(kind, key);
                    name.zip(self.entry_table(kind, key, nested, defined))
                }
                DeValue::Table(nested) => {
                    self.nested(key.get_ref(), nested, value, &expected_boundary(kind));
                    continue;
                }
                _ => {
                    let name = self.name(kind, key);
                    let expected = expected_boundary(kind);
                    let boundary = self.boundary(kind, key.get_ref(), value, &expected, defined);
                    let position = self.position(&key.span());
                    let entry = boundary.map(|boundary| Entry {
                        boundary,
                        reason: None,
                        expiration: None,
                        missing: None,
                        position,
                    });
                    name.zip(entry)
                }
            };
            entries.extend(entry);
        }
        entries
    }

    fn is_inline(&self, value: &Value<'a>) -> bool {
        self.source.text[value.span()].starts_with('{')
    }

    /// The name of the principal that an entry is for.
    fn name(&mut self, kind: PrincipalKind, key: &Key<'_>) -> Option<PrincipalName> {
        let text = key.get_ref();
        let name = match text.parse::<PrincipalName>() {
            Ok(name) => name,
            Err(error) => {
                let noun = kind.noun();
                let message = format!("{} is not a valid IAM {noun} name", quoted(text));
                let is_path = text.chars().all(|c| is_name_char(c) || matches!(c, '/' | ':'));
                let help = match text.rsplit_once('/') {
                    Some((_, last)) if is_path && last.parse::<PrincipalName>().is_ok() => {
                        format!("write the name of the {noun} without its ARN and path: {last}")
                    }
                    _ => "write the name as it is in IAM: 1 to 64 ASCII letters, digits and \
                          _+=,.@-"
                        .to_owned(),
                };
                let diagnostic = self.at(key.span(), message).label(escaped(&error.to_string()));
                self.diagnostics.push(diagnostic.help(help));
                return None;
            }
        };
        // Other roles of AWS are known only by their paths, which the account has.
        if kind == PrincipalKind::Role
            && let Some(role) = UnmodifiableRole::of_name(&name)
        {
            let message = format!("{} {}", quoted(text), role.reason());
            self.report(key.span(), message, role.help());
        }
        self.keys.push(PrincipalKey { kind, name: text.to_string(), span: key.span() });
        Some(name)
    }

    /// The boundary that a principal of this kind must have. The outer `None` means that the value is not valid.
    pub(super) fn boundary(
        &mut self,
        kind: PrincipalKind,
        name: &str,
        value: &Value<'a>,
        expected: &Expected,
        defined: &Defined,
    ) -> Option<Option<PolicyRef>> {
        match value.get_ref() {
            DeValue::Boolean(false) => Some(None),
            DeValue::String(text) => {
                self.policy_or_name(kind, value.span(), text, defined).map(Some)
            }
            other => {
                self.report(value.span(), expected.message(name, other), expected.help);
                None
            }
        }
    }

    /// The policy that a short name or a text names.
    pub(super) fn policy_or_name(
        &mut self,
        kind: PrincipalKind,
        span: Range<usize>,
        text: &str,
        defined: &Defined,
    ) -> Option<PolicyRef> {
        if let Some(policy) = defined.get(text) {
            if !self.used.contains(text) {
                self.used.insert(text.to_owned());
            }
            return policy.clone();
        }
        if PolicyRef::is_meant(text) {
            return self.policy(span, text);
        }
        self.unknown_short_name(kind, span, text, defined);
        None
    }

    fn unknown_short_name(
        &mut self,
        kind: PrincipalKind,
        span: Range<usize>,
        text: &str,
        defined: &Defined,
    ) {
        let names = defined.keys().map(String::as_str).filter(|name| is_short_name(name));
        let names: Vec<&str> = names.collect();
        let help = match text.trim() {
            "" => boundary_help(kind).to_owned(),
            // The words with which other formats say that there is no value.
            "false" | "null" | "none" | "None" | "nil" => {
                format!("write false without quotes if the {} must have no boundary", kind.noun())
            }
            trimmed if defined.contains_key(trimmed) || trimmed.starts_with("arn:") => {
                format!("remove the spaces: \"{}\"", escaped(trimmed))
            }
            trimmed => match nearest(trimmed, names.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None if names.is_empty() => {
                    "define the short name in a [boundaries] table, or write a policy ARN"
                        .to_owned()
                }
                None => {
                    let shown = names[..names.len().min(10)].join(", ");
                    let more = if names.len() > 10 { ", …" } else { "" };
                    format!("define the short name in [boundaries], or use one of {shown}{more}")
                }
            },
        };
        let message = match text.trim() {
            "" => "the boundary must not be empty".to_owned(),
            _ => format!("unknown short name {}", quoted(text)),
        };
        let diagnostic = self.at(span, message).label(not_allowed(text.trim())).help(help);
        self.diagnostics.push(diagnostic);
    }
}
