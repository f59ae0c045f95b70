//! The plans and runs of a fleet as Markdown: the table and what concerns the fleet, then the accounts one by one as far
//! as they fit.

use super::markdown::{
    FOLD_END, Page, Part, beginning, closing_line, code, digest_line, folded, length, parts,
    statement_part, statements,
};
use super::style::Style;
use super::view::{FleetAccount, FleetDocument, FleetRow, counted_more, grouped};

/// The length that is reserved for the details of the accounts, so that a long table does not displace them.
const RESERVE: usize = 20_000;
/// An account whose details are longer than the rest of the page is left out, unless this much is left.
const MIN_PART: usize = 8_000;

/// The length that is reserved for the table, so that the reasons of many accounts do not displace it.
const TABLE_RESERVE: usize = 15_000;

/// Renders the plans or runs of a fleet for a comment or a job summary. The accounts with most at stake come first.
pub(super) fn fleet(fleet: &FleetDocument<'_>, _: Style) -> String {
    let details = RESERVE.min(fleet.accounts.len() * 2_000);
    let mut page = Page::begin(fleet.document.marker, &beginning(&fleet.document));
    let digest = digest_line(&fleet.document);
    for part in fleet.document.sections.iter().filter_map(statement_part) {
        page.part(&part, details + TABLE_RESERVE + length(&digest));
    }
    page.push(&digest);
    page.part(&table(fleet), details);
    let mut left_out = 0;
    for account in &fleet.accounts {
        let (head, parts) = (account_head(account), parts(&account.document));
        let frame = length(&head) + length(FOLD_END);
        let needed = frame + parts.iter().map(Part::length).sum::<usize>();
        let available = page.available().saturating_sub(length(&note(usize::MAX)));
        if needed > available && available < MIN_PART.max(frame) {
            left_out += 1;
            continue;
        }
        page.begin_fold(&head);
        for part in &parts {
            page.part(part, length(&note(usize::MAX)));
        }
        page.end_fold();
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

/// The name of an account, below which its details are folded, and what the details begin with.
fn account_head(account: &FleetAccount<'_>) -> String {
    let FleetAccount { account, document } = account;
    let is_text = |c: char| c.is_alphanumeric() || " .,:;()-_/".contains(c);
    let label: String = account.label().chars().map(|c| if is_text(c) { c } else { '_' }).collect();
    let about_all: String = document.sections.iter().map(statements).collect();
    let closing = document.closing.as_ref().map(closing_line).unwrap_or_default();
    format!("{}{closing}{about_all}", folded(&label))
}
