//! The header of a CSV text: which column has what.

use std::sync::Arc;

use super::fields::{Field, Row};
use crate::config::Diagnostic;
use crate::config::diagnostic::quoted;
use crate::config::source_text::SourceText;
use crate::iam::{counted, grouped};

/// A column with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Boundary,
    Kind,
    Reason,
}

/// The columns in their order; `None` for one without a name, such as those that spreadsheets write at the right.
pub(super) struct Columns(Vec<Option<Column>>);

/// An example of a header and a row.
pub(super) const EXAMPLE: &str = "name,boundary on the first line, and rows such as \
                                  alice,arn:aws:iam::123456789012:policy/Developer below it";

impl Column {
    const ALL: [Column; 4] = [Column::Name, Column::Boundary, Column::Kind, Column::Reason];

    fn name(self) -> &'static str {
        match self {
            Column::Name => "name",
            Column::Boundary => "boundary",
            Column::Kind => "kind",
            Column::Reason => "reason",
        }
    }

    fn is_required(self) -> bool {
        matches!(self, Column::Name | Column::Boundary)
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name().eq_ignore_ascii_case(name))
    }
}

impl Columns {
    /// The columns that the header names; `None` if rows cannot be read without an error.
    pub(super) fn of(
        source: &Arc<SourceText>,
        header: &Row,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Columns> {
        let errors = diagnostics.len();
        let columns: Vec<_> = header.iter().map(|field| Column::of(&field.text)).collect();
        let whole = header.first()?.span.start..header.last()?.span.end;
        if columns.iter().all(Option::is_none) {
            let message = "the first row does not name the columns".to_owned();
            let help = format!("write {EXAMPLE}");
            diagnostics.push(Diagnostic::at(source, whole, message).help(help));
            return None;
        }
        for (at, (field, column)) in header.iter().zip(&columns).enumerate() {
            match column {
                None if !field.text.is_empty() => diagnostics.push(unknown(source, field)),
                Some(column) if columns[..at].contains(&Some(*column)) => {
                    let message = format!("duplicate column {}", quoted(&field.text));
                    let diagnostic = Diagnostic::at(source, field.span.clone(), message);
                    diagnostics.push(diagnostic.help("remove one of the two columns"));
                }
                _ => {}
            }
        }
        for column in Column::ALL.into_iter().filter(|column| column.is_required()) {
            if !columns.contains(&Some(column)) {
                let message = format!("the header has no column {:?}", column.name());
                let help = format!("write {EXAMPLE}");
                diagnostics.push(Diagnostic::at(source, whole.clone(), message).help(help));
            }
        }
        (diagnostics.len() == errors).then_some(Columns(columns))
    }

    /// The field of a column. An optional column may be missing.
    pub(super) fn field<'r>(&self, row: &'r Row, column: Column) -> Option<&'r Field> {
        row.get(self.0.iter().position(|it| *it == Some(column))?)
    }

    /// Reports a row with too few or too many fields, and text in a column without a name. Returns whether the row is
    /// as the header says.
    pub(super) fn fit(
        &self,
        source: &Arc<SourceText>,
        row: &Row,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> bool {
        let Columns(columns) = self;
        // Empty fields at the right are harmless.
        let used = row.iter().rposition(|field| !field.text.is_empty()).map_or(0, |last| last + 1);
        let needed = columns.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let (found, help) = if used > columns.len() {
            (used, "put a field that contains the delimiter in quotation marks")
        } else if row.len() < needed {
            (row.len(), "write each row with the fields of the header; a field can be empty")
        } else {
            let unnamed = row
                .iter()
                .zip(columns)
                .find(|(it, column)| column.is_none() && !it.text.is_empty());
            if let Some((field, _)) = unnamed {
                let message = format!("{} is in a column without a name", quoted(&field.text));
                let help = "remove the text, or name its column in the header";
                diagnostics.push(Diagnostic::at(source, field.span.clone(), message).help(help));
            }
            return unnamed.is_none();
        };
        let fields = counted(found, "field");
        let message =
            format!("the row has {fields}, but the header has {}", grouped(columns.len()));
        let at = &row[columns.len().min(row.len() - 1)];
        diagnostics.push(Diagnostic::at(source, at.span.clone(), message).help(help));
        false
    }
}

fn unknown(source: &Arc<SourceText>, field: &Field) -> Diagnostic {
    let near = Column::ALL
        .into_iter()
        .find(|column| strsim::damerau_levenshtein(&field.text.to_lowercase(), column.name()) <= 2);
    let help = match near {
        Some(column) => format!("did you mean {}?", column.name()),
        None => "remove the column: the columns are name, boundary, kind and reason".to_owned(),
    };
    let message = format!("unknown column {}", quoted(&field.text));
    Diagnostic::at(source, field.span.clone(), message).help(help)
}
