use serde::Serialize;

use super::words::{counted, grouped};
use super::{Body, Closing, Document, PLAN_MARKER, Place, Row, Section, Severity, Text, Tone};
use crate::config::{Config, Diagnostic, FileErrors};
use crate::iam::PrincipalKind;

/// The principals of one kind that a file lists.
#[derive(Serialize)]
pub(in crate::report) struct ListedCounts {
    listed: usize,
    with_boundary: usize,
    must_have_none: usize,
}

impl ListedCounts {
    pub(in crate::report) fn of(config: &Config, kind: PrincipalKind) -> Self {
        let entries = config.entries_of(kind);
        let (listed, with_boundary) =
            (entries.len(), entries.values().filter(|entry| entry.boundary.is_some()).count());
        ListedCounts { listed, with_boundary, must_have_none: listed - with_boundary }
    }
}

/// A file without errors.
pub(in crate::report) fn check(config: &Config) -> Document<'_> {
    let listed = config.listed();
    let with_boundary: usize =
        PrincipalKind::ALL.map(|kind| ListedCounts::of(config, kind).with_boundary).iter().sum();
    let principals = format!(
        " lists {listed}: {} with a boundary, {} without",
        grouped(with_boundary),
        grouped(listed.total() - with_boundary)
    );
    let account = match &config.account {
        Some(account) => Text::ours("account ").and_name(account.value.as_str()),
        None => Text::ours("no account specified"),
    };
    Document {
        closing: Some(Closing {
            label: "No errors",
            parts: vec![
                (Tone::Good, Text::name(config.path()).and_sentence(principals)),
                (Tone::Neutral, account),
            ],
        }),
        ..empty(Severity::Notice, Text::ours("no errors"))
    }
}

/// The errors of a file.
pub(in crate::report) fn file_errors(errors: &FileErrors) -> Document<'_> {
    let rows: Vec<Row<'_>> = errors.diagnostics().iter().map(row).collect();
    let title = counted(rows.len(), "error") + " in ";
    let files: Vec<&str> = errors.files().into_iter().map(|file| file.as_str()).collect();
    Document {
        sections: vec![Section {
            heading: Some(Text::ours("Errors, by line and column")),
            severity: Severity::Error,
            label: "error",
            noun: "error",
            body: Body::Rows(rows),
            message: None,
            help: None,
        }],
        ..empty(Severity::Error, Text::sentence(title).and_name(files.join(", ")))
    }
}

/// The document replaces the plan that cannot be made, so it has the same marker.
fn empty(severity: Severity, result: Text<'_>) -> Document<'_> {
    Document {
        marker: PLAN_MARKER,
        severity,
        title: Text::ours("Permissions boundaries: ").and_text(result),
        introduction: None,
        counts: Vec::new(),
        sections: Vec::new(),
        closing: None,
        account: None,
        digest: None,
    }
}

fn row(diagnostic: &Diagnostic) -> Row<'_> {
    let Diagnostic { message, line, column, help, .. } = diagnostic;
    Row {
        principal: None,
        change: None,
        place: Some(Place { file: diagnostic.file(), line: *line, column: Some(*column) }),
        message: Text::quote(&**message),
        help: help.as_ref().map(|help| Text::quote(&**help)),
    }
}
