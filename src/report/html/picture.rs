//! The picture of coverage: a bar, and its numbers as a table.

use std::collections::HashMap;

use maud::{Markup, html};

use super::input::{FleetTable, Report};
use super::text::code;
use crate::iam::{PrincipalCounts, PrincipalKind};
use crate::report::view::{CoverageGroup, CoverageState, CoverageView, Document, grouped};

/// The width of a bar, in the units of its coordinates.
const WIDTH: usize = 1_000;
/// The least width of a group, so that a single principal of many is visible.
const MIN_WIDTH: usize = 6;
/// The height of a bar.
const HEIGHT: usize = 20;

/// The coverage of all accounts of a page; nothing if no document is about an account.
pub(super) fn coverage(reports: &[Report<'_>]) -> Option<Markup> {
    // The first document of a fleet is about all accounts.
    let groups = &reports.first()?.document.coverage.as_ref()?.groups;
    let all: PrincipalCounts =
        groups.iter().fold(PrincipalCounts::default(), |sum, it| sum + it.counts);
    let kinds: Vec<PrincipalKind> =
        PrincipalKind::ALL.into_iter().filter(|kind| all.of_kind(*kind) > 0).collect();
    (!groups.is_empty()).then(|| {
        html! {
            section.coverage aria-labelledby="coverage" {
                h2 #coverage { "Coverage of " (all.to_string()) }
                (bar(groups))
                table.legend {
                    thead {
                        tr {
                            th scope="col" { "coverage" }
                            @for kind in &kinds { th.number scope="col" { (kind.plural()) } }
                            th.number scope="col" { "share" }
                        }
                    }
                    tbody {
                        @for CoverageGroup { label, state, counts } in groups {
                            tr {
                                th scope="row" { (swatch(*state)) " " (label) }
                                @for kind in &kinds { td.number { (grouped(counts.of_kind(*kind))) } }
                                td.number { (share(counts.total(), all.total())) }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// The coverage, the numbers and the digest of each account. A number that is not known has an empty cell.
pub(super) fn by_account(fleet: &FleetTable<'_>, reports: &[Report<'_>]) -> Markup {
    let documents: HashMap<&str, &Document<'_>> =
        reports.iter().filter_map(|it| Some((it.account?, it.document))).collect();
    let views = documents.values().filter_map(|document| document.coverage.as_ref());
    let groups = CoverageView::sum(views).groups;
    let has_notes = fleet.rows.iter().any(|row| !row.note.is_empty());
    let has_digests = !documents.is_empty();
    html! {
        section.accounts aria-labelledby="accounts" {
            h2 #accounts { "Accounts" }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { "account" }
                            @if has_notes { th scope="col" { "result" } }
                            @if !groups.is_empty() { th scope="col" { "coverage" } }
                            @for group in &groups { th.number scope="col" { (group.label) } }
                            @for column in fleet.columns { th.number scope="col" { (column) } }
                            @if has_digests { th scope="col" { "digest" } }
                        }
                    }
                    tbody {
                        @for row in fleet.rows {
                            @let document = documents.get(row.label.as_str()).copied();
                            @let view = document.and_then(|it| it.coverage.as_ref());
                            tr {
                                th scope="row" { (code(&row.label)) }
                                @if has_notes { td.bad { (row.note) } }
                                @if !groups.is_empty() {
                                    td.picture { @if let Some(view) = view { (bar(&view.groups)) } }
                                }
                                @for group in &groups {
                                    td.number { @if let Some(view) = view { (grouped(in_group(view, group))) } }
                                }
                                @for n in 0..fleet.columns.len() {
                                    td.number { @if let Some(cell) = row.cells.get(n) { (grouped(*cell)) } }
                                }
                                @if has_digests { td { @if let Some(document) = document { (digest(document)) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The number of principals of a view in the group with this label.
fn in_group(view: &CoverageView, CoverageGroup { label, .. }: &CoverageGroup) -> usize {
    let of_label = view.groups.iter().filter(|group| group.label == *label);
    of_label.map(|group| group.counts.total()).sum()
}

fn digest(document: &Document<'_>) -> Markup {
    html! { @if let Some((_, digest)) = &document.digest { code { (digest.short()) } } }
}

/// A bar with a part for each group. Its text has the same numbers.
fn bar(groups: &[CoverageGroup]) -> Markup {
    let total: usize = groups.iter().map(|group| group.counts.total()).sum();
    let said: Vec<String> =
        groups.iter().map(|group| format!("{} {}", group.counts, group.label)).collect();
    let wanted = groups.iter().map(|it| MIN_WIDTH.max(it.counts.total() * WIDTH / total.max(1)));
    let wanted: Vec<usize> = wanted.collect();
    let scale = wanted.iter().sum::<usize>().max(1);
    let mut end = 0;
    let parts = wanted.iter().zip(groups).map(|(width, group)| {
        let start = end;
        end += width;
        let [from, to] = [start, end].map(|at| at * WIDTH / scale);
        (from, to - from, group)
    });
    let view_box = format!("0 0 {WIDTH} {HEIGHT}");
    html! {
        svg.bar viewBox=(view_box) preserveAspectRatio="none" role="img" aria-label=(said.join(", ")) {
            @for (x, width, CoverageGroup { label, state, counts }) in parts {
                rect class=(class(*state)) x=(x) y="0" width=(width) height=(HEIGHT) {
                    title { (label) ": " (counts.to_string()) }
                }
            }
        }
    }
}

fn swatch(state: CoverageState) -> Markup {
    html! {
        svg.swatch viewBox="0 0 10 10" aria-hidden="true" {
            rect class=(class(state)) width="10" height="10" rx="2" {}
        }
    }
}

fn class(state: CoverageState) -> &'static str {
    match state {
        CoverageState::AsSpecified => "as-specified",
        CoverageState::Planned => "planned",
        CoverageState::Drifted => "drifted",
        CoverageState::Problem => "problem",
        CoverageState::Unlisted => "unlisted",
        CoverageState::Unprotected => "unprotected",
        CoverageState::Excluded => "excluded",
    }
}

/// A share in percent. A part that is not empty never has 0%, and only everything has 100%.
fn share(part: usize, all: usize) -> String {
    match (part * 200 + all) / (2 * all.max(1)) {
        0 if part > 0 => "< 1%".to_owned(),
        100 if part < all => "> 99%".to_owned(),
        percent => format!("{percent}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_and_says_whether_something_is_left() {
        let shares = [(0, 7), (1, 1_000), (1, 3), (2, 3), (999, 1_000), (7, 7), (0, 0)];
        let shown = shares.map(|(part, all)| share(part, all));
        assert_eq!(shown, ["0%", "< 1%", "33%", "67%", "> 99%", "100%", "0%"]);
    }

    #[test]
    fn the_parts_of_a_bar_fill_it_and_none_is_invisible() {
        let group = |users, state| CoverageGroup {
            label: "a group",
            state,
            counts: PrincipalCounts { users, roles: 0 },
        };
        let groups = [group(99_999, CoverageState::AsSpecified), group(1, CoverageState::Problem)];
        let bar = bar(&groups).into_string();
        let widths: Vec<usize> = bar
            .split(" width=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(widths.iter().sum::<usize>(), WIDTH, "{bar}");
        assert!(widths[1] >= MIN_WIDTH - 1, "{bar}");
        assert!(bar.contains("99,999 users a group, 1 user a group"), "{bar}");
    }
}
