//! Words that several views share.

use super::{Boundary, Text};
use crate::apply::Summary;
pub(in crate::report) use crate::iam::grouped;
use crate::iam::{PolicyArn, UniqueId};
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

/// The clause that says that a user was deleted and created again.
pub(super) fn recreated_clause(before: &UniqueId, now: &UniqueId) -> Text<'static> {
    Text::ours("the user was deleted and created again: its unique ID was ")
        .and_name(before.to_string())
        .and(", and is now ")
        .and_name(now.to_string())
}

/// The clause that says what was read instead of the expected boundary.
pub(super) fn found_clause<'a>(plan: &'a Plan, found: &'a Reading) -> Text<'a> {
    match found {
        Reading::Found { boundary, .. } => {
            Text::ours("the user has ").and_text(named(plan, boundary.as_ref()))
        }
        Reading::NotFound { differs_by_case: None } => Text::ours("IAM has no such user"),
        Reading::NotFound { differs_by_case: Some(other) } => {
            Text::ours("IAM has no such user, but it has ").and_name(other.as_str())
        }
        Reading::Unreadable(error) => {
            Text::ours("its boundary cannot be read: ").and_quote(error.to_string())
        }
    }
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
