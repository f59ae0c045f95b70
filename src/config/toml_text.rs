//! Text of TOML that a message proposes, or that is written into a file.

use toml::de::DeTable;
use toml_writer::{ToTomlKey, ToTomlValue, TomlKeyBuilder, TomlStringBuilder};

use crate::iam::{PrincipalKind, is_printable, is_unsafe};

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

/// A name as a key of a table: `alice`, or `"john.doe"` in quotes. It is printable.
pub(super) fn key(name: &str) -> String {
    let key = name.to_toml_key();
    match is_printable(&key) {
        true => key,
        false => with_escapes(&TomlKeyBuilder::new(name).as_basic().to_toml_key()),
    }
}

/// A text as a string. It is printable.
pub(super) fn string(text: &str) -> String {
    let string = text.to_toml_value();
    match is_printable(&string) {
        true => string,
        false => with_escapes(&basic(text)),
    }
}

/// A basic string: in a literal one, nothing could be escaped in a message, or on the way to a workflow log.
pub(super) fn basic(text: &str) -> String {
    TomlStringBuilder::new(text).as_basic().to_toml_value()
}

/// A basic string with the escape sequences of TOML in place of the characters that a message cannot show.
fn with_escapes(basic: &str) -> String {
    let shown = |c: char| match u32::from(c) {
        _ if !is_unsafe(c) => c.to_string(),
        code @ ..=0xffff => format!("\\u{code:04X}"),
        code => format!("\\U{code:08X}"),
    };
    basic.chars().map(shown).collect()
}

/// The line `KEY = VALUE`, if that is valid TOML and not too long to repeat.
pub(super) fn line(name: &str, value: &str) -> Option<String> {
    let line = format!("{} = {value}", key(name));
    let is_plain = is_printable(&line) && value.chars().count() <= MAX_VALUE;
    (is_plain && DeTable::parse(&line).is_ok()).then_some(line)
}
