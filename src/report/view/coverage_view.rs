//! The coverage of an account as numbers, for a picture.

use crate::iam::{PrincipalCounts, PrincipalKind};
use crate::plan::{Change, Origin, Plan, Severity as ProblemSeverity};

/// The users and roles that a document is about, in groups that do not overlap. No group is empty.
pub(in crate::report) struct CoverageView {
    pub(in crate::report) groups: Vec<CoverageGroup>,
}

/// Users and roles with the same coverage.
pub(in crate::report) struct CoverageGroup {
    pub(in crate::report) label: &'static str,
    pub(in crate::report) state: CoverageState,
    pub(in crate::report) counts: PrincipalCounts,
}

/// What the coverage of a group means for a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum CoverageState {
    /// The boundary is as the files say.
    AsSpecified,
    /// The plan sets or removes the boundary.
    Planned,
    /// The boundary differs from the files, and no change of the files is the reason.
    Drifted,
    /// Nothing can be done, or something failed.
    Problem,
    /// In no entry and no rule, with a boundary, or whether it has one is not known.
    Unlisted,
    /// In no entry and no rule, and without any boundary.
    Unprotected,
    /// Outside of what the plan is limited to.
    Excluded,
}

impl CoverageView {
    /// The coverage of several accounts together: their groups, by label.
    pub(in crate::report) fn sum<'v>(views: impl IntoIterator<Item = &'v CoverageView>) -> Self {
        let mut groups: Vec<CoverageGroup> = Vec::new();
        for &CoverageGroup { label, state, counts } in views.into_iter().flat_map(|it| &it.groups) {
            match groups.iter_mut().find(|group| group.label == label) {
                Some(group) => group.counts += counts,
                None => groups.push(CoverageGroup { label, state, counts }),
            }
        }
        groups.sort_by_key(|group| group.state as u8);
        CoverageView { groups }
    }
}

use CoverageState::{AsSpecified, Drifted, Excluded, Planned, Problem, Unlisted, Unprotected};

/// The coverage that a plan finds, before its changes.
pub(super) fn of_plan(plan: &Plan) -> CoverageView {
    let changes = |origin| of_changes(plan.changes_of(origin));
    let problems = |severity| {
        PrincipalCounts::of(plan.problems_of(severity).map(|problem| problem.principal.kind))
    };
    let mut groups = vec![
        ("as the files say", AsSpecified, plan.in_sync),
        ("to change", Planned, changes(None)),
        ("to change, from this change", Planned, changes(Some(Origin::ThisChange))),
        ("drifted", Drifted, changes(Some(Origin::Drift))),
        ("cannot be planned", Problem, problems(ProblemSeverity::Error)),
        ("missing", Problem, problems(ProblemSeverity::Warning)),
    ];
    groups.extend(others(plan));
    view(groups)
}

/// What a run did.
pub(super) struct RunCounts {
    pub(super) applied: PrincipalCounts,
    pub(super) failed: PrincipalCounts,
    /// The changes that were not made, because nothing was sent or the account differs from the plan.
    pub(super) not_made: PrincipalCounts,
    pub(super) already_done: PrincipalCounts,
    /// The problems of the plan and of preflight.
    pub(super) problems: PrincipalCounts,
}

/// The coverage after a run of `plan`.
pub(super) fn of_run(plan: &Plan, counts: &RunCounts) -> CoverageView {
    let mut groups = vec![
        ("already as the files say", AsSpecified, plan.in_sync + counts.already_done),
        ("applied", Planned, counts.applied),
        ("failed or not verified", Problem, counts.failed),
        ("not changed", Drifted, counts.not_made),
        ("cannot be planned", Problem, counts.problems),
    ];
    groups.extend(others(plan));
    view(groups)
}

/// The numbers of principals in changes.
pub(super) fn of_changes<'a>(changes: impl IntoIterator<Item = &'a Change>) -> PrincipalCounts {
    PrincipalCounts::of(changes.into_iter().map(|change| change.principal.kind))
}

/// The principals that the plan is not about.
fn others(plan: &Plan) -> [(&'static str, CoverageState, PrincipalCounts); 4] {
    let (mut with, mut without, mut unknown) = Default::default();
    for (kind, unlisted) in plan.unlisted.by_kind() {
        let Some(unlisted) = unlisted else { continue };
        match unlisted.without_boundary {
            Some(bare) => {
                add(&mut without, kind, bare);
                add(&mut with, kind, unlisted.count.saturating_sub(bare));
            }
            None => add(&mut unknown, kind, unlisted.count),
        }
    }
    let excluded = plan.only.as_ref().map(|only| only.others).unwrap_or_default();
    [
        ("unlisted, with a boundary", Unlisted, with),
        ("unlisted", Unlisted, unknown),
        ("unlisted, without any boundary", Unprotected, without),
        ("not planned (--only)", Excluded, excluded),
    ]
}

fn add(to: &mut PrincipalCounts, kind: PrincipalKind, count: usize) {
    match kind {
        PrincipalKind::User => to.users += count,
        PrincipalKind::Role => to.roles += count,
    }
}

fn view(groups: Vec<(&'static str, CoverageState, PrincipalCounts)>) -> CoverageView {
    let groups = groups.into_iter().filter(|(_, _, counts)| counts.total() > 0);
    let groups = groups.map(|(label, state, counts)| CoverageGroup { label, state, counts });
    CoverageView { groups: groups.collect() }
}
