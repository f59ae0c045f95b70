//! The rows of a block as a table.

use std::fmt::Write;

use maud::{Markup, PreEscaped, Render, html};

use super::blocks::{Block, severity_word};
use super::text::{code, text};
use crate::config::{Diagnostic, Excerpt};
use crate::report::escape::visible;
use crate::report::view::{Boundary, Place, Row};

/// The number of rows of a table that a browser reads as elements at once. The others are in a `noscript` element:
/// without JavaScript, the browser shows them as a second table, and with it, the script reads them as text, which is
/// faster. One account has at most 5,000 users.
const MAX_ELEMENTS: usize = 5_000;
/// The number of rows in one `tbody`. The browser lays out only those full ones that are visible.
const CHUNK: usize = 100;

/// Which columns a table has.
struct Columns<'a> {
    account: bool,
    principal: bool,
    change: bool,
    place: bool,
    message: bool,
    /// The only file of all places; `None` if each row has its own.
    file: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(block: &Block<'a>, has_excerpts: bool) -> Self {
        let mut columns = Columns {
            account: block.parts.iter().any(|(account, _)| account.is_some()),
            principal: false,
            change: false,
            place: false,
            message: has_excerpts,
            file: None,
        };
        let mut is_of_one_file = true;
        for (_, row) in block.rows() {
            columns.principal |= row.principal.is_some();
            columns.change |= row.change.is_some();
            columns.message |= !row.message.is_empty() || row.help.is_some();
            columns.message |= row.change.as_ref().is_some_and(|change| change.note().is_some());
            if let Some(Place { file, .. }) = row.place {
                columns.place = true;
                is_of_one_file &= *columns.file.get_or_insert(file) == file;
            }
        }
        if !is_of_one_file {
            columns.file = None;
        }
        columns
    }

    /// The names of the columns, which are also classes of the table.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let last = if self.change { "note" } else { "message" };
        [
            (self.account, "account"),
            (self.change, "action"),
            (self.principal, "kind"),
            (self.principal, "name"),
            (self.change, "from"),
            (self.change, "to"),
            (self.place, "line"),
            (self.message, last),
        ]
        .into_iter()
        .filter_map(|(has, name)| has.then_some(name))
    }
}

/// The file of the lines of a block; `None` if there are none or several.
pub(super) fn file<'a>(block: &Block<'a>) -> Option<&'a str> {
    Columns::of(block, false).file
}

/// A table with a row for each row of the block. `diagnostics` are those of the rows, or empty.
pub(super) fn list(block: &Block<'_>, diagnostics: &[Diagnostic]) -> Markup {
    let columns = Columns::of(block, diagnostics.iter().any(|it| it.excerpt().is_some()));
    let names: Vec<&str> = columns.names().collect();
    let class = format!("list {}", names.join(" "));
    let rows = block.rows().enumerate().map(|(n, (account, row))| {
        let excerpt = diagnostics.get(n).and_then(Diagnostic::excerpt);
        html! { (line(&columns, account, row, excerpt.as_ref())) "\n" }
    });
    let mut rows = rows.peekable();
    let elements = chunks(rows.by_ref().take(MAX_ELEMENTS));
    let severity = severity_word(block.severity).unwrap_or("notice");
    html! {
        table class=(class) data-severity=(severity) data-file=[columns.file.map(visible)] {
            thead {
                tr {
                    @for name in &names {
                        th scope="col" data-column=(name) { (name) }
                    }
                }
            }
            (elements)
        }
        @if rows.peek().is_some() {
            noscript { table class=(class) { (chunks(rows)) } }
        }
    }
}

/// The rows in groups. Each row is one line: the script depends on it.
fn chunks(mut rows: impl Iterator<Item = Markup>) -> Markup {
    let mut text = String::new();
    loop {
        let chunk: Vec<Markup> = rows.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return PreEscaped(text);
        }
        let class = (chunk.len() == CHUNK).then_some("full");
        html! { tbody class=[class] { "\n" @for row in chunk { (row) } } }.render_to(&mut text);
    }
}

fn line(
    columns: &Columns<'_>,
    account: Option<&str>,
    row: &Row<'_>,
    excerpt: Option<&Excerpt<'_>>,
) -> Markup {
    let change = row.change.as_ref();
    html! {
        tr class=[change.map(|change| change.kind.word())] {
            @if columns.account { td { @if let Some(account) = account { (code(account)) } } }
            @if columns.change { td { @if let Some(change) = change { (change.kind.word()) } } }
            @if columns.principal {
                td { @if let Some(principal) = row.principal { (principal.kind.noun()) } }
                td { @if let Some(principal) = row.principal { (code(principal.name.as_str())) } }
            }
            @if columns.change {
                td { @if let Some(change) = change { (boundary(change.from)) } }
                td { @if let Some(change) = change { (boundary(change.to)) } }
            }
            @if columns.place { td { @if let Some(place) = row.place { (place_of(place, row, columns)) } } }
            @if columns.message {
                td {
                    (text(&row.message))
                    @if let Some(note) = change.and_then(|change| change.note()) {
                        @if !row.message.is_empty() { "; " }
                        (text(&note))
                    }
                    @if let Some(excerpt) = excerpt { (underlined(excerpt)) }
                    @if let Some(help) = &row.help { span.help { "help: " (text(help)) } }
                }
            }
        }
    }
}

fn boundary(boundary: Option<Boundary<'_>>) -> Markup {
    match boundary {
        Some(boundary) => code(boundary.shown()),
        None => html! { "none" },
    }
}

/// The line that decided, or where something is: `12`, `30 (rule)`, `5:9`, with the file if the table has several.
fn place_of(place: Place<'_>, row: &Row<'_>, columns: &Columns<'_>) -> String {
    let mut text = String::new();
    if columns.file.is_none() {
        text.push_str(&visible(place.file));
        text.push(':');
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", place.line);
    if let (Some(column), None) = (place.column, row.principal) {
        let _ = write!(text, ":{column}");
    }
    if place.is_rule {
        text.push_str(" (rule)");
    }
    text
}

/// The line of the file, with the part that the message is about.
fn underlined(Excerpt { before, marked, after, label }: &Excerpt<'_>) -> Markup {
    html! {
        pre.excerpt {
            (visible(before))
            mark { @if marked.is_empty() { " " } @else { (visible(marked)) } }
            (visible(after))
        }
        @if !label.is_empty() { span.label { (visible(label)) } }
    }
}
