use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use textwrap::core::display_width;

use super::source_text::SourceText;
use super::wrap::{wrapped, wrapped_words};
use crate::iam::{Printable, counted, escaped, grouped, is_unsafe};

/// One error or warning about a file.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The statement of the error.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The instruction that fixes the error.
    pub help: Option<String>,
    source: Arc<SourceText>,
    /// The text next to the underline; can be empty.
    label: String,
    /// The byte range to underline; `None` if the error concerns the whole file.
    span: Option<Range<usize>>,
}

/// The line of a file that a diagnostic is about, in three parts. The text is untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt<'a> {
    /// The text of the line before the underlined part.
    pub before: &'a str,
    /// The underlined part. It ends at the end of the line.
    pub marked: &'a str,
    /// The text of the line after the underlined part.
    pub after: &'a str,
    /// The text next to the underline; can be empty.
    pub label: &'a str,
}

/// All errors in one file, or in files that are layered: at least one.
#[derive(Debug, Clone)]
pub struct FileErrors {
    diagnostics: Vec<Diagnostic>,
    /// Whether `check` lists all errors of such a file.
    is_listed_by_check: bool,
}

/// The maximum length of a line that is shown, in bytes. A longer line would fill the screen.
const MAX_SHOWN_LINE: usize = 2_000;
/// The maximum number of different errors that are shown, so that the first ones can still be read.
const MAX_SHOWN: usize = 100;
/// The maximum number of places of equal errors that are listed.
const MAX_PLACES: usize = 10;

impl Diagnostic {
    pub(super) fn at(source: &Arc<SourceText>, span: Range<usize>, message: String) -> Self {
        let span = source.clamped(span);
        let (line, column) = source.position(span.start);
        let source = Arc::clone(source);
        let (label, span) = (String::new(), Some(span));
        Diagnostic { message, line, column, help: None, source, label, span }
    }

    /// A diagnostic at a position of a file whose text cannot be shown.
    pub(super) fn without_text(
        file: &str,
        message: &str,
        help: &str,
        line: usize,
        column: usize,
    ) -> Self {
        Diagnostic {
            message: escaped(message),
            line,
            column,
            help: Some(help.to_owned()),
            source: Arc::new(SourceText::new(file, String::new())),
            label: String::new(),
            span: None,
        }
    }

    /// Whether it is about this text.
    pub(super) fn is_of(&self, source: &Arc<SourceText>) -> bool {
        Arc::ptr_eq(&self.source, source)
    }

    /// Whether both are on the same line.
    pub(super) fn is_beside(&self, other: &Diagnostic) -> bool {
        other.is_of(&self.source) && self.line == other.line
    }

    /// The path of the file, as it was specified.
    pub fn file(&self) -> &Printable {
        &self.source.file
    }

    /// The line that it is about; `None` if it concerns the whole file, or if the line is too long to be shown.
    pub fn excerpt(&self) -> Option<Excerpt<'_>> {
        let span = self.span.as_ref()?;
        let text = &self.source.text;
        let lines = self.source.lines_around(span);
        let start = span.start.max(lines.start);
        let line_end = text[start..lines.end].find(['\n', '\r']).map_or(lines.end, |at| start + at);
        let end = span.end.clamp(start, line_end);
        (line_end - lines.start <= MAX_SHOWN_LINE).then(|| Excerpt {
            before: &text[lines.start..start],
            marked: &text[start..end],
            after: &text[end..line_end],
            label: &self.label,
        })
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Renders this diagnostic, which is equal to those at `others`. Sentences wrap at `width`.
    fn render(
        &self,
        noun: &str,
        level: Level<'_>,
        others: &[&Diagnostic],
        renderer: &Renderer,
        width: Option<usize>,
    ) -> String {
        let source = &self.source;
        // The columns before a sentence that explains the excerpt: `   = help: `.
        let before = self.line.to_string().len() + " = help: ".len();
        let fitted = |text: &str, before: usize| match width {
            Some(width) => wrapped(text, width.saturating_sub(before)),
            None => text.to_owned(),
        };
        let title = level.primary_title(fitted(&self.message, noun.len() + ": ".len()));
        let lines = self.span.as_ref().map(|span| (span, source.lines_around(span)));
        let group = match lines {
            Some((span, lines)) if lines.len() <= MAX_SHOWN_LINE => {
                let [start, end] = [span.start, span.end].map(|at| at.saturating_sub(lines.start));
                let mut underline = AnnotationKind::Primary.span(start..end);
                let text = shown(&source.text[lines]);
                let is_beside = !self.label.is_empty() && self.label_fits(&text, end, width);
                if is_beside {
                    underline = underline.label(&*self.label);
                }
                let snippet = Snippet::source(text).path(&*source.file).line_start(self.line);
                let group = title.element(snippet.annotation(underline));
                match self.label.is_empty() || is_beside {
                    true => group,
                    false => group.element(Level::NOTE.message(fitted(&self.label, before))),
                }
            }
            _ => {
                title.element(Origin::path(&*source.file).line(self.line).char_column(self.column))
            }
        };
        let group = match &self.help {
            Some(help) => group.element(Level::HELP.message(fitted(help, before))),
            None => group,
        };
        let group = match others {
            [] => group,
            others => {
                let width = width.map(|width| width.saturating_sub(before));
                group.element(Level::NOTE.message(self.positions(noun, others, width)))
            }
        };
        renderer.render(&[group])
    }

    /// Whether the label fits beside an underline that ends at this byte of `text`, which is one line or several.
    fn label_fits(&self, text: &str, end: usize, width: Option<usize>) -> bool {
        let Some(width) = width else { return true };
        let underlined = text.get(..end).unwrap_or(text).lines().map(display_width).max();
        let gutter = self.line.to_string().len() + " | ".len();
        let before = gutter + underlined.unwrap_or_default() + 1;
        before + display_width(&self.label) <= width
    }

    /// The places of diagnostics that are equal to this one. The file is named if it is another one.
    fn positions(&self, noun: &str, others: &[&Diagnostic], width: Option<usize>) -> String {
        let place = |other: &&Diagnostic| {
            let Diagnostic { line, column, .. } = other;
            match other.file() == self.file() {
                true => format!("{line}:{column}"),
                false => format!("{}:{line}:{column}", other.file()),
            }
        };
        let places: Vec<String> = others.iter().take(MAX_PLACES).map(place).collect();
        let begin = format!("the same {noun} is at");
        let end = match others.len().saturating_sub(MAX_PLACES) {
            0 => String::new(),
            more => format!("and {} more", grouped(more)),
        };
        list(&begin, places, &end, width)
    }
}

impl FileErrors {
    /// The errors in this order; `None` if there are none.
    pub(super) fn of(diagnostics: Vec<Diagnostic>) -> Option<Self> {
        (!diagnostics.is_empty()).then_some(FileErrors { diagnostics, is_listed_by_check: true })
    }

    /// A single error that concerns the whole file.
    pub(super) fn of_file(file: &str, message: &str, help: &str) -> Self {
        Self::at(file, message, help, 1, 1)
    }

    /// A single error at a position of a file whose text cannot be shown.
    pub(super) fn at(file: &str, message: &str, help: &str, line: usize, column: usize) -> Self {
        let diagnostic = Diagnostic::without_text(file, message, help, line, column);
        FileErrors { diagnostics: vec![diagnostic], is_listed_by_check: true }
    }

    /// The errors of a file that `check` does not read.
    pub(super) fn not_listed_by_check(self) -> Self {
        FileErrors { is_listed_by_check: false, ..self }
    }

    /// The errors of both.
    pub(super) fn and(mut self, other: FileErrors) -> FileErrors {
        self.diagnostics.extend(other.diagnostics);
        self
    }

    /// The paths of the files with errors, in order.
    pub fn files(&self) -> Vec<&Printable> {
        let mut files: Vec<&Printable> = Vec::new();
        for diagnostic in &self.diagnostics {
            if !files.contains(&diagnostic.file()) {
                files.push(diagnostic.file());
            }
        }
        files
    }

    /// The errors, to add them to others.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// The errors, in the order of the files and of their texts.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The errors with their lines of the file, and the number of errors at the end. Equal errors are shown once,
    /// with the places of the others; after 100 different ones, the others are counted. Sentences wrap at `width`, in
    /// columns; `None` for a stream that is not a terminal.
    pub fn render(&self, colored: bool, width: Option<usize>) -> String {
        let mut text = render(
            &self.diagnostics,
            (Level::ERROR, "error"),
            colored,
            width,
            self.is_listed_by_check,
        );
        let files: Vec<String> = self.files().into_iter().map(Printable::to_string).collect();
        let errors = counted(self.diagnostics.len(), "error");
        text.push_str(&list(&format!("{errors} in"), files, "", width));
        text.push('\n');
        text
    }
}

/// The warnings with their lines of the files, like errors. Empty without warnings.
pub fn render_warnings(warnings: &[Diagnostic], colored: bool, width: Option<usize>) -> String {
    render(warnings, (Level::WARNING, "warning"), colored, width, true)
}

/// A list in a sentence, between two texts. Its items are not broken.
fn list(begin: &str, items: Vec<String>, end: &str, width: Option<usize>) -> String {
    let last = items.len().saturating_sub(1);
    let comma = |n: usize| if n < last { "," } else { "" };
    let items: Vec<String> =
        items.into_iter().enumerate().map(|(n, item)| item + comma(n)).collect();
    let words = begin.split(' ').chain(items.iter().map(String::as_str));
    let words = words.chain(end.split(' ').filter(|word| !word.is_empty()));
    wrapped_words(words, width.unwrap_or(usize::MAX))
}

fn render(
    diagnostics: &[Diagnostic],
    (level, noun): (Level<'_>, &str),
    colored: bool,
    width: Option<usize>,
    is_listed_by_check: bool,
) -> String {
    let renderer = if colored { Renderer::styled() } else { Renderer::plain() };
    // A line that does not fit is cut around the underline: a terminal would wrap it, and separate both.
    let renderer = match width {
        Some(width) => renderer.term_width(width),
        None => renderer,
    };
    let mut text = String::new();
    let groups = groups(diagnostics);
    for group in groups.iter().take(MAX_SHOWN) {
        text.push_str(&group[0].render(noun, level.clone(), &group[1..], &renderer, width));
        text.push_str("\n\n");
    }
    let left = &groups[groups.len().min(MAX_SHOWN)..];
    if let Some(first) = left.first().map(|group| group[0]) {
        let more = counted(left.iter().map(Vec::len).sum(), &format!("more {noun}"));
        let advice = match is_listed_by_check {
            true => "to list all of them, use: check --format json",
            false => "correct those above first",
        };
        let left = format!("{more} from line {}; {advice}", first.line);
        text.push_str(&wrapped(&left, width.unwrap_or(usize::MAX)));
        text.push_str("\n\n");
    }
    text
}

/// Equal diagnostics together, in the order of their first places.
fn groups(diagnostics: &[Diagnostic]) -> Vec<Vec<&Diagnostic>> {
    let mut groups: Vec<Vec<&Diagnostic>> = Vec::new();
    let mut known: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    for diagnostic in diagnostics {
        let same = (&*diagnostic.message, diagnostic.help.as_deref());
        let group = *known.entry(same).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push(diagnostic),
            None => groups.push(vec![diagnostic]),
        }
    }
    groups
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, None))
    }
}

impl std::error::Error for FileErrors {}

/// The text of the file, with replacements for the characters that a terminal interprets or does not show, except
/// those that the renderer replaces. Each replacement has the length of the original in bytes, so that spans
/// remain valid.
fn shown(text: &str) -> String {
    let replaced = |c: char| match c.len_utf8() {
        _ if !is_unsafe(c) || c.is_ascii() => c,
        2 => '¿',
        3 => '\u{fffd}',
        _ => '\u{1fbc0}',
    };
    text.chars().map(replaced).collect()
}

/// Text from the file in quotes, truncated after 80 characters.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((cut, _)) => format!("\"{}…\"", escaped(&text[..cut])),
        None => format!("\"{}\"", escaped(text)),
    }
}
