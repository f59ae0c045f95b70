//! One HTML page that needs no network: the styles and the script are in the page, and its Content Security Policy
//! allows nothing else. Untrusted text is never interpreted as markup.
//!
//! Without JavaScript, the page shows everything. The script adds filters, sorting and details.

mod blocks;
mod glossary;
mod input;
mod list;
mod page;
mod picture;
mod policy;
mod text;

use self::input::{FleetTable, Page, Report};
use self::page::page;
use super::style::Style;
use super::view::{Document, FleetDocument, Severity};
use crate::config::Diagnostic;

/// Renders a document about one account.
pub(super) fn document(document: &Document<'_>, _: Style) -> String {
    check(document, &[])
}

/// Renders the result of the check of a file. The rows of the document are about `diagnostics`, in this order.
pub(super) fn check(document: &Document<'_>, diagnostics: &[Diagnostic]) -> String {
    page(&Page {
        title: &document.title,
        severity: severity(document),
        closing: document.closing.as_ref(),
        reports: vec![Report { account: None, document }],
        fleet: None,
        diagnostics,
    })
}

/// Renders the plans or runs of a fleet as one page.
pub(super) fn fleet(fleet: &FleetDocument<'_>, _: Style) -> String {
    let labels: Vec<String> = fleet.accounts.iter().map(|it| it.account.label()).collect();
    let of_fleet = Report { account: None, document: &fleet.document };
    let accounts = labels.iter().zip(&fleet.accounts);
    let accounts =
        accounts.map(|(label, it)| Report { account: Some(label), document: &it.document });
    page(&Page {
        title: &fleet.document.title,
        severity: severity(&fleet.document),
        closing: fleet.document.closing.as_ref(),
        reports: [of_fleet].into_iter().chain(accounts).collect(),
        fleet: Some(FleetTable { columns: fleet.columns, rows: &fleet.rows }),
        diagnostics: &[],
    })
}

/// The severity of the header: a document with an error must not begin like a success.
fn severity(document: &Document<'_>) -> Severity {
    match document.sections.iter().any(|section| section.severity == Severity::Error) {
        true => Severity::Error,
        false => document.severity,
    }
}
