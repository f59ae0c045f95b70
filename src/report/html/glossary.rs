//! The terms of a report, for a reader who does not know the tool.

use maud::{Markup, html};

use super::blocks::Block;
use super::input::Report;
use crate::report::view::{ChangeKind, CoverageState, GUARD_RAIL, PLAN_MARKER};

/// What the terms in this page mean; nothing if the page is not about an account.
pub(super) fn glossary(reports: &[Report<'_>], blocks: &[Block<'_>]) -> Option<Markup> {
    let is_plan = reports.iter().any(|report| report.document.marker == PLAN_MARKER);
    let has = |state| {
        let views = reports.iter().filter_map(|report| report.document.coverage.as_ref());
        views.flat_map(|view| &view.groups).any(|group| group.state == state)
    };
    let has_base = reports.iter().any(|report| report.document.counts.len() > 1);
    let has_rules = || {
        let mut rows = blocks.iter().flat_map(Block::rows);
        rows.any(|(_, row)| row.place.is_some_and(|place| place.is_rule))
    };
    let has_kind = |kind| {
        let mut rows = blocks.iter().flat_map(Block::rows);
        rows.any(|(_, row)| row.change.as_ref().is_some_and(|change| change.kind == kind))
    };
    let has_lines = blocks.iter().flat_map(Block::rows).any(|(_, row)| row.place.is_some());
    let has_impact = blocks
        .iter()
        .flat_map(Block::rows)
        .any(|(_, row)| row.change.as_ref().is_some_and(|change| change.impact.is_some()));
    let has_digest = reports.iter().any(|report| report.document.digest.is_some());
    let has_label = |label| {
        blocks.iter().flat_map(|block| &block.parts).any(|(_, section)| section.label == label)
    };
    if !has_digest {
        return None;
    }
    let terms = [
        (
            true,
            "permissions boundary",
            "A policy that limits what a user or role can do. It allows nothing by itself: an action must be allowed by the \
             boundary and by the policies of the user or role.",
        ),
        (has_kind(ChangeKind::Add), "add", "The user or role has no boundary, and gets one."),
        (
            has_kind(ChangeKind::Change),
            "change",
            "The user or role has a boundary, and gets another one.",
        ),
        (
            has_kind(ChangeKind::Remove),
            "remove",
            "The user or role loses its boundary: its policies alone decide what it can do.",
        ),
        (
            has_base,
            "from this change",
            "The files of this pull request ask for it, and those before did not.",
        ),
        (
            has_base,
            "drift",
            "The files asked for it before this pull request, too, and the account is different. Someone may have changed the \
             account without the files.",
        ),
        (
            has_impact,
            "gives, takes",
            "The change gives actions that the user or role can be allowed only after it, and takes those that it can be \
             allowed only before it.",
        ),
        (
            has_impact,
            "extends, reduces",
            "An action that is allowed only on some resources or under some conditions becomes allowed on all and under all, \
             or the reverse.",
        ),
        (
            has_impact,
            "can allow more of, can allow less of",
            "The action is allowed only on some resources or under some conditions, before and after, and these differ.",
        ),
        (has_lines, "line", "The line of the file that decides the boundary."),
        (
            has_rules(),
            "(rule)",
            "A rule decides, because no entry names the user or role. A rule can match many.",
        ),
        (
            has(CoverageState::AsSpecified),
            "as the files say, in sync",
            "The user or role already has what the files say. Nothing changes for it.",
        ),
        (
            has(CoverageState::Unlisted) || has(CoverageState::Unprotected),
            "unlisted",
            "No entry names the user or role, and no rule matches it. It is not changed.",
        ),
        (
            has(CoverageState::Problem) && is_plan,
            "cannot be planned",
            "The files name the user or role, but nothing can be done for it: for example, it does not exist.",
        ),
        (
            has_label(GUARD_RAIL),
            "guard rail",
            "A limit on plans in the files. apply makes no change of a plan that violates one.",
        ),
        (
            has_label("in conflict"),
            "in conflict",
            "The user or role is not as the plan expects. It is not changed.",
        ),
        (
            has_label("not attempted"),
            "not attempted",
            "No request was sent, or IAM did not accept any.",
        ),
        (
            has_label("applied"),
            "applied",
            "IAM accepted the change, and reading the user or role again showed it.",
        ),
        (
            true,
            "digest",
            "It identifies the plan. The plan that is applied has the same digest as the plan that was reviewed.",
        ),
    ];
    Some(html! {
        details.glossary {
            summary { "What the terms mean" }
            dl {
                @for (_, term, meaning) in terms.iter().filter(|(is_used, ..)| *is_used) {
                    div { dt { (term) } dd { (meaning) } }
                }
            }
        }
    })
}
