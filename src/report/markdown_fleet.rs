//! The plans and runs of a fleet as Markdown: the table and what concerns the fleet, then the accounts one by one as far
//! as they fit.

use super::markdown::{
    FOLD_END, Page, Part, Reserve, beginning, closing_line, code, digest_line, folded, length,
    parts, statement_part, statements,
};
use super::style::Style;
use super::view::{FleetAccount, FleetDocument, FleetRow, counted, counted_more, grouped};

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
        page.part(&part, Reserve::length(details + TABLE_RESERVE + length(&digest)));
    }
    page.push(&digest);
    page.part(&table(fleet), Reserve::length(details));
    let accounts: Vec<(String, Vec<Part>)> =
        fleet.accounts.iter().map(|it| (account_head(it), parts(&it.document))).collect();
    // The length of the removals that are not yet written.
    let mut removals: usize = accounts.iter().map(removals_length).sum();
    let (mut left_out, mut removals_left_out) = (0, 0);
    let last_note = length(&note(usize::MAX, usize::MAX));
    for account in &accounts {
        let (head, parts) = account;
        removals -= removals_length(account);
        let frame = length(head) + length(FOLD_END);
        let needed = frame + parts.iter().map(Part::length).sum::<usize>();
        let available = page.available().saturating_sub(last_note);
        if needed > available && available < MIN_PART.max(frame) {
            left_out += 1;
            removals_left_out += parts.iter().map(Part::removals).sum::<usize>();
            continue;
        }
        page.begin_fold(head);
        for (n, part) in parts.iter().enumerate() {
            let of_account: usize = parts[n + 1..].iter().map(Part::removals_length).sum();
            let following_removals = last_note + of_account + removals;
            page.part(part, Reserve { following_removals, ..Reserve::length(last_note) });
        }
        page.end_fold();
    }
    if left_out > 0 {
        page.push(&note(left_out, removals_left_out));
    }
    page.into_text()
}

/// The length that the removals of an account need; 0 without removals.
fn removals_length((head, parts): &(String, Vec<Part>)) -> usize {
    match parts.iter().map(Part::removals_length).sum() {
        0 => 0,
        removals => length(head) + length(FOLD_END) + removals,
    }
}

/// The note that accounts did not fit, with the number of removals in them.
fn note(left_out: usize, removals: usize) -> String {
    let more = counted_more(left_out, "account");
    let removals = match removals {
        0 => String::new(),
        some => format!(" ({})", counted(some, "removal")),
    };
    format!(
        "\n**{more} did not fit{removals}:** the text, JSON and HTML formats contain all details.\n"
    )
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
    Part { head, lines, tail: String::new(), noun: "account", removals: None }
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
