use std::io;
use std::ops::Range;
use std::path::Path;

use super::FileErrors;

/// Some editors write this character at the start of a UTF-8 file.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of a file, with the offsets of its lines.
#[derive(Debug, Clone)]
pub(super) struct SourceText {
    /// The path of the file, as specified by the caller.
    pub(super) file: String,
    pub(super) text: String,
    line_starts: Vec<usize>,
}

impl SourceText {
    pub(super) fn new(file: &str, text: String) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        SourceText { file: file.to_owned(), text, line_starts }
    }

    pub(super) fn read(path: &Path) -> Result<Self, FileErrors> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let (reason, help) = match error.kind() {
                io::ErrorKind::NotFound => (
                    "file not found".to_owned(),
                    "specify another file with -f FILE, or create this one with a [users] table: \
                     alice = \"arn:aws:iam::123456789012:policy/Developer\"",
                ),
                io::ErrorKind::IsADirectory => {
                    ("it is a directory".to_owned(), "specify a file in the directory with -f FILE")
                }
                io::ErrorKind::PermissionDenied => (
                    "permission denied".to_owned(),
                    "grant the current user permission to read the file",
                ),
                _ => (
                    error.to_string(),
                    "check the path and the disk, or specify another file with -f FILE",
                ),
            };
            FileErrors::of_file(&file, &format!("cannot read {file}: {reason}"), help)
        })?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(SourceText::new(&file, text)),
            Err(error) => Err(not_utf8(&file, error.as_bytes(), error.utf8_error().valid_up_to())),
        }
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

    /// Whether the line that contains `offset` is the header of a table.
    pub(super) fn is_header(&self, offset: usize) -> bool {
        self.text[self.lines_around(&(offset..offset))].trim_start().starts_with('[')
    }

    /// The table headers: line number, from 1, and the name between the brackets.
    pub(super) fn headers(&self) -> impl Iterator<Item = (usize, &str)> {
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

fn not_utf8(file: &str, bytes: &[u8], bad: usize) -> FileErrors {
    let before = &bytes[..bad];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    let reason = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "the file is encoded in UTF-16".to_owned()
    } else {
        format!("byte 0x{:02x} at line {line}, column {column} is not valid UTF-8", bytes[bad])
    };
    let message = format!("cannot read {file}: {reason}");
    FileErrors::at(file, &message, "save the file as UTF-8, which TOML requires", line, column)
}
