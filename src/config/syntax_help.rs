//! What is wrong with a line that is not TOML, and a line that is, for the errors that are common in
//! `boundaries.toml`.

use std::ops::Range;
use std::sync::Arc;

use super::Diagnostic;
use super::diagnostic::quoted;
use super::source_text::{BYTE_ORDER_MARK, Header, SourceText};
use super::syntax_repair::mistake;
use super::toml_text::{self, boundary_help};
use crate::iam::{PrincipalKind, character, escaped, is_curly_quote, is_name_char};

const GENERAL: &str = "write each line as NAME = \"VALUE\", [TABLE] or # COMMENT";
const VALUES: &str = "write a string in quotes, a number, true, false, a date such as 2027-01-31, an array in [ ] or a \
                      table in { }";

/// The diagnostic of a syntax error that the parser reports with `message`. The message itself is not shown: it names
/// rules of the grammar.
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
        let span = start..start + c.len_utf8();
        return match c {
            '\r' => at(span, "the line ends with a carriage return (CR) without a line feed (LF)")
                .help("save the file with line endings of Unix (LF) or Windows (CRLF)"),
            _ => at(span, &format!("{} is not allowed here", character(c)))
                .help(help_on_foreign(line.text, c)),
        };
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
    if let Some(boolean) = line.boolean(from) {
        let help = match (boolean, entry_of) {
            (false, Some(kind)) => {
                format!("write false in lowercase if the {} must have no boundary", kind.noun())
            }
            (true, Some(kind)) => boundary_help(kind).to_owned(),
            (boolean, None) => format!("write {boolean} in lowercase"),
        };
        return at(span, "the booleans of TOML are true and false, in lowercase").help(help);
    }
    let text = &source.text[whole.clone()];
    if let Some(mistake) = mistake(text).filter(|it| !it.is_open || is_about_brackets(message)) {
        let span = whole.start + mistake.span.start..whole.start + mistake.span.end;
        return at(span, &mistake.message).help(mistake.help);
    }
    if message.contains("multi-line") {
        let help = "write three quotation marks at its end, too, or one on each side";
        return at(span, "the string has no closing quotation marks").help(help);
    }
    if let Some(kind) = entry_of
        && line.needs_quotes()
        && !line.name().chars().all(is_name_char)
    {
        return line.not_a_name(kind, |span, message| {
            at(whole.start + span.start..whole.start + span.end, &message)
        });
    }
    at(span, line.statement(message)).help(line.help())
}

/// Whether the parser reports an array or an inline table that ends too early or not at all.
pub(super) fn is_about_brackets(message: &str) -> bool {
    message.contains("missing comma")
        || message.contains("unclosed array")
        || message.contains("unclosed inline")
}

/// The name before the sign of a line, without its quotes.
pub(super) fn name_of(line: &str) -> &str {
    Line::of(line).name()
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

    /// A boolean as other formats or languages write it.
    fn boolean(&self, from: usize) -> Option<bool> {
        let value = self.value_at(from)?;
        let is_one_of = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        match (is_one_of(&["true", "yes", "on"]), is_one_of(&["false", "no", "off"])) {
            _ if ["true", "false"].contains(&value) => None,
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// What is wrong with a line of which only the message of the parser is known.
    fn statement(&self, message: &str) -> &'static str {
        let is_about = |part: &str| message.contains(part);
        match () {
            () if self.needs_quotes() && self.value.is_some() => {
                "a name with characters other than letters, digits, _ and - must be in quotes"
            }
            () if is_about("missing comma") => "expected a comma between two values",
            () if is_about("unclosed array") => "the array has no closing bracket",
            () if is_about("unclosed inline") => "the inline table has no closing bracket",
            () if is_about("basic string") || is_about("literal string, expected `'`") => {
                "the string has no closing quotation mark"
            }
            () if is_about("recurse") => "there are too many brackets inside each other",
            () if self.has_value() => "the value is not valid",
            () => "this is neither an entry, nor the header of a table, nor a comment",
        }
    }

    /// Whether the line has a name and a value.
    fn has_value(&self) -> bool {
        !self.key.is_empty() && self.value.is_some_and(|value| !value.is_empty())
    }

    /// The diagnostic for an entry whose name no user and no role can have, also in quotes.
    fn not_a_name(
        &self,
        kind: PrincipalKind,
        at: impl Fn(Range<usize>, String) -> Diagnostic,
    ) -> Diagnostic {
        let start = self.text.find(self.key).unwrap_or_default();
        let message = format!("{} is not a name of IAM", quoted(self.name()));
        let diagnostic = at(start..start + self.key.len(), message);
        let (path, last) = self.name().rsplit_once('/').unwrap_or_default();
        let proposed = self.value.and_then(|value| toml_text::line(last, value));
        let Some(line) = proposed.filter(|_| !last.is_empty() && last.chars().all(is_name_char))
        else {
            return diagnostic.help("use ASCII letters, digits and _+=,.@-");
        };
        // `role/x` is how this tool writes a role elsewhere.
        let of_other = PrincipalKind::ALL
            .into_iter()
            .find(|other| *other != kind && path.split('/').next() == Some(other.noun()));
        diagnostic.help(match of_other {
            Some(other) => format!("write {line} below [{}]", other.plural()),
            None => format!("write the name without its path: {line}"),
        })
    }

    /// The instruction for such a line.
    fn help(&self) -> String {
        let Some(value) = self.value.filter(|_| self.needs_quotes()) else {
            return if self.has_value() { VALUES } else { GENERAL }.to_owned();
        };
        let value = value.trim_start_matches('=').trim_start();
        let value = bare(value).map_or_else(|| value.to_owned(), toml_text::string);
        match toml_text::line(self.name(), &value) {
            Some(line) => format!("put the name in quotes: {line}"),
            None => "put the name in quotes".to_owned(),
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

/// The first control character, or the first character that is not ASCII, outside of strings and comments.
fn foreign(line: &str) -> Option<(usize, char)> {
    let is_control = |c: char| c.is_ascii_control() && c != '\t';
    if let Some(found) = line.char_indices().find(|&(_, c)| is_control(c)) {
        return Some(found);
    }
    let mut quote = None;
    let mut curly = None;
    for (offset, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => (quote, curly) = (None, None),
            // The closing quotation mark of a string, if no other one follows.
            Some(_) if is_curly_quote(c) => curly = Some((offset, c)),
            Some(_) => {}
            None if c == '#' => return None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if !c.is_ascii() => return Some((offset, c)),
            None => {}
        }
    }
    curly
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
    if c.is_ascii_control() {
        return "remove it".to_owned();
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
