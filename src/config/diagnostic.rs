use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::source_text::{BYTE_ORDER_MARK, SourceText};
use crate::iam::grouped;

/// One error in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The statement of the error.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The instruction that fixes the error.
    pub help: Option<String>,
    /// The text next to the underline; can be empty.
    label: String,
    /// The byte range to underline; `None` if the error concerns the whole file.
    span: Option<Range<usize>>,
}

/// All errors in a file, at least one.
#[derive(Debug, Clone)]
pub struct FileErrors {
    source: SourceText,
    diagnostics: Vec<Diagnostic>,
    /// The arguments of a command that lists all errors of such a file; `None` if there is no such command.
    listed_by: Option<&'static str>,
}

/// The maximum length of a line that is shown, in bytes. A longer line would fill the screen.
const MAX_SHOWN_LINE: usize = 2_000;
/// The maximum number of different errors that are shown, so that the first ones can still be read.
const MAX_SHOWN: usize = 100;
/// The maximum number of places of equal errors that are listed.
const MAX_PLACES: usize = 10;

impl Diagnostic {
    pub(super) fn at(source: &SourceText, span: Range<usize>, message: String) -> Self {
        let span = source.clamped(span);
        let (line, column) = source.position(span.start);
        Diagnostic { message, line, column, help: None, label: String::new(), span: Some(span) }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Renders this error, which the file also has at `others`.
    fn render(&self, source: &SourceText, others: &[&Diagnostic], renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(&*self.message);
        let lines = self.span.as_ref().map(|span| (span, source.lines_around(span)));
        let group = match lines {
            Some((span, lines)) if lines.len() <= MAX_SHOWN_LINE => {
                let [start, end] = [span.start, span.end].map(|at| at.saturating_sub(lines.start));
                let mut underline = AnnotationKind::Primary.span(start..end);
                if !self.label.is_empty() {
                    underline = underline.label(&*self.label);
                }
                title.element(
                    Snippet::source(shown(&source.text[lines]))
                        .path(&*source.file)
                        .line_start(self.line)
                        .annotation(underline),
                )
            }
            _ => {
                title.element(Origin::path(&*source.file).line(self.line).char_column(self.column))
            }
        };
        let group = match &self.help {
            Some(help) => group.element(Level::HELP.message(&**help)),
            None => group,
        };
        let group = match others {
            [] => group,
            others => group.element(Level::NOTE.message(positions(others))),
        };
        renderer.render(&[group])
    }
}

impl FileErrors {
    /// The errors of `source`, in the order of the text; `source` itself if `diagnostics` is empty.
    pub(super) fn new(
        source: SourceText,
        mut diagnostics: Vec<Diagnostic>,
    ) -> Result<SourceText, Self> {
        if diagnostics.is_empty() {
            return Ok(source);
        }
        diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        Err(FileErrors { source, diagnostics, listed_by: Some("check --format json") })
    }

    /// A single error that concerns the whole file.
    pub(super) fn of_file(file: &str, message: &str, help: &str) -> Self {
        Self::at(file, message, help, 1, 1)
    }

    /// A single error at a position of a file whose text cannot be shown.
    pub(super) fn at(file: &str, message: &str, help: &str, line: usize, column: usize) -> Self {
        let diagnostic = Diagnostic {
            message: escaped(message),
            line,
            column,
            help: Some(help.to_owned()),
            label: String::new(),
            span: None,
        };
        let source = SourceText::new(file, String::new());
        FileErrors { source, diagnostics: vec![diagnostic], listed_by: None }
    }

    /// The errors of a file that no other command reads.
    pub(super) fn only_of_this_command(self) -> Self {
        FileErrors { listed_by: None, ..self }
    }

    /// The path of the file, as it was specified.
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// The errors, in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Equal errors together, in the order of their first places.
    fn groups(&self) -> Vec<Vec<&Diagnostic>> {
        let mut groups: Vec<Vec<&Diagnostic>> = Vec::new();
        let mut known: HashMap<(&str, Option<&str>), usize> = HashMap::new();
        for diagnostic in &self.diagnostics {
            let same = (&*diagnostic.message, diagnostic.help.as_deref());
            let group = *known.entry(same).or_insert(groups.len());
            match groups.get_mut(group) {
                Some(group) => group.push(diagnostic),
                None => groups.push(vec![diagnostic]),
            }
        }
        groups
    }

    /// The errors with their lines of the file, and the number of errors at the end. Equal errors are shown once,
    /// with the places of the others; after 100 different ones, the others are counted.
    pub fn render(&self, colored: bool) -> String {
        let renderer = if colored { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        let groups = self.groups();
        for group in groups.iter().take(MAX_SHOWN) {
            text.push_str(&group[0].render(&self.source, &group[1..], &renderer));
            text.push_str("\n\n");
        }
        let left = &groups[groups.len().min(MAX_SHOWN)..];
        if let Some(first) = left.first().map(|group| group[0]) {
            let count = left.iter().map(Vec::len).sum();
            text.push_str(&format!(
                "{} more error{} from line {}; {}\n\n",
                grouped(count),
                if count == 1 { "" } else { "s" },
                first.line,
                match self.listed_by {
                    Some(command) => format!("to list all of them, use: {command}"),
                    None => "correct those above first".to_owned(),
                }
            ));
        }
        let (count, file) = (self.diagnostics.len(), escaped(&self.source.file));
        let s = if count == 1 { "" } else { "s" };
        text.push_str(&format!("{} error{s} in {file}\n", grouped(count)));
        text
    }
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for FileErrors {}

/// The places of errors that are equal to one that is shown.
fn positions(others: &[&Diagnostic]) -> String {
    let places =
        others.iter().take(MAX_PLACES).map(|other| format!("{}:{}", other.line, other.column));
    let places = places.collect::<Vec<_>>().join(", ");
    match others.len().saturating_sub(MAX_PLACES) {
        0 => format!("the same error is at {places}"),
        more => format!("the same error is at {places} and {} more", grouped(more)),
    }
}

/// The text of the file, with replacements for the terminal control characters and invisible characters
/// that the renderer does not replace. Each replacement has the byte length of the original, so that
/// spans remain valid.
fn shown(text: &str) -> String {
    let replaced = |c| match c {
        '\u{80}'..='\u{9f}' => '¿',
        '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2065}' | BYTE_ORDER_MARK => '\u{fffd}',
        c => c,
    };
    text.chars().map(replaced).collect()
}

/// Untrusted text, with control characters escaped.
pub(super) fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let plain = c == '"' || c == '\'' || c == '\\';
            let escaped = (!plain).then(|| c.escape_debug());
            escaped.into_iter().flatten().chain(plain.then_some(c))
        })
        .collect()
}

/// Text from the file in quotes, truncated after 80 characters.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((cut, _)) => format!("\"{}…\"", escaped(&text[..cut])),
        None => format!("\"{}\"", escaped(text)),
    }
}
