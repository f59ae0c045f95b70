//! Words that several views share.

use std::borrow::Cow;

use super::{Boundary, Place, Row, Text};
use crate::apply::Summary;
use crate::config::{Provenance, ProvenanceKind};
use crate::iam::{
    PolicyArn, PrincipalCounts, PrincipalKind, PrincipalName, Printable, UniqueId, UnmodifiableRole,
};
pub(in crate::report) use crate::iam::{counted, grouped};
use crate::inventory::Reading;
use crate::plan::{Plan, PlanSource};

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

/// The most files that a sentence names; the others are counted.
const MAX_FILES: usize = 3;

/// The files of a plan, in a sentence.
pub(super) fn files(plan: &Plan) -> Text<'_> {
    match &plan.source {
        PlanSource::Files { files, .. } => {
            paths(&files.iter().map(|file| &file.path).collect::<Vec<_>>())
        }
        PlanSource::Rollback { .. } => Text::name(plan.source.path()),
    }
}

/// Paths in a sentence: `a.toml, b.toml, c.toml and 2 more files`.
pub(super) fn paths<'a>(paths: &[&'a Printable]) -> Text<'a> {
    names(paths.iter().map(|path| path.as_str()), MAX_FILES, "file")
}

/// Names in a sentence, of which at most `most` are named and the others counted: `a, b and 3 more services`.
pub(super) fn names<'a, N: Into<Cow<'a, str>>>(
    names: impl IntoIterator<Item = N>,
    most: usize,
    noun: &str,
) -> Text<'a> {
    let mut names = names.into_iter();
    let mut text = Text::default();
    for (n, name) in names.by_ref().take(most).enumerate() {
        text = text.and(if n == 0 { "" } else { ", " }).and_name(name);
    }
    match names.count() {
        0 => text,
        more => text.and(" and ").and_sentence(counted_more(more, noun)),
    }
}

/// The first `most` statements and, if there are more, one that counts the others.
pub(super) fn at_most<'a>(
    mut statements: Vec<Text<'a>>,
    most: usize,
    others: impl FnOnce(usize) -> Text<'a>,
) -> Vec<Text<'a>> {
    let more = statements.len().saturating_sub(most);
    statements.truncate(most);
    statements.extend((more > 0).then(|| others(more)));
    statements
}

/// Whether the plan is made from several files.
pub(super) fn is_layered(plan: &Plan) -> bool {
    matches!(&plan.source, PlanSource::Files { files, .. } if files.len() > 1)
}

/// The place of a line of one of the files; `is_layered` says whether there are several.
pub(super) fn place(provenance: &Provenance, is_layered: bool) -> Place<'_> {
    let Provenance { kind, file, line, column } = provenance;
    Place {
        file,
        line: *line,
        column: *column,
        is_rule: *kind == ProvenanceKind::Rule,
        is_in_one_of_several: is_layered,
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
pub(in crate::report) fn add_counts(counts: &mut String, more: &[(usize, &str)]) {
    for (count, label) in more.iter().filter(|(count, _)| *count > 0) {
        counts.push_str(&format!(", {} {label}", grouped(*count)));
    }
}
