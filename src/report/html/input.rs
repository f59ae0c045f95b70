use crate::config::Diagnostic;
use crate::report::view::{Closing, Document, FleetRow, Severity, Text};

/// What a page shows.
pub(in crate::report) struct Page<'a> {
    pub(in crate::report) title: &'a Text<'a>,
    pub(in crate::report) severity: Severity,
    pub(in crate::report) closing: Option<&'a Closing<'a>>,
    /// At least one. If there are several, the account is a column and a filter.
    pub(in crate::report) reports: Vec<Report<'a>>,
    /// The table of the accounts of a fleet.
    pub(in crate::report) fleet: Option<FleetTable<'a>>,
    /// The diagnostics of the rows of a file check; empty for other documents.
    pub(in crate::report) diagnostics: &'a [Diagnostic],
}

/// A row for each account of a fleet about which something is to be said.
pub(in crate::report) struct FleetTable<'a> {
    /// The headings of the cells.
    pub(in crate::report) columns: &'a [&'static str],
    pub(in crate::report) rows: &'a [FleetRow],
}

/// The document of one account.
pub(in crate::report) struct Report<'a> {
    /// What names the account among others; untrusted.
    pub(in crate::report) account: Option<&'a str>,
    pub(in crate::report) document: &'a Document<'a>,
}
