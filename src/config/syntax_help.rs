//! What is wrong with a line that is not TOML, and a line that is, for the errors that are common in
//! `boundaries.toml`.

use std::ops::Range;
use std::sync::Arc;

use super::Diagnostic;
use super::diagnostic::escaped;
use super::source_text::{BYTE_ORDER_MARK, Header, SourceText};
use super::toml_text::{self, boundary_help};
use crate::iam::{PrincipalKind, character, is_curly_quote};

const GENERAL: &str = "write each line as NAME = \"VALUE\", [TABLE] or # COMMENT";

/// The diagnostic of a syntax error that the parser reports with `message`.
pub(super) fn invalid(
    source: &Arc<SourceText>,
    headers: &[Header<'_>],
    message: &str,
    span: Range<usize>,
) -> Diagnostic {
    let whole = source.lines_around(&(span.start..span.start));
    let (number, _) = source.position(span.start);
    let line = Line::of(&source.text[whole.clone()]);
    let from = span.start.saturating_sub(whole.start);
    let at = |span, message: &str| Diagnostic::at(source, span, format!("invalid TOML: {message}"));
    if let Some((offset, c)) = foreign(&source.text[whole.clone()]) {
        let start = whole.start + offset;
        return at(start..start + c.len_utf8(), &format!("{} is not allowed here", character(c)))
            .help(help_on_foreign(line.text, c));
    }
    let table = headers.iter().rev().find(|(header, _)| *header < number);
    let entry_of = table
        .and_then(|(_, name)| PrincipalKind::ALL.into_iter().find(|kind| kind.plural() == *name));
    if let Some(word) = line.null(from) {
        let help = match entry_of {
            Some(kind) => {
                let line = toml_text::line(line.name(), "false");
                let line = line.as_deref().unwrap_or("false");
                format!("if the {} must have no boundary, write {line}", kind.noun())
            }
            None => "remove the line".to_owned(),
        };
        return at(span, &format!("TOML has no value {}", escaped(word))).help(help);
    }
    let diagnostic = match line.bare_value(from) {
        // The parser may expect another type that begins with the same letter.
        Some(value) if value.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            at(span, "a string must be in quotes")
        }
        _ => at(span, &escaped(message)),
    };
    diagnostic.help(line.help(from, entry_of))
}

/// A line, divided at the sign between key and value.
struct Line<'t> {
    text: &'t str,
    key: &'t str,
    /// `None` without a sign.
    value: Option<&'t str>,
}

impl<'t> Line<'t> {
    /// A name such as `a+b=c` contains the sign. The one of the line has spaces around it.
    fn of(text: &'t str) -> Self {
        let text = text.trim_matches(BYTE_ORDER_MARK);
        match text.split_once(" =").or_else(|| text.split_once('=')) {
            Some((key, value)) => Line { text, key: key.trim(), value: Some(value.trim()) },
            None => Line { text, key: text.trim(), value: None },
        }
    }

    /// The key without its quotes, which may be incomplete.
    fn name(&self) -> &'t str {
        self.key.trim_matches(['"', '\''])
    }

    /// The value, if the error is in it.
    fn value_at(&self, from: usize) -> Option<&'t str> {
        let value = self.value.filter(|value| !value.is_empty() && !self.key.is_empty())?;
        let key_ends = self.text.find(self.key).unwrap_or_default() + self.key.len();
        (from > key_ends).then_some(value)
    }

    /// A value with which other formats say that there is none.
    fn null(&self, from: usize) -> Option<&'t str> {
        const WORDS: [&str; 6] = ["null", "none", "nil", "undefined", "~", "void"];
        let value = self.value_at(from)?;
        WORDS.iter().any(|word| value.eq_ignore_ascii_case(word)).then_some(value)
    }

    /// A value that would be a string if it were in quotes.
    fn bare_value(&self, from: usize) -> Option<&'t str> {
        bare(self.value_at(from)?)
    }

    /// The instruction. `entry_of` is the kind of principals that the table of the line lists.
    fn help(&self, from: usize, entry_of: Option<PrincipalKind>) -> String {
        let Some(value) = self.value else {
            return GENERAL.to_owned();
        };
        if ["true", "false"].iter().any(|word| value != *word && value.eq_ignore_ascii_case(word)) {
            return match (value.to_ascii_lowercase().as_str(), entry_of) {
                ("false", Some(kind)) => {
                    format!("write false in lowercase if the {} must have no boundary", kind.noun())
                }
                (_, Some(kind)) => boundary_help(kind).to_owned(),
                (word, None) => format!("write {word} in lowercase"),
            };
        }
        if let Some(value) = self.bare_value(from).filter(|_| !self.needs_quotes()) {
            return format!("put the string in quotes: {}", toml_text::string(value));
        }
        if !self.needs_quotes() {
            return GENERAL.to_owned();
        }
        let value = value.trim_start_matches('=').trim_start();
        let value = bare(value).map_or_else(|| value.to_owned(), toml_text::string);
        let rule = "put names with characters other than letters, digits, _ and - in quotes";
        match toml_text::line(self.name(), &value) {
            Some(line) => format!("{rule}: {line}"),
            None => rule.to_owned(),
        }
    }

    fn needs_quotes(&self) -> bool {
        let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let is_quoted =
            |quote| self.key.len() > 1 && self.key.starts_with(quote) && self.key.ends_with(quote);
        !self.key.is_empty()
            && !self.key.starts_with(['[', '#'])
            && !is_quoted('"')
            && !is_quoted('\'')
            && !self.key.chars().all(is_bare)
    }
}

/// The first character that is not ASCII, outside of strings and comments.
fn foreign(line: &str) -> Option<(usize, char)> {
    let mut quote = None;
    for (offset, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '#' => return None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if !c.is_ascii() => return Some((offset, c)),
            None => {}
        }
    }
    None
}

fn help_on_foreign(line: &str, c: char) -> String {
    if is_curly_quote(c) {
        let straight: String =
            line.chars().map(|c| if is_curly_quote(c) { '"' } else { c }).collect();
        let corrected = Line::of(&straight);
        let corrected = corrected.value.and_then(|value| toml_text::line(corrected.name(), value));
        return match corrected {
            Some(line) => format!("use straight quotation marks: {line}"),
            None => "use straight quotation marks: \"".to_owned(),
        };
    }
    if c.is_whitespace() {
        return "replace it with a space".to_owned();
    }
    if c.is_alphanumeric() {
        return "write an ASCII letter: IAM names and short names have no others".to_owned();
    }
    "remove it, or replace it with the ASCII character that it looks like".to_owned()
}

/// A value without its quotes, which may be incomplete, if it would be a string in quotes.
fn bare(value: &str) -> Option<&str> {
    let value = value.trim_matches(['"', '\'']);
    let is_part = |c: char| c.is_ascii_alphanumeric() || ":/_+=,.@-%".contains(c);
    let is_word = value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word))
        && value.chars().all(is_part);
    is_word.then_some(value)
}
