//! Text that a message proposes to write into the file.

use toml::de::DeTable;
use toml_writer::{ToTomlKey, ToTomlValue};

use super::diagnostic::escaped;
use crate::iam::PrincipalKind;

/// The values that an entry for a principal can have.
pub(super) fn boundary_help(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => {
            "write a short name from [boundaries] or a policy ARN in quotes, or false without quotes if the user must \
             have no boundary"
        }
        PrincipalKind::Role => {
            "write a short name from [boundaries] or a policy ARN in quotes, or false without quotes if the role must \
             have no boundary"
        }
    }
}

/// The maximum length of a value that a proposal repeats, in characters.
const MAX_VALUE: usize = 200;

/// A name as a key of a table: `alice`, or `"john.doe"` in quotes.
pub(super) fn key(name: &str) -> String {
    name.to_toml_key()
}

/// A text as a string.
pub(super) fn string(text: &str) -> String {
    text.to_toml_value()
}

/// The line `KEY = VALUE`, if that is valid TOML and not too long to repeat.
pub(super) fn line(name: &str, value: &str) -> Option<String> {
    let line = format!("{} = {value}", key(name));
    let is_plain = escaped(&line) == line && value.chars().count() <= MAX_VALUE;
    (is_plain && DeTable::parse(&line).is_ok()).then_some(line)
}
