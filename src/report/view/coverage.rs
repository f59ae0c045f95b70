//! The coverage of a plan, and what a reader should know besides its changes: missing and unlisted principals, entries
//! that expire, the warnings about the files, and the limits of the plan.

use super::advice;
use super::problem::problem_row;
use super::same::SectionKind;
use super::words::{counted, counted_more, grouped, is_layered, named, place, plural};
use super::{Body, Difference, Place, Row, Section, Severity, Text, Tone};
use crate::config::{OnUnlisted, Position};
use crate::iam::{PrincipalCounts, PrincipalKind};
use crate::plan::{
    DriftedPolicy, Expiring, Only, Plan, Severity as ProblemSeverity, Unlisted, UnlistedPrincipal,
    Warning,
};

/// The maximum number of unlisted principals of a group that are named; the others are counted.
const MAX_NAMES: usize = 20;
/// The maximum number of patterns that a sentence names; the others are counted.
const MAX_PATTERNS: usize = 3;

/// The sections about coverage, the most important first.
pub(super) fn coverage_sections(plan: &Plan) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = drifted(plan).into_iter().collect();
    sections.extend(unlisted_sections(plan));
    sections.extend(missing(plan));
    sections.extend(warnings(plan));
    sections.extend(expiring(plan));
    sections
}

/// The pinned policies that are not as the files pin them.
pub(super) fn drifted(plan: &Plan) -> Option<Section<'_>> {
    let unread = |drifted: &'_ DriftedPolicy| drifted.difference.as_ref().err().and_then(advice);
    let (heading, help) = match plan.drifted.iter().any(|it| it.difference.is_ok()) {
        true => (
            "Drifted policies",
            Some(Text::ours(
                "restore each policy, or change its document and have the change reviewed; lines with - are only in the \
                 document, and lines with + only in the policy",
            )),
        ),
        false => {
            let advice = plan.drifted.iter().find_map(unread);
            ("Pinned policies that cannot be compared", advice.map(Text::sentence))
        }
    };
    (!plan.drifted.is_empty()).then(|| Section {
        heading: Some(Text::ours(heading)),
        severity: Severity::Warning,
        label: "drifted policy",
        noun: "policy",
        body: Body::Differences(plan.drifted.iter().map(difference).collect()),
        message: None,
        help,
    })
}

fn difference(drifted: &DriftedPolicy) -> Difference<'_> {
    let DriftedPolicy { policy, document, holders, difference } = drifted;
    let (statement, lines) = match difference {
        Ok(lines) => {
            let statement = Text::name(policy.as_str()).and(" differs from ");
            (statement.and_name(document.as_str()), &**lines)
        }
        Err(error) => {
            let statement = Text::name(policy.as_str()).and(" cannot be compared with ");
            let statement = statement.and_name(document.as_str()).and(": ");
            (statement.and_quote(error.to_string()), &[][..])
        }
    };
    let statement = match holders.total() {
        0 => statement.and("; no principal of this plan has it"),
        count => {
            let verb = plural(count, " has it", " have it");
            statement.and("; ").and_sentence(holders.to_string()).and(verb)
        }
    };
    Difference { statement, lines }
}

/// The unlisted principals that the files do not ignore.
pub(super) fn unlisted_sections(plan: &Plan) -> impl Iterator<Item = Section<'_>> {
    plan.unlisted.by_kind().into_iter().filter_map(|(kind, unlisted)| {
        let unlisted = unlisted.as_ref().filter(|it| it.count > 0)?;
        unlisted_section(kind, unlisted)
    })
}

fn unlisted_section(kind: PrincipalKind, unlisted: &Unlisted) -> Option<Section<'_>> {
    let severity = match unlisted.action {
        OnUnlisted::Ignore => return None,
        OnUnlisted::Warn => Severity::Warning,
        OnUnlisted::Error => Severity::Error,
    };
    let count = counted(unlisted.count, kind.noun());
    let verb = plural(unlisted.count, "is", "are");
    let heading = Text::sentence(format!("{count} {verb} unlisted"));
    let heading = match severity {
        Severity::Error => heading.and(", which [unlisted] makes an error"),
        _ => heading,
    };
    let (bare, with): (Vec<_>, Vec<_>) =
        unlisted.principals.iter().partition(|it| it.boundary.is_none());
    let (administrators, bare): (Vec<_>, Vec<_>) =
        bare.into_iter().partition(|it| it.is_administrator);
    let statements = [
        (administrators, " without a boundary and with administrative policies: "),
        (bare, " without a boundary: "),
        (with, " with a boundary: "),
    ];
    let statement = |(principals, label): (Vec<&_>, _)| names(&principals, label);
    Some(Section {
        heading: Some(heading),
        severity,
        label: "unlisted",
        noun: kind.noun(),
        body: Body::Statements(statements.into_iter().filter_map(statement).collect()),
        message: None,
        help: Some(Text::ours("add an entry for each, or a rule that matches them")),
    })
}

/// A group of unlisted principals; `None` if it is empty.
fn names(principals: &[&UnlistedPrincipal], label: &'static str) -> Option<Text<'static>> {
    if principals.is_empty() {
        return None;
    }
    let (named, more) = principals.split_at(principals.len().min(MAX_NAMES));
    let mut text = Text::sentence(grouped(principals.len())).and(label);
    for (n, it) in named.iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        text = text.and(comma).and_name(it.principal.name.to_string());
    }
    Some(match more.len() {
        0 => text,
        count => text
            .and(" and ")
            .and_sentence(format!("{} more; plan --format json lists all", grouped(count))),
    })
}

/// The listed principals that do not exist, where the files make that a warning.
pub(super) fn missing(plan: &Plan) -> Vec<Section<'_>> {
    let rows = plan
        .problems_of(ProblemSeverity::Warning)
        .map(|it| problem_row((&it.principal, &it.provenance, &it.kind), is_layered(plan)));
    let kind = SectionKind {
        heading: "Missing",
        severity: Severity::Warning,
        label: "missing",
        noun: Some("warning"),
        help: None,
    };
    kind.sections(rows)
}

/// What is probably not intended in the files.
fn warnings(plan: &Plan) -> Option<Section<'_>> {
    let rows = plan.warnings.iter().map(|warning| warning_row(warning, is_layered(plan))).collect();
    Section::of_rows(Text::ours("Warnings"), Severity::Warning, "warning", "warning", rows)
}

fn warning_row(Warning { position, message, help }: &Warning, is_layered: bool) -> Row<'_> {
    let Position { file, line, column } = position;
    Row {
        principal: None,
        change: None,
        place: Some(Place {
            file,
            line: *line,
            column: Some(*column),
            is_rule: false,
            is_in_one_of_several: is_layered,
        }),
        message: Text::quote(message.as_str()),
        help: help.as_ref().map(|help| Text::quote(help.as_str())),
    }
}

/// The entries that expire soon, the first to expire first. Without `then`, someone has to decide in time.
fn expiring(plan: &Plan) -> Option<Section<'_>> {
    let mut expiring: Vec<&Expiring> = plan.expiring.iter().collect();
    expiring.sort_by_key(|it| it.until.moment());
    let severity = match expiring.iter().all(|it| it.then.is_some()) {
        true => Severity::Notice,
        false => Severity::Warning,
    };
    let rows = expiring.into_iter().map(|it| expiring_row(plan, it)).collect();
    let heading = Text::ours("Expiring soon");
    let heading = match plan.as_of {
        Some(as_of) => heading.and(" (as of ").and_sentence(as_of.to_string()).and(")"),
        None => heading,
    };
    Section::of_rows(heading, severity, "expires soon", "warning", rows)
}

fn expiring_row<'a>(plan: &'a Plan, expiring: &'a Expiring) -> Row<'a> {
    let Expiring { principal, until, then, provenance } = expiring;
    let until = Text::ours("expires on ").and_sentence(until.to_string());
    let (message, help) = match then {
        Some(then) => (until.and(", then ").and_text(named(plan, then.as_ref())), None),
        None => (
            until.and(", and nothing is specified for then: it will be a problem"),
            Some(Text::ours("extend until, add then, or remove the entry before that date")),
        ),
    };
    let place = Some(place(provenance, is_layered(plan)));
    Row { principal: Some(principal), change: None, place, message, help }
}

/// `2 pinned policies drifted`, and those that could not be compared.
pub(super) fn drifted_parts(plan: &Plan) -> impl Iterator<Item = String> {
    let drifted = plan.drifted.iter().filter(|it| it.difference.is_ok()).count();
    let unread = plan.drifted.len() - drifted;
    let parts = [(drifted, "drifted"), (unread, "not compared")].into_iter();
    parts.filter(|(count, _)| *count > 0).map(|(count, what)| {
        format!("{} pinned {} {what}", grouped(count), plural(count, "policy", "policies"))
    })
}

/// `12 users are unlisted`, of the kinds for which the files make this an error.
pub(super) fn unlisted_errors(plan: &Plan) -> Option<String> {
    let is_error = |kind| plan.unlisted.of(kind).as_ref().filter(|it| it.is_error());
    let count = |kind| is_error(kind).map_or(0, |unlisted| unlisted.count);
    let counts =
        PrincipalCounts { users: count(PrincipalKind::User), roles: count(PrincipalKind::Role) };
    let verb = plural(counts.total(), "is", "are");
    (counts.total() > 0).then(|| format!("{counts} {verb} unlisted"))
}

/// The parts of the closing line about coverage.
pub(super) fn coverage_parts(plan: &Plan) -> Vec<(Tone, Text<'_>)> {
    let drifted = drifted_parts(plan).map(|text| (Tone::Bad, Text::sentence(text)));
    let mut parts: Vec<(Tone, Text<'_>)> = drifted.collect();
    let missing = plan.problems_of(ProblemSeverity::Warning).count();
    if missing > 0 {
        parts.push((Tone::Careful, Text::sentence(format!("{} missing", grouped(missing)))));
    }
    parts.extend(unlisted_part(plan));
    parts.extend(limit(plan).map(|limit| (Tone::Neutral, limit)));
    if let Some(as_of) = plan.as_of {
        parts.push((Tone::Neutral, Text::ours("as of ").and_sentence(as_of.to_string())));
    }
    parts
}

/// `12 users and 1 role are unlisted, 3 of them without a boundary`.
pub(super) fn unlisted_part(plan: &Plan) -> Option<(Tone, Text<'static>)> {
    let all: Vec<&Unlisted> =
        plan.unlisted.by_kind().into_iter().filter_map(|(_, unlisted)| unlisted.as_ref()).collect();
    let counts = unlisted_counts(plan);
    if counts.total() == 0 {
        return None;
    }
    let verb = plural(counts.total(), "is", "are");
    let mut text = format!("{counts} {verb} unlisted");
    // Unknown if it is not known for one kind.
    let of_each = all.iter().filter(|it| it.count > 0).map(|it| it.without_boundary);
    let without: Option<usize> = of_each.sum();
    text += &match (counts.total(), without.unwrap_or_default()) {
        (_, 0) => String::new(),
        (1, _) => ", without a boundary".to_owned(),
        (all, without) if all == without => ", all of them without a boundary".to_owned(),
        (_, without) => format!(", {} of them without a boundary", grouped(without)),
    };
    let has = |action| all.iter().any(|it| it.count > 0 && it.action == action);
    let tone = match (has(OnUnlisted::Error), has(OnUnlisted::Warn)) {
        (true, _) => Tone::Bad,
        (false, true) => Tone::Careful,
        (false, false) => Tone::Neutral,
    };
    Some((tone, Text::sentence(text)))
}

/// The numbers of unlisted principals, as far as they were read.
pub(super) fn unlisted_counts(plan: &Plan) -> PrincipalCounts {
    let count = |kind| plan.unlisted.of(kind).as_ref().map_or(0, |unlisted| unlisted.count);
    PrincipalCounts { users: count(PrincipalKind::User), roles: count(PrincipalKind::Role) }
}

/// Whether the plan can be about principals without an entry: rules need the details of every principal of their kind,
/// or of those that the plan is limited to.
pub(super) fn may_have_rules(plan: &Plan, kind: PrincipalKind) -> bool {
    let has_details = |unlisted: &Unlisted| unlisted.without_boundary.is_some();
    plan.only.is_some() || plan.unlisted.of(kind).as_ref().is_some_and(has_details)
}

/// Says that there are no unlisted principals, if every principal of the kinds in the plan was read.
pub(super) fn none_is_unlisted(plan: &Plan) -> &'static str {
    let is_read = |kind| plan.listed().of_kind(kind) == 0 || plan.unlisted.of(kind).is_some();
    let are_all_read = PrincipalKind::ALL.into_iter().all(is_read) && plan.only.is_none();
    match are_all_read && unlisted_counts(plan).total() == 0 {
        true => ", and none is unlisted",
        false => "",
    }
}

/// The patterns that the plan is limited to, and the numbers of the other principals.
fn limit(plan: &Plan) -> Option<Text<'_>> {
    let Only { patterns, others } = plan.only.as_ref()?;
    let (named, more) = patterns.split_at(patterns.len().min(MAX_PATTERNS));
    let mut text = Text::ours("limited to ");
    for (n, pattern) in named.iter().enumerate() {
        text = text.and(if n == 0 { "" } else { ", " }).and_name(pattern.to_string());
    }
    if !more.is_empty() {
        text = text.and(" and ").and_sentence(counted_more(more.len(), "pattern"));
    }
    Some(match others.total() {
        0 => text,
        count => {
            let verb = plural(count, "is", "are");
            text.and_sentence(format!(": {} {verb} not planned", others.described("other ")))
        }
    })
}
