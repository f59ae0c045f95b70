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

use self::input::{Page, Report};
use self::page::page;
use super::style::Style;
use super::view::{Document, Severity, Text};
use crate::config::Diagnostic;

/// Renders a document about one account.
pub(super) fn document(document: &Document<'_>, _: Style) -> String {
    check(document, &[])
}

/// Renders the result of the check of a file. The rows of the document are about `diagnostics`, in this order.
pub(super) fn check(document: &Document<'_>, diagnostics: &[Diagnostic]) -> String {
    page(&Page {
        title: &document.title,
        severity: document.severity,
        closing: document.closing.as_ref(),
        reports: vec![Report { account: None, document }],
        diagnostics,
    })
}

/// Renders the documents of several accounts, each with the name of its account, as one page.
pub(super) fn accounts(title: &Text<'_>, documents: &[(&str, Document<'_>)]) -> String {
    let report = |(account, document)| Report { account: Some(account), document };
    page(&Page {
        title,
        severity: Severity::Notice,
        closing: None,
        reports: documents.iter().map(|(account, document)| report((*account, document))).collect(),
        diagnostics: &[],
    })
}
