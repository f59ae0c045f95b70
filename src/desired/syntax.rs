use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::Diagnostic;
use super::diagnostic::{escaped, quoted};
use super::source::Source;

/// What the TOML parser found, in our words where we know better what was meant.
///
/// The parser may find several errors in one line that all follow from the first: that one is shown.
pub(super) fn mistakes(
    source: &Source,
    document: &DeTable<'_>,
    errors: &[toml::de::Error],
) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for error in errors {
        let span = source.inside(error.span().unwrap_or(0..0));
        let mistake = if error.message().contains("duplicate key") {
            duplicate(source, document, span)
        } else {
            syntax(source, error, span)
        };
        if !found.iter().any(|other| other.line == mistake.line) {
            found.push(mistake);
        }
    }
    found
}

fn duplicate(source: &Source, document: &DeTable<'_>, span: Range<usize>) -> Diagnostic {
    let written = source.text[span.clone()].trim();
    let name = written.trim_matches(['"', '\'']);
    let first = first_place(document, name, span.start).map(|at| source.position(at).0);
    let is_header = source.text[source.lines_around(&span)].trim_start().starts_with('[');
    let message = if is_header {
        format!("the table [{}] is there twice", escaped(name))
    } else {
        format!("{} is listed twice", quoted(name))
    };
    let mistake = Diagnostic::at(source, span, message);
    let mistake = match first {
        Some(line) => mistake.label(format!("first in line {line}")),
        None => mistake,
    };
    mistake.help("keep one of the two")
}

/// Where `name` stands elsewhere: the parser keeps one of the two.
fn first_place(table: &DeTable<'_>, name: &str, not_at: usize) -> Option<usize> {
    table.iter().find_map(|(key, value)| {
        let at = key.span().start;
        if key.get_ref() == name && at != not_at {
            return Some(at);
        }
        match value.get_ref() {
            DeValue::Table(nested) => first_place(nested, name, not_at),
            _ => None,
        }
    })
}

fn syntax(source: &Source, error: &toml::de::Error, span: Range<usize>) -> Diagnostic {
    let message = format!("this is not TOML: {}", escaped(error.message()));
    let line = &source.text[source.lines_around(&span)];
    let mistake = Diagnostic::at(source, span, message);
    match line.split_once(" =").or_else(|| line.split_once('=')) {
        Some((key, value)) if needs_quotes(key.trim()) => mistake.help(format!(
            "put a name with other characters than letters, digits, _ and - in quotes: \"{}\" = {}",
            escaped(key.trim()),
            escaped(&value.trim_start_matches('=').trim().chars().take(200).collect::<String>())
        )),
        Some((_, value)) if is_bare_word(value.trim()) => {
            mistake.help(format!("put text in quotes: \"{}\"", escaped(value.trim())))
        }
        _ => mistake.help("a line is NAME = \"VALUE\", [TABLE], or a # comment"),
    }
}

fn needs_quotes(key: &str) -> bool {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !key.is_empty() && !key.starts_with(['"', '\'', '[', '#']) && !key.chars().all(is_bare)
}

fn is_bare_word(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= 200
        && value.chars().all(|c| c.is_ascii_alphanumeric() || ":/_+=,.@-".contains(c))
}
