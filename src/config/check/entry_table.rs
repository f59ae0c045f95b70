//! Entries that are tables: a boundary with a reason and an end.

use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use super::boundary::{Expected, expected_boundary};
use super::entry_keys::KEYS;
use super::{Checker, Defined, Key, Value, type_name};
use crate::config::diagnostic::quoted;
use crate::config::toml_text::boundary_help;
use crate::config::{Entry, Expiration, OnMissing, Then};
use crate::iam::{DateOrTime, PrincipalKind, Printable, Timestamp};

/// The maximum length of a reason, in characters. It is repeated in each report.
const MAX_REASON: usize = 500;
const UNTIL_HELP: &str = "write a date or a time without quotes, such as until = 2027-01-31 or until = 2027-01-31T12:00:00Z; \
                          without an offset it is in UTC";
const REASON_HELP: &str = "write one line of text in quotes, such as reason = \"SEC-123\"";

/// What is wrong with the length of a reason: a clause without a subject.
pub(in crate::config) fn problem_of_length(reason: &str) -> Option<String> {
    let length = reason.chars().count();
    (length > MAX_REASON).then(|| format!("has at most {MAX_REASON} characters, not {length}"))
}

impl<'a> Checker<'a> {
    /// The entry with this key. `None` if a part of it is not valid.
    pub(super) fn entry_table(
        &mut self,
        kind: PrincipalKind,
        key: &Key<'_>,
        table: &DeTable<'a>,
        defined: &Defined,
    ) -> Option<Entry> {
        let errors = self.diagnostics.len();
        let name = key.get_ref();
        let (mut boundary, mut until, mut then) = (None, None, None);
        let (mut reason, mut missing) = (None, None);
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "boundary" => {
                    let expected = expected_boundary(kind);
                    boundary = Some(self.boundary(kind, name, value, &expected, defined));
                }
                "then" => {
                    let expected = Expected { value: "then of", ..expected_boundary(kind) };
                    then = Some((key.span(), self.boundary(kind, name, value, &expected, defined)));
                }
                "until" => until = self.until(name, value),
                "reason" => reason = self.reason(name, value),
                "missing" => missing = self.on_missing("missing", value),
                _ => self.unknown_key(key, value, &KEYS),
            }
        }
        // An unknown key is probably the boundary.
        if boundary.is_none() && self.diagnostics.len() == errors {
            let message = format!("the entry of {} has no boundary", quoted(name));
            let help = format!("add boundary = …: {}", boundary_help(kind));
            self.report(key.span(), message, help);
        }
        let has_until = table.iter().any(|(key, _)| key.get_ref() == "until");
        if let Some((span, _)) = then.as_ref().filter(|_| !has_until) {
            let message = format!("the entry of {} has then, but no until", quoted(name));
            let help =
                "add the date from which then applies, such as until = 2027-01-31, or remove then";
            self.report(span.clone(), message, help);
        }
        let then = match then {
            None => Some(Then::Problem),
            Some((_, boundary)) => boundary.map(Then::Boundary),
        };
        let position = self.position(&key.span());
        let expiration = until.zip(then).map(|(until, then)| Expiration { until, then });
        let entry = Entry { boundary: boundary??, reason, expiration, missing, position };
        (self.diagnostics.len() == errors).then_some(entry)
    }

    fn until(&mut self, name: &str, value: &Value<'a>) -> Option<DateOrTime> {
        let until = match value.get_ref() {
            DeValue::Datetime(found) => moment(found),
            _ => None,
        };
        if until.is_none() {
            let found = match value.get_ref() {
                DeValue::Datetime(found) if found.date.is_none() => {
                    "a time without a date".to_owned()
                }
                DeValue::Datetime(found) => found.to_string(),
                DeValue::String(text) => quoted(text),
                other => type_name(other).to_owned(),
            };
            let message = format!(
                "until of {} must be a date or a date with a time, not {found}",
                quoted(name)
            );
            self.report(value.span(), message, UNTIL_HELP);
        }
        until
    }

    fn reason(&mut self, name: &str, value: &Value<'a>) -> Option<Printable> {
        let problem = match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => "must not be empty".to_owned(),
            DeValue::String(text) => match problem_of_length(text) {
                Some(problem) => problem,
                None => return Some(Printable::new(text)),
            },
            other => format!("must be a string, not {}", type_name(other)),
        };
        self.report(value.span(), format!("the reason of {} {problem}", quoted(name)), REASON_HELP);
        None
    }

    /// What a plan says about principals that do not exist, from the key `name`.
    pub(super) fn on_missing(&mut self, name: &str, value: &Value<'a>) -> Option<OnMissing> {
        let words = [("error", OnMissing::Error), ("warn", OnMissing::Warn)];
        self.word(name, value, &words)
    }
}

/// The moment of a date or a time in a file. One without an offset is in UTC.
fn moment(found: &Datetime) -> Option<DateOrTime> {
    let text = found.to_string();
    match (found.date, found.time, found.offset) {
        (Some(_), None, None) => text.parse().ok(),
        (Some(_), Some(_), None) => {
            Timestamp::with_offset(&(text + "Z")).ok().map(DateOrTime::time)
        }
        (Some(_), Some(_), Some(_)) => Timestamp::with_offset(&text).ok().map(DateOrTime::time),
        _ => None,
    }
}
