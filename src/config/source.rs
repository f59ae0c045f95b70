use std::io;
use std::ops::Range;
use std::path::Path;

use super::FileErrors;

/// What some editors begin a file with.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file's text, and where its lines begin.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) text: String,
    line_starts: Vec<usize>,
}

impl Source {
    pub(super) fn new(file: &str, text: String) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Source { file: file.to_owned(), text, line_starts }
    }

    pub(super) fn read(path: &Path) -> Result<Self, FileErrors> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let (what, help) = match error.kind() {
                io::ErrorKind::NotFound => (
                    "there is no such file".to_owned(),
                    "name another file with -f FILE, or begin with a [users] table: \
                     alice = \"arn:aws:iam::123456789012:policy/Developer\"",
                ),
                io::ErrorKind::IsADirectory => {
                    ("it is a directory".to_owned(), "name the file in it with -f FILE")
                }
                io::ErrorKind::PermissionDenied => (
                    "the permission to read it is missing".to_owned(),
                    "give this user the right to read it",
                ),
                _ => (error.to_string(), "look at the disk and the path, or name another with -f"),
            };
            FileErrors::of_file(&file, &format!("cannot read {file}: {what}"), help)
        })?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(&file, text)),
            Err(error) => Err(not_utf8(&file, error.as_bytes(), error.utf8_error().valid_up_to())),
        }
    }

    /// The line that `offset` is in: from 0.
    fn line_index(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset) - 1
    }

    /// Line and column of a byte offset, both from 1; the column counts characters.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_index(offset);
        let before = self.text.get(self.line_starts[line]..offset).unwrap_or_default();
        (line + 1, before.trim_start_matches(BYTE_ORDER_MARK).chars().count() + 1)
    }

    /// The bytes of the lines that `span` touches, without the last line's end. The mark that a file may
    /// begin with is in no line.
    pub(super) fn lines_around(&self, span: &Range<usize>) -> Range<usize> {
        let start = match self.line_starts[self.line_index(span.start)] {
            0 if self.text.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len_utf8(),
            start => start,
        };
        let last = self.line_index(span.end.saturating_sub(1).max(span.start));
        let end = self.line_starts.get(last + 1).map_or(self.text.len(), |&next| next - 1);
        start..end.max(span.end)
    }

    /// Whether the line that `offset` is in is a table's header.
    pub(super) fn is_header(&self, offset: usize) -> bool {
        self.text[self.lines_around(&(offset..offset))].trim_start().starts_with('[')
    }

    /// A span made to lie inside the text, and between characters.
    pub(super) fn inside(&self, span: Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.ceil_char_boundary(span.end.max(start));
        start..end
    }
}

fn not_utf8(file: &str, bytes: &[u8], bad: usize) -> FileErrors {
    let before = &bytes[..bad];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    let (what, help) = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        ("it is UTF-16".to_owned(), "save it as UTF-8, the only encoding of TOML")
    } else {
        (
            format!("the byte 0x{:02x} at line {line}, column {column} is not UTF-8", bytes[bad]),
            "save it as UTF-8, the only encoding of TOML",
        )
    };
    let message = format!("cannot read {file}: {what}");
    FileErrors::at(file, &message, help, line, column)
}
