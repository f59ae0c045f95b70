//! The plans and runs of a fleet as Markdown: the table and what concerns the fleet, then the accounts one by one as far
//! as they fit.

use super::markdown::{
    FOLD_END, MAX_LENGTH, Page, Part, closing_line, code, folded, length, parts, statements,
    summary,
};
use super::style::Style;
use super::view::{FleetAccount, FleetDocument, FleetRow, counted_more, grouped};

/// The length that is reserved for the details of the accounts, so that a long table does not displace them.
const RESERVE: usize = 20_000;
/// An account whose details are longer than the rest of the page is left out, unless this much is left.
const MIN_PART: usize = 8_000;

/// Renders the plans or runs of a fleet for a comment or a job summary. The accounts with most at stake come first.
pub(super) fn fleet(fleet: &FleetDocument<'_>, _: Style) -> String {
    let mut page = Page::begin(fleet.document.marker, &summary(&fleet.document));
    page.part(&table(fleet), RESERVE.min(fleet.accounts.len() * 2_000));
    let mut left_out = 0;
    for account in &fleet.accounts {
        let parts = account_parts(account);
        let needed: usize = parts.iter().map(Part::length).sum();
        let available = MAX_LENGTH.saturating_sub(page.length() + length(&note(usize::MAX)));
        if needed > available && available < MIN_PART {
            left_out += 1;
            continue;
        }
        for part in &parts {
            page.part(part, length(&note(usize::MAX)));
        }
    }
    if left_out > 0 {
        page.push(&note(left_out));
    }
    page.into_text()
}

fn note(left_out: usize) -> String {
    let more = counted_more(left_out, "account");
    format!("\n**{more} did not fit:** the text and JSON formats contain all details.\n")
}

fn table(fleet: &FleetDocument<'_>) -> Part {
    let rule = " ---: |".repeat(fleet.columns.len());
    let head = format!("\n| account | {} | |\n| --- |{rule} --- |\n", fleet.columns.join(" | "));
    let line = |row: &FleetRow| {
        let cells: Vec<String> = match row.cells.is_empty() {
            true => vec![String::new(); fleet.columns.len()],
            false => row.cells.iter().map(|cell| grouped(*cell)).collect(),
        };
        format!("| {} | {} | {} |", code(&row.label), cells.join(" | "), row.note)
    };
    let lines = fleet.rows.iter().map(line).collect();
    Part { head, lines, tail: String::new(), noun: "account" }
}

/// The details of an account, folded below its name.
fn account_parts(account: &FleetAccount<'_>) -> Vec<Part> {
    let FleetAccount { account, document } = account;
    let is_text = |c: char| c.is_alphanumeric() || " .,:;()-_/".contains(c);
    let label: String = account.label().chars().map(|c| if is_text(c) { c } else { '_' }).collect();
    let mut parts = parts(document);
    let about_all: String = document.sections.iter().map(statements).collect();
    let closing = document.closing.as_ref().map(closing_line).unwrap_or_default();
    let head = format!("{}{closing}{about_all}", folded(&label));
    match parts.first_mut() {
        Some(first) => first.head.insert_str(0, &head),
        None => {
            let (lines, noun) = (vec![String::new()], "account");
            parts.push(Part { head, lines, tail: String::new(), noun });
        }
    }
    if let Some(last) = parts.last_mut() {
        last.tail.push_str(FOLD_END);
    }
    parts
}
