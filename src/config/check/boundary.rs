//! Boundaries: short names and policies, and names that TOML reads as nested tables.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::entry_keys::is_entry_table;
use super::pinned::{ARN_HELP, is_pinned_table};
use super::{Checker, Key, Value, not_allowed, type_name};
use crate::config::consistency::LocatedArn;
use crate::config::diagnostic::quoted;
use crate::config::toml_text::{self, boundary_help};
use crate::iam::{PolicyRef, PrincipalKind, escaped, is_short_name};

const RELATIVE_HELP: &str = "write an ARN, or policy/NAME for the policy of this name in the account that the file is \
                             used for";

/// The requirement on the values of a table whose keys are names.
pub(super) struct Expected {
    pub(super) table: &'static str,
    /// The words before the name in a message.
    pub(super) value: &'static str,
    /// The accepted types.
    pub(super) types: &'static str,
    pub(super) help: &'static str,
}

const EXPECTED_ARN: Expected =
    Expected { table: "boundaries", value: "value of", types: "a policy ARN", help: ARN_HELP };

impl Expected {
    pub(super) fn message(&self, name: &str, found: &DeValue<'_>) -> String {
        let Expected { value, types, .. } = self;
        format!("the {value} {} must be {types}, not {}", quoted(name), type_name(found))
    }
}

impl<'a> Checker<'a> {
    pub(super) fn short_name(&mut self, name: &Key<'_>, value: &Value<'a>) -> Option<PolicyRef> {
        let text = name.get_ref();
        let is_valid = is_short_name(text);
        if !is_valid {
            let message = format!("{} is not a valid short name", quoted(text));
            let diagnostic = self.at(name.span(), message).label(not_allowed(text));
            let help = "use 1 to 128 ASCII letters, digits and _+=,.@-";
            self.diagnostics.push(diagnostic.help(help));
        }
        match value.get_ref() {
            DeValue::String(policy) => self.policy(value.span(), policy).filter(|_| is_valid),
            DeValue::Table(table) if is_pinned_table(table) => {
                self.pinned(name, table).filter(|_| is_valid)
            }
            DeValue::Table(nested) => {
                self.nested(text, nested, value, &EXPECTED_ARN);
                None
            }
            other => {
                self.report(value.span(), EXPECTED_ARN.message(text, other), ARN_HELP);
                None
            }
        }
    }

    /// The policy that a text names.
    pub(super) fn policy(&mut self, span: Range<usize>, text: &str) -> Option<PolicyRef> {
        let policy = match self.policies.get(text) {
            Some(policy) => policy.clone(),
            None => match text.parse::<PolicyRef>() {
                Ok(policy) => {
                    self.policies.insert(text.to_owned(), policy.clone());
                    policy
                }
                Err(error) => {
                    let message = format!("{} is not a valid policy ARN", quoted(text));
                    let diagnostic = self.at(span, message).label(escaped(&error.to_string()));
                    let is_arn = text.to_ascii_lowercase().starts_with("arn:");
                    let is_path = text.contains('/') && !is_arn;
                    let help = if is_path { RELATIVE_HELP } else { ARN_HELP };
                    self.diagnostics.push(diagnostic.help(help));
                    return None;
                }
            },
        };
        if let Some(arn) = policy.arn() {
            let (source, arn) = (self.source.clone(), arn.clone());
            self.arns.push(LocatedArn { source, span, arn });
        }
        Some(policy)
    }

    /// Reports a table in place of a value. The usual reason is a name with a dot and without quotes: TOML
    /// reads `john.doe = …` as a table `john` with the key `doe`.
    pub(super) fn nested(
        &mut self,
        name: &str,
        table: &DeTable<'a>,
        whole: &Value<'a>,
        expected: &Expected,
    ) {
        let written = |value: &Value<'_>| self.source.text.get(value.span()).unwrap_or_default();
        let is_inline = self.source.text[whole.span()].starts_with('{');
        // Not a part of a name: other formats write the value below such a key.
        let inner = table.iter().find(|(key, _)| key.get_ref() == "boundary");
        if table.is_empty() || is_inline || inner.is_some() {
            let proposed = inner.and_then(|(_, value)| toml_text::line(name, written(value)));
            let help = match proposed {
                Some(line) => format!("write {line} below [{}]", expected.table),
                None => expected.help.to_owned(),
            };
            let span = match inner {
                Some((key, _)) if !is_inline => key.span(),
                _ => whole.span(),
            };
            self.report(span, expected.message(name, whole.get_ref()), help);
            return;
        }
        for (key, value) in table.iter() {
            let dotted = format!("{name}.{}", key.get_ref());
            if let DeValue::Table(nested) = value.get_ref()
                && !is_entry_table(nested)
            {
                self.nested(&dotted, nested, value, expected);
                continue;
            }
            let written = self.source.text.get(value.span()).unwrap_or_default();
            let is_header = self.source.is_header(key.span().start);
            let line = |name: &str| match toml_text::line(name, written) {
                _ if is_header => format!("[{}.{}]", expected.table, toml_text::key(name)),
                Some(line) => line,
                None => toml_text::key(name) + " = …",
            };
            let mut span = key.span();
            if self.source.text[..span.start].ends_with(&format!("{name}.")) {
                span.start -= name.len() + 1;
                let message = format!(
                    "{} is not in quotes, so TOML reads it as a nested table",
                    quoted(&dotted)
                );
                self.report(span, message, format!("put the name in quotes: {}", line(&dotted)));
            } else {
                let help = format!(
                    "write {} below [{}], or {} if the name has a dot",
                    line(name),
                    expected.table,
                    line(&dotted)
                );
                self.report(span, expected.message(name, whole.get_ref()), help);
            }
        }
    }
}

/// The requirement on the boundaries of principals of this kind.
pub(super) fn expected_boundary(kind: PrincipalKind) -> Expected {
    Expected {
        table: kind.plural(),
        value: "boundary of",
        types: "a string or false",
        help: boundary_help(kind),
    }
}
