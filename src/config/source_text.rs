use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::iam::Printable;

/// Some editors write this character at the start of a UTF-8 file.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The line of a table header, from 1, and the name between its brackets.
pub(super) type Header<'t> = (usize, &'t str);

/// The text of a file, with the offsets of its lines.
#[derive(Debug, Clone)]
pub(super) struct SourceText {
    /// The path of the file, as it was specified.
    pub(super) file: Printable,
    pub(super) text: String,
    /// The directory to which paths in the file are relative; `None` if the files that it names are not read.
    pub(super) directory: Option<PathBuf>,
    line_starts: Vec<usize>,
}

impl SourceText {
    pub(super) fn new(file: &str, text: String) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        SourceText { file: Printable::new(file), text, directory: None, line_starts }
    }

    /// The text of the file at `path`. The files that it names are read.
    pub(super) fn at(self, path: &Path) -> Self {
        SourceText { directory: Some(path.parent().unwrap_or(Path::new("")).to_owned()), ..self }
    }

    /// The index of the line that contains `offset`, from 0.
    fn line_index(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset) - 1
    }

    /// The line and column of a byte offset, both from 1. Columns count characters.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_index(offset);
        let before = self.text.get(self.line_starts[line]..offset).unwrap_or_default();
        (line + 1, before.trim_start_matches(BYTE_ORDER_MARK).chars().count() + 1)
    }

    /// The byte range of the lines that `span` touches, without the last line end and without the byte
    /// order mark of the file.
    pub(super) fn lines_around(&self, span: &Range<usize>) -> Range<usize> {
        let start = match self.line_starts[self.line_index(span.start)] {
            0 if self.text.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len_utf8(),
            start => start,
        };
        let last = self.line_index(span.end.saturating_sub(1).max(span.start));
        let end = self.line_starts.get(last + 1).map_or(self.text.len(), |&next| next - 1);
        let end = if self.text[start..end].ends_with('\r') { end - 1 } else { end };
        start..end.max(span.end)
    }

    /// The byte range of the text of a line, from 1, without its indentation.
    pub(super) fn span_of_line(&self, line: usize) -> Range<usize> {
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let whole = self.lines_around(&(start..start));
        let text = &self.text[whole.clone()];
        let start = whole.end - text.trim_start().len();
        start..start + text.trim().len()
    }

    /// The byte range of the line of a header, such as `[[rules]]`, of the table at `span`; an inline table has none, and
    /// its own range is returned.
    pub(super) fn header_span(&self, span: Range<usize>) -> Range<usize> {
        match self.is_header(span.start) {
            true => self.span_of_line(self.position(span.start).0),
            false => span,
        }
    }

    /// Whether the line that contains `offset` is the header of a table.
    pub(super) fn is_header(&self, offset: usize) -> bool {
        self.text[self.lines_around(&(offset..offset))].trim_start().starts_with('[')
    }

    /// The table headers, in order.
    pub(super) fn headers(&self) -> impl Iterator<Item = Header<'_>> {
        let text = self.text.trim_start_matches(BYTE_ORDER_MARK);
        text.lines().zip(1..).filter_map(|(line, number)| {
            let name = line.trim_start().strip_prefix('[')?.trim_start_matches('[');
            Some((number, name.split(']').next()?.trim()))
        })
    }

    /// The smallest span of whole characters in the text that covers `span`.
    pub(super) fn clamped(&self, span: Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.ceil_char_boundary(span.end.max(start));
        start..end
    }
}
