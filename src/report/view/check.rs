use std::collections::BTreeSet;

use serde::Serialize;

use super::words::{counted, grouped, paths};
use super::{Closing, Document, PLAN_MARKER, Place, Row, Section, Severity, Text, Tone};
use crate::config::{Config, Diagnostic, FileErrors, Fleet, FleetConfigs};
use crate::iam::{PrincipalKind, Printable};

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

/// A fleet file without errors, and the boundaries files that it names.
pub(in crate::report) fn check_fleet<'a>(
    fleet: &'a Fleet,
    configs: &'a FleetConfigs,
    warnings: &'a [Diagnostic],
) -> Document<'a> {
    let files: BTreeSet<&Printable> =
        configs.distinct.iter().flat_map(|config| &config.files).map(|file| &file.path).collect();
    let counts = format!(
        " names {} and {}",
        counted(fleet.accounts.len(), "account"),
        counted(files.len(), "boundaries file")
    );
    let mut parts = vec![(Tone::Good, Text::name(fleet.path.as_str()).and_sentence(counts))];
    if let Some(organization) = &fleet.organization {
        let units = counted(organization.units.len(), "organizational unit");
        parts.push((Tone::Neutral, Text::sentence(units + " of AWS Organizations")));
    }
    if !warnings.is_empty() {
        parts.push((Tone::Careful, Text::sentence(counted(warnings.len(), "warning"))));
    }
    let heading = "Warnings, by line and column";
    let sections = diagnostics(heading, Severity::Warning, "warning", warnings, true);
    Document {
        closing: Some(Closing { label: "No errors", parts }),
        sections: sections.into_iter().collect(),
        ..empty(Severity::Notice, Text::ours("no errors"))
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
    let files: Vec<&Printable> = config.files.iter().map(|file| &file.path).collect();
    let mut parts = vec![(Tone::Good, paths(&files).and_sentence(principals))];
    let (rules, warnings) = (config.rules.len(), config.warnings.len());
    if rules > 0 {
        parts.push((Tone::Neutral, Text::sentence(counted(rules, "rule"))));
    }
    if warnings > 0 {
        parts.push((Tone::Careful, Text::sentence(counted(warnings, "warning"))));
    }
    parts.push((Tone::Neutral, account));
    let sections = diagnostics(
        "Warnings, by line and column",
        Severity::Warning,
        "warning",
        &config.warnings,
        files.len() > 1,
    );
    Document {
        closing: Some(Closing { label: "No errors", parts }),
        sections: sections.into_iter().collect(),
        ..empty(Severity::Notice, Text::ours("no errors"))
    }
}

/// `2 errors in boundaries.toml`.
pub fn errors_in_files(errors: &FileErrors) -> String {
    errors_in(errors).to_string()
}

fn errors_in(errors: &FileErrors) -> Text<'_> {
    let errors_in = counted(errors.diagnostics().len(), "error") + " in ";
    Text::sentence(errors_in).and_text(paths(&errors.files()))
}

/// The errors of a file.
pub(in crate::report) fn file_errors(errors: &FileErrors) -> Document<'_> {
    let files = errors.files();
    let sections = diagnostics(
        "Errors, by line and column",
        Severity::Error,
        "error",
        errors.diagnostics(),
        files.len() > 1,
    );
    Document {
        sections: sections.into_iter().collect(),
        ..empty(Severity::Error, errors_in(errors))
    }
}

/// A row for each diagnostic; `None` without one.
fn diagnostics<'a>(
    heading: &'static str,
    severity: Severity,
    noun: &'static str,
    diagnostics: &'a [Diagnostic],
    is_layered: bool,
) -> Option<Section<'a>> {
    let rows: Vec<Row<'_>> = diagnostics.iter().map(|it| row(it, is_layered)).collect();
    Section::of_rows(Text::ours(heading), severity, noun, noun, rows)
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
        coverage: None,
        account: None,
        digest: None,
    }
}

fn row(diagnostic: &Diagnostic, is_layered: bool) -> Row<'_> {
    let Diagnostic { message, line, column, help, .. } = diagnostic;
    Row {
        principal: None,
        change: None,
        place: Some(Place {
            file: diagnostic.file(),
            line: *line,
            column: Some(*column),
            is_rule: false,
            is_in_one_of_several: is_layered,
        }),
        message: Text::quote(&**message),
        help: help.as_ref().map(|help| Text::quote(&**help)),
    }
}
