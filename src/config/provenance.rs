use super::Position;
use crate::iam::Printable;

/// The line of a file that is the reason for a planned change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The kind of line.
    pub kind: ProvenanceKind,
    /// The path of the file, as it was specified.
    pub file: Printable,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters; `None` if only the line is known.
    pub column: Option<usize>,
}

/// The kinds of provenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProvenanceKind {
    /// An entry of a boundaries file.
    Entry,
    /// A rule of a boundaries file.
    Rule,
    /// A line of a journal whose run is rolled back.
    Journal,
}

impl Provenance {
    /// An entry at this position of a boundaries file.
    pub fn entry(file: &Printable, line: usize, column: Option<usize>) -> Self {
        Provenance { kind: ProvenanceKind::Entry, file: file.clone(), line, column }
    }

    /// An entry or a rule at this position.
    pub fn at(kind: ProvenanceKind, position: &Position) -> Self {
        let Position { file, line, column } = position;
        Provenance { kind, file: file.clone(), line: *line, column: Some(*column) }
    }

    /// A line of a journal.
    pub fn journal(file: &Printable, line: usize) -> Self {
        Provenance { kind: ProvenanceKind::Journal, file: file.clone(), line, column: None }
    }
}
