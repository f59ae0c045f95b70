use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::source::{BYTE_ORDER_MARK, Source};

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What to write instead.
    pub help: Option<String>,
    /// Words at the underlined text.
    label: String,
    /// The bytes to underline; none where the file as a whole is meant.
    span: Option<Range<usize>>,
}

/// Every mistake in a file: at least one.
#[derive(Debug, Clone)]
pub struct FileErrors {
    source: Source,
    diagnostics: Vec<Diagnostic>,
}

/// A longer line is not shown: it would fill the screen many times over.
const LONGEST_LINE_SHOWN: usize = 2_000;

impl Diagnostic {
    pub(super) fn at(source: &Source, span: Range<usize>, message: String) -> Self {
        let span = source.inside(span);
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

    fn render(&self, source: &Source, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(&*self.message);
        let lines = self.span.as_ref().map(|span| (span, source.lines_around(span)));
        let group = match lines {
            Some((span, lines)) if lines.len() <= LONGEST_LINE_SHOWN => {
                let marked = [span.start, span.end].map(|at| at.saturating_sub(lines.start));
                let mut mark = AnnotationKind::Primary.span(marked[0]..marked[1]);
                if !self.label.is_empty() {
                    mark = mark.label(&*self.label);
                }
                title.element(
                    Snippet::source(shown(&source.text[lines]))
                        .path(&*source.file)
                        .line_start(self.line)
                        .annotation(mark),
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
        renderer.render(&[group])
    }
}

impl FileErrors {
    /// `diagnostics` in the order of the text; none if there are none.
    pub(super) fn new(source: Source, mut diagnostics: Vec<Diagnostic>) -> Result<Source, Self> {
        if diagnostics.is_empty() {
            return Ok(source);
        }
        diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        Err(FileErrors { source, diagnostics })
    }

    /// The one reason why a file cannot be used at all.
    pub(super) fn of_file(file: &str, message: &str, help: &str) -> Self {
        Self::at(file, message, help, 1, 1)
    }

    pub(super) fn at(file: &str, message: &str, help: &str, line: usize, column: usize) -> Self {
        let diagnostic = Diagnostic {
            message: escaped(message),
            line,
            column,
            help: Some(help.to_owned()),
            label: String::new(),
            span: None,
        };
        FileErrors { source: Source::new(file, String::new()), diagnostics: vec![diagnostic] }
    }

    /// The file that they are in, as its path was given.
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// The mistakes, in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Every mistake with its place underlined, and a line that counts them.
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            text.push_str(&diagnostic.render(&self.source, &renderer));
            text.push_str("\n\n");
        }
        let count = self.diagnostics.len();
        let s = if count == 1 { "" } else { "s" };
        text.push_str(&format!("{count} mistake{s} in {}\n", escaped(&self.source.file)));
        text
    }
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for FileErrors {}

/// The file's own text with marks for what a terminal would obey or nobody would see, as far as the renderer
/// lets it through. Each mark has as many bytes as what it stands for: what is underlined stays in place.
fn shown(text: &str) -> String {
    let mark = |c| match c {
        '\u{80}'..='\u{9f}' => '¿',
        '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2065}' | BYTE_ORDER_MARK => '\u{fffd}',
        c => c,
    };
    text.chars().map(mark).collect()
}

/// Text from outside, with nothing in it that a terminal would obey.
pub(super) fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let plain = c == '"' || c == '\'' || c == '\\';
            let escaped = (!plain).then(|| c.escape_debug());
            escaped.into_iter().flatten().chain(plain.then_some(c))
        })
        .collect()
}

/// Text from the file in quotes, cut short where it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((cut, _)) => format!("\"{}…\"", escaped(&text[..cut])),
        None => format!("\"{}\"", escaped(text)),
    }
}
