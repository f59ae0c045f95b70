//! Words that several views share.

use super::{Boundary, Row, Text};
use crate::apply::Summary;
pub(in crate::report) use crate::iam::grouped;
use crate::iam::{
    PolicyArn, PrincipalCounts, PrincipalKind, PrincipalName, UniqueId, UnmodifiableRole,
};
use crate::inventory::Reading;
use crate::plan::Plan;

/// `1 user`, `2 users`, `5,000 users`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), plural(count, "", "s"))
}

/// `1 more user`, `2 more users`.
pub(in crate::report) fn counted_more(count: usize, noun: &str) -> String {
    format!("{} more {noun}{}", grouped(count), plural(count, "", "s"))
}

/// `one` if `count` is 1, `many` otherwise.
pub(super) fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// The number of rows with their noun: `2 problems`, or `3 users and 2 roles`.
pub(in crate::report) fn counted_rows<'r>(
    rows: impl IntoIterator<Item = &'r Row<'r>>,
    noun: &str,
) -> String {
    match noun {
        "user" | "role" | "principal" => principals(rows).to_string(),
        noun => counted(rows.into_iter().count(), noun),
    }
}

/// The numbers of the principals in rows.
pub(in crate::report) fn principals<'r>(
    rows: impl IntoIterator<Item = &'r Row<'r>>,
) -> PrincipalCounts {
    let principals = rows.into_iter().filter_map(|row| row.principal);
    PrincipalCounts::of(principals.map(|principal| principal.kind))
}

/// The account of a plan, with its alias if the alias was read.
pub(super) fn account(plan: &Plan) -> Text<'_> {
    let id = Text::name(plan.account.as_str());
    match &plan.account_alias {
        Some(alias) => id.and(" (").and_name(alias.to_string()).and(")"),
        None => id,
    }
}

/// A boundary with its short name, if the plan has one for it.
pub(super) fn boundary<'a>(plan: &'a Plan, arn: Option<&'a PolicyArn>) -> Option<Boundary<'a>> {
    arn.map(|arn| Boundary { arn, name: plan.names.get(arn).map(String::as_str) })
}

/// A boundary in a sentence.
pub(super) fn named<'a>(plan: &'a Plan, arn: Option<&'a PolicyArn>) -> Text<'a> {
    match boundary(plan, arn) {
        None => Text::ours("no boundary"),
        Some(boundary) => Text::name(boundary.shown()),
    }
}

/// The clause that says that a principal was deleted and created again.
pub(super) fn recreated_clause(
    kind: PrincipalKind,
    before: &UniqueId,
    now: &UniqueId,
) -> Text<'static> {
    Text::ours("the ")
        .and(kind.noun())
        .and(" was deleted and created again: its unique ID was ")
        .and_name(before.to_string())
        .and(", and is now ")
        .and_name(now.to_string())
}

/// The clause that says what was read instead of the expected boundary.
pub(super) fn found_clause<'a>(
    plan: &'a Plan,
    kind: PrincipalKind,
    found: &'a Reading,
) -> Text<'a> {
    match found {
        Reading::Found { boundary, .. } => Text::ours("the ")
            .and(kind.noun())
            .and(" has ")
            .and_text(named(plan, boundary.as_ref())),
        Reading::Unmodifiable { role, .. } => unmodifiable_clause(*role),
        Reading::NotFound { differs_by_case } => not_found_clause(kind, differs_by_case.as_ref()),
        Reading::Unreadable(error) => {
            Text::ours("its boundary cannot be read: ").and_quote(error.to_string())
        }
    }
}

/// The clause that says that a principal does not exist, and names one that differs only in case.
pub(super) fn not_found_clause(kind: PrincipalKind, other: Option<&PrincipalName>) -> Text<'_> {
    let clause = Text::ours("IAM has no such ").and(kind.noun());
    match other {
        Some(other) => clause.and(", but it has ").and_name(other.as_str()),
        None => clause,
    }
}

/// The clause that says that AWS manages a role.
pub(super) fn unmodifiable_clause(role: UnmodifiableRole) -> Text<'static> {
    Text::ours("it ").and(role.reason())
}

/// The counts of a run: the first three always, the others if they are not zero.
pub fn summary_counts(summary: &Summary) -> String {
    let [applied, failed, not_attempted] =
        [summary.applied, summary.failed, summary.not_attempted].map(grouped);
    let mut counts = format!("{applied} applied, {failed} failed, {not_attempted} not attempted");
    add_counts(
        &mut counts,
        &[(summary.not_as_written, "not as written"), (summary.not_verified, "not verified")],
    );
    counts
}

/// Adds those of `more` that are not zero.
pub(super) fn add_counts(counts: &mut String, more: &[(usize, &str)]) {
    for (count, label) in more.iter().filter(|(count, _)| *count > 0) {
        counts.push_str(&format!(", {} {label}", grouped(*count)));
    }
}
