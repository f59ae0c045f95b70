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

pub(super) use input::{Page, Report};
pub(super) use page::page;

use super::style::Style;
use super::view::Document;
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
