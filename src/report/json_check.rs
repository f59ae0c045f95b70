//! File checks as JSON for machines. Its fields are documented, and their names do not change.

use serde::Serialize;

use super::view::ListedCounts;
use crate::config::{Config, Diagnostic, FileErrors, Fleet, FleetConfigs, SourceFile};
use crate::iam::{AccountId, Digest, PrincipalKind};

/// The errors of a file as one document.
pub(super) fn file_errors(errors: &FileErrors) -> String {
    let files: Vec<&str> = errors.files().into_iter().map(|file| file.as_str()).collect();
    pretty(&CheckJson {
        file: files.join(", "),
        mistakes: errors.diagnostics().iter().map(DiagnosticJson::of).collect(),
        ..CheckJson::default()
    })
}

/// A file without errors as one document.
pub(super) fn check(config: &Config) -> String {
    pretty(&CheckJson {
        file: config.path(),
        file_digest: match &*config.files {
            [only] => Some(only.digest),
            _ => None,
        },
        files: config.files.iter().map(FileJson::of).collect(),
        account: config.account.as_ref().map(|account| account.value),
        users: Some(ListedCounts::of(config, PrincipalKind::User)),
        roles: Some(ListedCounts::of(config, PrincipalKind::Role)),
        rules: Some(config.rules.len()),
        warnings: config.warnings.iter().map(DiagnosticJson::of).collect(),
        ..CheckJson::default()
    })
}

/// A fleet file without errors, and its boundaries files, as one document.
pub(super) fn check_fleet(
    fleet: &Fleet,
    configs: &FleetConfigs,
    warnings: &[Diagnostic],
) -> String {
    let files = configs.distinct.iter().flat_map(|config| &config.files);
    let mut files: Vec<FileJson<'_>> = files.map(FileJson::of).collect();
    files.sort_by_key(|file| file.path);
    files.dedup_by_key(|file| file.path);
    pretty(&CheckJson {
        file: fleet.path.to_string(),
        file_digest: Some(fleet.digest),
        files,
        accounts: Some(fleet.accounts.len()),
        organizational_units: fleet.organization.as_ref().map(|it| it.units.len()),
        warnings: warnings.iter().map(DiagnosticJson::of).collect(),
        ..CheckJson::default()
    })
}

#[derive(Serialize)]
struct CheckJson<'a> {
    format: &'static str,
    format_version: u32,
    /// Of several files, their paths.
    file: String,
    /// Null for several files.
    file_digest: Option<Digest>,
    /// The files in the order in which they are layered. Empty if there are errors.
    files: Vec<FileJson<'a>>,
    account: Option<AccountId>,
    users: Option<ListedCounts>,
    roles: Option<ListedCounts>,
    rules: Option<usize>,
    /// Of a fleet file, the number of accounts that it names; otherwise, it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<usize>,
    /// Of a fleet file, the number of units of the organization; otherwise, it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    organizational_units: Option<usize>,
    mistakes: Vec<DiagnosticJson<'a>>,
    warnings: Vec<DiagnosticJson<'a>>,
}

#[derive(Serialize)]
struct FileJson<'a> {
    path: &'a str,
    digest: Digest,
}

impl<'a> FileJson<'a> {
    fn of(file: &'a SourceFile) -> Self {
        FileJson { path: &file.path, digest: file.digest }
    }
}

#[derive(Serialize)]
struct DiagnosticJson<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    help: Option<&'a str>,
}

impl Default for CheckJson<'_> {
    fn default() -> Self {
        CheckJson {
            format: "iam-boundaries/check",
            format_version: 1,
            file: String::new(),
            file_digest: None,
            files: Vec::new(),
            account: None,
            users: None,
            roles: None,
            rules: None,
            accounts: None,
            organizational_units: None,
            mistakes: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

impl<'a> DiagnosticJson<'a> {
    fn of(diagnostic: &'a Diagnostic) -> Self {
        let Diagnostic { message, line, column, help, .. } = diagnostic;
        DiagnosticJson {
            file: diagnostic.file(),
            line: *line,
            column: *column,
            message,
            help: help.as_deref(),
        }
    }
}

pub(super) fn pretty(document: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(document).expect("a document of strings and numbers is JSON");
    text.push('\n');
    text
}
