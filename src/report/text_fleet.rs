//! The plans and runs of a fleet as text for people.

use textwrap::core::display_width;

use super::style::Style;
use super::text::{Columns, closing, document, sections};
use super::view::{FleetDocument, FleetRow, Tone, grouped};
use super::wrap::Sentence;

/// Renders the plans or runs of a fleet: the table, what concerns the fleet, the accounts one by one, and at the end the
/// closing line and the digest.
pub(super) fn fleet(fleet: &FleetDocument<'_>, style: Style) -> String {
    let mut text = String::new();
    table(&mut text, fleet, style);
    let columns =
        Columns::of("  ".len(), fleet.document.sections.iter().flat_map(|it| it.rows()), style);
    sections(&mut text, &fleet.document.sections, &columns, style);
    for account in &fleet.accounts {
        text.push_str(&account_heading(&account.account.label(), style));
        text.push_str(&document(&account.document, style));
        text.push('\n');
    }
    closing(&mut text, &fleet.document, style);
    text
}

/// The line before the details of an account.
pub(super) fn account_heading(label: &str, style: Style) -> String {
    let mut text = String::new();
    Sentence::default()
        .name(Tone::Strong, label)
        .ours(Tone::Strong, ":")
        .write(&mut text, style, 0, 2);
    text
}

/// A row for each account, right-aligned below the headings of the columns. Nothing without rows.
fn table(text: &mut String, fleet: &FleetDocument<'_>, style: Style) {
    if fleet.rows.is_empty() {
        return;
    }
    let width_of = |row: &FleetRow| display_width(&row.label);
    let width = fleet.rows.iter().map(width_of).max().unwrap_or_default().max("account".len());
    text.push_str(&style.dim(format!("{:width$}  {}", "account", fleet.columns.join("  "))));
    text.push('\n');
    for row in &fleet.rows {
        let padding = " ".repeat(width - display_width(&row.label));
        text.push_str(&format!("{}{padding}", style.tone(Tone::Strong, &*row.label)));
        for (cell, heading) in row.cells.iter().zip(fleet.columns) {
            text.push_str(&format!("  {:>width$}", grouped(*cell), width = heading.len()));
        }
        if !row.note.is_empty() {
            text.push_str(&format!("  {}", style.tone(Tone::Bad, row.note)));
        }
        text.push('\n');
    }
    text.push('\n');
}
