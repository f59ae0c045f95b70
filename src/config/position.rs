use crate::iam::{Digest, Printable};

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The path, as it was specified.
    pub path: Printable,
    /// The SHA-256 digest of the file's bytes.
    pub digest: Digest,
}

/// A position in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The path of the file, as it was specified.
    pub file: Printable,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

/// A value, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The position of the value.
    pub position: Position,
}

impl Position {
    /// Whether both are on the same line of the same file.
    pub fn is_on_line_of(&self, other: &Position) -> bool {
        self.file == other.file && self.line == other.line
    }
}
