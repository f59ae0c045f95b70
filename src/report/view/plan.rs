use super::blame::{BlameNotes, blame_section};
use super::coverage::{
    coverage_parts, coverage_sections, drifted_parts, may_have_rules, none_is_unlisted,
    unlisted_errors,
};
use super::coverage_view::of_plan;
use super::guard::guard_section;
use super::impact::{ImpactNotes, about_the_method, impact_sections};
use super::problem::{ProblemView, problem_row};
use super::same::SectionKind;
use super::words::{account, boundary, counted, files, grouped, is_layered, place, plural};
use super::{
    Body, ChangeKind, ChangeView, Closing, CountsRow, Document, PLAN_MARKER, Row, Section,
    Severity, Text, Tone, principals,
};
use crate::iam::{BoundaryChange, Principal, PrincipalCounts, PrincipalKind};
use crate::plan::Severity as ProblemSeverity;
use crate::plan::{Change, Counts, Origin, Plan, PlanSource};

const THIS_CHANGE: &str = "From this change";
const DRIFT: &str = "Drift";

/// A plan, with the guard rails that it violates.
pub(in crate::report) fn plan(plan: &Plan) -> Document<'_> {
    let document = review(plan);
    let Some((count, violated)) = guard_section(plan) else { return document };
    let guard_rails = counted(count, "guard rail");
    let title = document.title.and("; ").and_sentence(format!("{guard_rails} violated"));
    let sections = document.sections.into_iter().chain([violated]).collect();
    Document { title, sections, ..document }
}

/// A plan without violations of guard rails: a run checks the guard rails with its own overrides.
pub(in crate::report) fn review(plan: &Plan) -> Document<'_> {
    let mut title = Text::ours("Permissions boundaries of account ").and_text(account(plan));
    if is_layered(plan) {
        title = title.and(" (").and_text(files(plan)).and(")");
    }
    let title = title.and(": ").and_sentence(result(plan));
    let mut sections = impact_sections(plan);
    sections.extend(change_sections(plan));
    sections.extend(blame_section(plan));
    let has_effects = plan.impact.as_ref().is_some_and(|impact| !impact.effects.is_empty());
    sections.extend(has_effects.then(about_the_method));
    sections.extend(incomplete_journal(plan));
    sections.extend(unconfirmed(plan));
    sections.extend(names_section(plan));
    sections.extend(problem_sections(problems(plan), is_layered(plan)));
    sections.extend(coverage_sections(plan));
    sections.extend(no_longer_listed(plan));
    Document {
        marker: PLAN_MARKER,
        severity: match plan.is_incomplete() {
            true => Severity::Error,
            false => Severity::Notice,
        },
        title,
        introduction: introduction(plan),
        counts: counts(plan),
        sections,
        closing: Some(closing(plan)),
        coverage: Some(of_plan(plan)),
        account: Some(account(plan)),
        digest: Some(("Digest", plan.digest())),
    }
}

/// The result in the title. What cannot be planned is a part of it: that nothing changes would not be known.
fn result(plan: &Plan) -> String {
    let mut parts = match plan.changes.len() {
        0 if plan.is_incomplete() => Vec::new(),
        0 if plan.may_miss_every_change() => vec!["incomplete journal".to_owned()],
        0 => vec!["nothing to change".to_owned()],
        changes => vec![counted(changes, "change")],
    };
    let problems = PrincipalCounts::of(problems(plan).map(|(principal, ..)| principal.kind));
    if problems.total() > 0 {
        parts.push(format!("{problems} cannot be planned"));
    }
    parts.extend(drifted_parts(plan));
    parts.extend(unlisted_errors(plan));
    parts.join("; ")
}

fn introduction(plan: &Plan) -> Option<Text<'_>> {
    let changes = Text::ours("Changes to account ").and_text(account(plan));
    let changes = match plan.source.rolls_back() {
        None => changes.and(" to match ").and_text(files(plan)).and(":"),
        Some(run) => changes
            .and(" to roll back the run of plan ")
            .and_name(run.short())
            .and(" (")
            .and_name(plan.source.path())
            .and("):"),
    };
    (!plan.changes.is_empty()).then_some(changes)
}

fn counts(plan: &Plan) -> Vec<CountsRow> {
    let row = |label, Counts { add, change, remove }| CountsRow { label, add, change, remove };
    let mut rows = Vec::new();
    // No number is known of a plan that could not be made.
    if plan.changes.is_empty() && (plan.is_incomplete() || plan.may_miss_every_change()) {
        return rows;
    }
    if plan.source.base().is_some() {
        for (label, origin) in [(THIS_CHANGE, Origin::ThisChange), (DRIFT, Origin::Drift)] {
            rows.push(row(label, Counts::of(plan.changes_of(Some(origin)))));
        }
    }
    rows.push(row("All", plan.counts()));
    rows
}

fn change_sections(plan: &Plan) -> Vec<Section<'_>> {
    let (impacts, causes) = (ImpactNotes::of(plan), BlameNotes::of(plan));
    let section = |(origin, heading, severity, label, noun)| {
        let row = |change| {
            let mut row = change_row(plan, change);
            if let Some(view) = &mut row.change {
                view.impact = impacts.of_change(&change.principal);
                view.cause = causes.of_change(&change.principal);
            }
            row
        };
        let rows: Vec<Row<'_>> = plan.changes_of(origin).map(row).collect();
        (!rows.is_empty()).then_some(Section {
            heading,
            severity,
            label,
            noun,
            body: Body::Changes(rows),
            message: None,
            help: None,
        })
    };
    let (this_change, drift) = (Some(Text::ours(THIS_CHANGE)), Some(Text::ours(DRIFT)));
    [
        (None, None, Severity::Notice, "", "change"),
        (Some(Origin::ThisChange), this_change, Severity::Notice, "", "change"),
        (Some(Origin::Drift), drift, Severity::Warning, "drift", "change"),
    ]
    .into_iter()
    .filter_map(section)
    .collect()
}

/// A change of `plan` as a row.
pub(super) fn change_row<'a>(plan: &'a Plan, change: &'a Change) -> Row<'a> {
    Row {
        principal: Some(&change.principal),
        change: Some(change_view(plan, change)),
        place: Some(place(&change.provenance, is_layered(plan))),
        message: Text::default(),
        help: None,
    }
}

/// A change of `plan`, with the short names of its boundaries.
pub(in crate::report) fn change_view<'a>(plan: &'a Plan, change: &'a Change) -> ChangeView<'a> {
    let kind = match change.boundary {
        BoundaryChange::Add { .. } => ChangeKind::Add,
        BoundaryChange::Change { .. } => ChangeKind::Change,
        BoundaryChange::Remove { .. } => ChangeKind::Remove,
    };
    let (from, to) = (change.boundary.from(), change.boundary.to());
    let (from, to) = (boundary(plan, from), boundary(plan, to));
    ChangeView {
        kind,
        is_removal: change.is_removal(),
        from,
        to,
        origin: change.origin,
        expired: change.expired,
        reason: change.reason.as_deref(),
        impact: None,
        cause: None,
    }
}

/// The warning that the journal may not contain every change of the run.
fn incomplete_journal(plan: &Plan) -> Option<Section<'_>> {
    let PlanSource::Rollback { journal, run_ended: Some(false), .. } = &plan.source else {
        return None;
    };
    let statement = Text::name(journal.path.as_str()).and(
        " does not contain the end of the run; changes that it does not contain are not rolled back",
    );
    Some(Section {
        heading: Some(Text::ours("Incomplete journal")),
        severity: Severity::Warning,
        label: "incomplete journal",
        noun: "warning",
        body: Body::Statements(vec![statement]),
        message: None,
        help: Some(Text::ours(
            "if the run is still in progress, wait until it ends; if the file is a copy, copy the journal again",
        )),
    })
}

/// The warning about changes that a later run or somebody else may have made.
fn unconfirmed(plan: &Plan) -> Option<Section<'_>> {
    let rows = principal_rows(plan.source.unconfirmed());
    (!rows.is_empty()).then(|| Section {
        heading: Some(Text::ours("Possibly not changed by this run")),
        severity: Severity::Warning,
        label: "possibly not changed by this run",
        noun: "principal",
        body: Body::Group(rows),
        message: Some(Text::ours(
            "the journal does not show whether the run set the present boundary; a later run or somebody else may \
             have set it, and the rollback replaces it nevertheless",
        )),
        help: Some(Text::ours(
            "before you apply the plan, check the journals of later runs, or who set the boundary in CloudTrail",
        )),
    })
}

/// Principals as rows without a place.
fn principal_rows(principals: &[Principal]) -> Vec<Row<'_>> {
    let row = |principal| Row {
        principal: Some(principal),
        change: None,
        place: None,
        message: Text::default(),
        help: None,
    };
    principals.iter().map(row).collect()
}

/// The ARNs of the short names, so that a plan can be reviewed without the file.
fn names_section(plan: &Plan) -> Option<Section<'_>> {
    let mut names: Vec<_> = plan.names.iter().map(|(arn, name)| (&**name, arn)).collect();
    names.sort();
    (!names.is_empty()).then(|| Section {
        heading: Some(Text::ours("Short names")),
        severity: Severity::Detail,
        label: "",
        noun: "short name",
        body: Body::Names(names),
        message: None,
        help: None,
    })
}

/// The problems that make a plan incomplete.
pub(super) fn problems(plan: &Plan) -> impl Iterator<Item = ProblemView<'_>> {
    plan.problems_of(ProblemSeverity::Error)
        .map(|problem| (&problem.principal, &problem.provenance, &problem.kind))
}

/// Principals for which nothing can be done.
pub(super) fn problem_sections<'a>(
    problems: impl Iterator<Item = ProblemView<'a>>,
    is_layered: bool,
) -> Vec<Section<'a>> {
    let kind = SectionKind {
        heading: "Cannot be planned",
        severity: Severity::Error,
        label: "cannot be planned",
        noun: Some("problem"),
        help: None,
    };
    kind.sections(problems.map(|problem| problem_row(problem, is_layered)))
}

fn no_longer_listed(plan: &Plan) -> Option<Section<'_>> {
    let rows = principal_rows(plan.no_longer_listed());
    let noun = principals(&rows).noun();
    let help = Text::ours("to remove the boundary of a ").and(noun).and(", list the ").and(noun);
    (!rows.is_empty()).then(|| Section {
        heading: Some(Text::ours("No longer listed, left unchanged")),
        severity: Severity::Warning,
        label: "no longer listed",
        noun,
        body: Body::Group(rows),
        message: None,
        help: Some(help.and(" with false")),
    })
}

fn closing(plan: &Plan) -> Closing<'_> {
    let problems = problems(plan).count();
    // The kinds are named only if there are both, or only roles.
    let has_roles = plan.listed().roles > 0;
    let (label, mut parts) = if !plan.changes.is_empty() {
        let Counts { add, change, remove } = plan.counts();
        let [add, change, remove] = [add, change, remove].map(grouped);
        let mut counts = format!("{add} to add, {change} to change, {remove} to remove");
        if has_roles {
            counts += &format!(" for {}", changed_principals(plan));
        }
        let origins = match plan.source.base() {
            None => String::new(),
            Some(_) => format!(
                " ({} from this change, {} drift)",
                grouped(plan.count_of(Origin::ThisChange)),
                grouped(plan.count_of(Origin::Drift))
            ),
        };
        let counts = (Tone::Neutral, Text::sentence(counts + &origins));
        let in_sync = match has_roles && plan.in_sync.total() > 0 {
            true => plan.in_sync.to_string(),
            false => grouped(plan.in_sync.total()),
        };
        ("Plan", vec![counts, (Tone::Neutral, Text::sentence(format!("{in_sync} in sync")))])
    } else if problems > 0 {
        let in_sync = format!("{} in sync", in_sync_of_all(plan));
        ("Incomplete", vec![(Tone::Neutral, Text::sentence(in_sync))])
    } else {
        let (label, text) = nothing_to_change(plan);
        let tone = if plan.may_miss_every_change() { Tone::Careful } else { Tone::Good };
        (label, vec![(tone, text)])
    };
    if problems > 0 {
        parts.push((Tone::Bad, Text::sentence(format!("{} cannot be planned", grouped(problems)))));
    }
    parts.extend(coverage_parts(plan));
    Closing { label, parts }
}

/// The numbers of principals whose boundary the plan changes.
pub(super) fn changed_principals(plan: &Plan) -> PrincipalCounts {
    PrincipalCounts::of(plan.changes.iter().map(|change| change.principal.kind))
}

/// `3 of 5 listed users and 1 of 2 listed roles`.
fn in_sync_of_all(plan: &Plan) -> String {
    let listed = plan.listed();
    let kinds = PrincipalKind::ALL.into_iter().filter(|kind| listed.of_kind(*kind) > 0);
    let parts: Vec<String> = kinds
        .map(|kind| {
            let adjective = match (plan.source.rolls_back(), may_have_rules(plan, kind)) {
                (Some(_), _) => "",
                (None, false) => "listed ",
                (None, true) => "covered ",
            };
            let all = counted(listed.of_kind(kind), &format!("{adjective}{}", kind.noun()));
            format!("{} of {all}", grouped(plan.in_sync.of_kind(kind)))
        })
        .collect();
    parts.join(" and ")
}

/// What a plan without principals says about its files.
fn lists_none(plan: &Plan) -> &'static str {
    match plan.only {
        Some(_) => " lists none of these users and roles",
        None => " lists no users and no roles",
    }
}

fn nothing_to_change(plan: &Plan) -> (&'static str, Text<'_>) {
    let (label, text) = match (plan.source.rolls_back(), plan.in_sync.total()) {
        (None, 0) => ("In sync", files(plan).and(lists_none(plan))),
        (None, principals) => {
            let all = |kind: PrincipalKind| match plan.in_sync.of_kind(kind) {
                0 => None,
                count if may_have_rules(plan, kind) => Some(counted(count, kind.noun())),
                1 => Some(format!("the listed {}", kind.noun())),
                count => Some(format!("all {} listed {}", grouped(count), kind.plural())),
            };
            let all: Vec<String> = PrincipalKind::ALL.into_iter().filter_map(all).collect();
            let matching = plural(principals, "matches", "match");
            let text = Text::sentence(format!("{} {matching} ", all.join(" and ")));
            ("In sync", text.and_text(files(plan)).and(none_is_unlisted(plan)))
        }
        (Some(_), 0) if plan.may_miss_every_change() => {
            ("Incomplete", Text::ours("the journal contains no changes to roll back"))
        }
        (Some(_), principals) => {
            let have = plural(principals, "has the boundary", "have the boundaries");
            let all = plan.in_sync;
            let label = match plan.may_miss_every_change() {
                true => "Incomplete",
                false => "Nothing to roll back",
            };
            (label, Text::sentence(format!("{all} {have} from before the run")))
        }
    };
    (label, text.and(" (account ").and_text(account(plan)).and(")"))
}
