use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::Diagnostic;
use super::diagnostic::{escaped, quoted};
use super::source::Source;

/// What the TOML parser found, in our words where we know better what was meant.
#[derive(Default)]
pub(super) struct Syntax {
    /// The mistakes, at most one a line: what else is wrong with a line follows from the first.
    pub(super) mistakes: Vec<Diagnostic>,
    /// The text with spaces for the lines that cannot be read: what is left has the same offsets.
    pub(super) readable: String,
}

/// The parser gives up at some errors. So a line that cannot be read is blanked out, and the rest is
/// parsed again, until nothing new is found: this often at most.
const ROUNDS: usize = 300;

/// Finds every line that is not TOML.
pub(super) fn check(source: &Source) -> Syntax {
    let mut found = Syntax { mistakes: Vec::new(), readable: source.text.clone() };
    for _ in 0..ROUNDS {
        if !found.round(source) {
            return found;
        }
    }
    if let Some(last) = found.mistakes.iter_mut().max_by_key(|mistake| mistake.line) {
        last.help = Some("mend the lines up to here first: there may be more below".to_owned());
    }
    found
}

impl Syntax {
    /// Parses what is readable, and says whether another round can find more.
    fn round(&mut self, source: &Source) -> bool {
        let mut unreadable = Vec::new();
        {
            let (document, errors) = DeTable::parse_recoverable(&self.readable);
            for error in &errors {
                let span = source.inside(error.span().unwrap_or(0..0));
                let line = source.lines_around(&(span.start..span.start));
                let mistake = if error.message().contains("duplicate key") {
                    duplicate(source, document.get_ref(), span)
                } else {
                    // Without its header, a table's lines would seem to belong to the one above.
                    if !source.is_header(span.start) {
                        unreadable.push(line);
                    }
                    syntax(source, error, span)
                };
                if !self.mistakes.iter().any(|other| other.line == mistake.line) {
                    self.mistakes.push(mistake);
                }
            }
        }
        let mut blanked = false;
        for line in unreadable {
            blanked |= !self.readable[line.clone()].trim().is_empty();
            let blank = " ".repeat(line.len());
            self.readable.replace_range(line, &blank);
        }
        blanked
    }
}

fn duplicate(source: &Source, document: &DeTable<'_>, span: Range<usize>) -> Diagnostic {
    let written = source.text[span.clone()].trim();
    let name = written.trim_matches(['"', '\'']);
    let first = first_place(document, name, span.start).map(|at| source.position(at).0);
    let message = if source.is_header(span.start) {
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
        Some((_, value)) if is_false_in_capitals(value.trim()) => {
            mistake.help("for \"must have none\", write false in small letters")
        }
        Some((key, value)) if !key.trim().is_empty() && is_bare_word(value.trim()) => {
            mistake.help(format!("put text in quotes: \"{}\"", escaped(value.trim())))
        }
        _ => mistake.help("a line is NAME = \"VALUE\", [TABLE], or a # comment"),
    }
}

fn needs_quotes(key: &str) -> bool {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !key.is_empty() && !key.starts_with(['"', '\'', '[', '#']) && !key.chars().all(is_bare)
}

fn is_false_in_capitals(value: &str) -> bool {
    value != "false" && value.eq_ignore_ascii_case("false")
}

fn is_bare_word(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= 200
        && value.chars().all(|c| c.is_ascii_alphanumeric() || ":/_+=,.@-".contains(c))
}
