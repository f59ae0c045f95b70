//! TOML syntax errors, with help for those that are common in `boundaries.toml`.

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::Diagnostic;
use super::diagnostic::quoted;
use super::other_format::other_format;
use super::source_text::{Header, SourceText};
use super::syntax_help::{invalid, is_about_brackets, name_of};
use super::syntax_repair::is_open;
use crate::iam::escaped;

/// The result of a syntax check. Empty if there is no error.
#[derive(Default)]
pub(super) struct Syntax {
    /// The syntax errors, at most one a line: further errors on the line are consequences of the first.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The text with spaces in place of the lines that cannot be parsed, so that offsets stay the same.
    pub(super) readable: String,
    /// The tables and the names of the entries that cannot be parsed: they are not missing.
    pub(super) unreadable: Vec<(String, String)>,
}

/// The parser stops at some errors. Therefore each line that cannot be parsed is blanked and the text is
/// parsed again, until no new error is found, or at most this many times.
const MAX_ROUNDS: usize = 300;

/// Finds every line with a syntax error.
pub(super) fn check(source: &Arc<SourceText>) -> Syntax {
    if let Some(diagnostic) = other_format(source) {
        return Syntax { diagnostics: vec![diagnostic], ..Syntax::default() };
    }
    let mut syntax = Syntax { readable: source.text.clone(), ..Syntax::default() };
    let headers: Vec<Header<'_>> = source.headers().collect();
    for _ in 0..MAX_ROUNDS {
        if !syntax.parse_and_blank(source, &headers) {
            return syntax;
        }
    }
    if let Some(last) = syntax.diagnostics.iter_mut().max_by_key(|diagnostic| diagnostic.line) {
        last.help =
            Some("fix the errors up to this line first: later lines may have more".to_owned());
    }
    syntax
}

impl Syntax {
    /// Parses the readable text and blanks the lines with errors. Returns whether a line was blanked. If so,
    /// another round may find more errors.
    fn parse_and_blank(&mut self, source: &Arc<SourceText>, headers: &[Header<'_>]) -> bool {
        let mut unreadable = Vec::new();
        {
            let (document, errors) = DeTable::parse_recoverable(&self.readable);
            for error in &errors {
                let found = source.clamped(error.span().unwrap_or(0..0));
                let is_duplicate = error.message().contains("duplicate key");
                let is_bracket = is_about_brackets(error.message());
                let opening = match error.message() {
                    _ if is_bracket => opening_line(source, found.start),
                    message if message.contains("multi-line") => {
                        opening_quotes(source, found.start)
                    }
                    _ => None,
                };
                let span = opening.clone().unwrap_or(found.clone());
                // All lines of the brackets, up to the one on which the parser stopped.
                let end = match opening {
                    Some(_) if is_bracket => {
                        source.lines_around(&(found.start..found.start)).start.saturating_sub(1)
                    }
                    _ => span.start,
                };
                let line = source.lines_around(&(span.start..end.max(span.start)));
                let diagnostic = if is_duplicate {
                    let (diagnostic, first) = duplicate(source, headers, document.get_ref(), span);
                    if first.is_some_and(|first| is_conflict(&source.text, first, diagnostic.line))
                    {
                        continue;
                    }
                    diagnostic
                } else {
                    // Without its header, the lines of a table would belong to the table above.
                    if !source.is_header(span.start) {
                        unreadable.push(line);
                    }
                    invalid(source, headers, error.message(), span)
                };
                if !self.diagnostics.iter().any(|other| other.line == diagnostic.line) {
                    self.diagnostics.push(diagnostic);
                }
                // The other errors are consequences, or are found in the next round.
                if opening.is_some() {
                    break;
                }
            }
        }
        let mut blanked = false;
        for line in unreadable {
            blanked |= !self.readable[line.clone()].trim().is_empty();
            let (number, _) = source.position(line.start);
            let table = headers.iter().rev().find(|(header, _)| *header < number);
            let table = table.map_or("", |(_, name)| *name).to_owned();
            self.unreadable.push((table, name_of(&source.text[line.clone()]).to_owned()));
            let blank = " ".repeat(line.len());
            self.readable.replace_range(line, &blank);
        }
        blanked
    }
}

/// The maximum number of lines of an array or an inline table whose beginning is looked for.
const MAX_LINES: usize = 1_000;

/// The first byte of the line above `offset` with the bracket that is not closed, if the parser stopped on a line that is
/// complete, and does not belong into the brackets.
fn opening_line(source: &Arc<SourceText>, offset: usize) -> Option<Range<usize>> {
    let (number, _) = source.position(offset);
    let text = |line| &source.text[source.span_of_line(line)];
    DeTable::parse(text(number)).ok()?;
    let above = (1..number).rev().take(MAX_LINES);
    let line =
        above.take_while(|&line| !text(line).starts_with('[')).find(|&line| is_open(text(line)))?;
    Some(source.span_of_line(line))
}

/// The last three quotation marks above `offset`, which begin the string that is not closed.
fn opening_quotes(source: &Arc<SourceText>, offset: usize) -> Option<Range<usize>> {
    let before = &source.text[..offset];
    let start = before.rfind("\"\"\"").max(before.rfind("'''"))?;
    Some(start..start + 3)
}

/// Whether both lines are in one conflict of Git, whose markers are errors of their own: it has each line twice.
fn is_conflict(text: &str, first: usize, second: usize) -> bool {
    let mut start = None;
    for (line, number) in text.lines().zip(1..) {
        if line.starts_with("<<<<<<<") {
            start = Some(number);
        } else if line.starts_with(">>>>>>>")
            && let Some(start) = start.take()
            && [first, second].iter().all(|line| (start..=number).contains(line))
        {
            return true;
        }
    }
    false
}

/// The error, and the line of the first definition, if it is known.
fn duplicate(
    source: &Arc<SourceText>,
    headers: &[Header<'_>],
    document: &DeTable<'_>,
    span: Range<usize>,
) -> (Diagnostic, Option<usize>) {
    let (line, _) = source.position(span.start);
    let above = headers.partition_point(|&(header, _)| header < line);
    let (above, below) = headers.split_at(above);
    let last_part = source.text[span.clone()].trim().trim_matches(['"', '\'']);
    let offset = span.start;
    if let Some(&(_, name)) = below.first().filter(|&&(header, _)| header == line) {
        if let Some((first, _)) = above.iter().find(|(_, other)| *other == name) {
            let diagnostic =
                Diagnostic::at(source, span, format!("duplicate table [{}]", escaped(name)))
                    .label(format!("first defined on line {first}"))
                    .help("merge the two tables");
            return (diagnostic, Some(*first));
        }
        let first = position_of(document, last_part, offset);
        return duplicate_entry(source, span, "key", name, first);
    }
    let table = above.last().map(|&(_, name)| name);
    let what = match table {
        Some("users") => "user",
        Some("roles") => "role",
        Some("boundaries") => "short name",
        Some("accounts") => "account",
        _ => "key",
    };
    let entries = table.and_then(|table| match document.get(table)?.get_ref() {
        DeValue::Table(entries) => Some(entries),
        _ => None,
    });
    let first = position_of(entries.unwrap_or(document), last_part, offset);
    // The parser reports only the last part of a dotted name.
    let before = source.text[source.lines_around(&span).start..offset].trim_start();
    if before.ends_with('.') && !before.contains('=') {
        let span = offset - before.len()..span.end;
        return duplicate_entry(source, span, what, &format!("{before}{last_part}"), first);
    }
    duplicate_entry(source, span, what, last_part, first)
}

fn duplicate_entry(
    source: &Arc<SourceText>,
    span: Range<usize>,
    what: &str,
    name: &str,
    first: Option<usize>,
) -> (Diagnostic, Option<usize>) {
    let (line, _) = source.position(span.start);
    let diagnostic = Diagnostic::at(source, span, format!("duplicate {what} {}", quoted(name)))
        .help("remove one of the two entries");
    let first = first.map(|offset| source.position(offset).0).filter(|&first| first != line);
    let diagnostic = match first {
        Some(first) => diagnostic.label(format!("first defined on line {first}")),
        None => diagnostic,
    };
    (diagnostic, first)
}

/// The offset of the key `name` that the parser kept, other than `duplicate`.
fn position_of(table: &DeTable<'_>, name: &str, duplicate: usize) -> Option<usize> {
    table.iter().find_map(|(key, value)| {
        let offset = key.span().start;
        if key.get_ref() == name && offset != duplicate {
            return Some(offset);
        }
        match value.get_ref() {
            DeValue::Table(nested) => position_of(nested, name, duplicate),
            _ => None,
        }
    })
}
