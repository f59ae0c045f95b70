//! The plan that rolls back a run, made from the run's journal.

use super::change::{Change, Problem, ProblemKind, Severity};
use super::content::Plan;
use super::difference::present;
use super::source::PlanSource;
use super::widening::Widening;
use crate::config::{Provenance, SourceFile};
use crate::iam::{BoundaryChange, Principal, Printable, UniqueId};
use crate::inventory::Inventory;
use crate::journal::{Entry, Found, Header, Intent, RunRecord};

/// The principals whose boundaries the run of `record` may have changed: those that [`rollback`] looks at.
pub fn changed_principals(record: &RunRecord) -> impl Iterator<Item = &Principal> + Clone {
    let changed = record.entries.iter().filter(|entry| entry.may_be_done());
    changed.map(|entry| &entry.intent.principal)
}

/// The unique ID that the run changed, if `found` is another one.
fn recreated<'a>(entry: &'a Entry, found: &UniqueId) -> Option<&'a UniqueId> {
    entry.intent.unique_id.as_ref().filter(|_| entry.intent.is_of_another(found))
}

/// The changes that restore the boundaries from before the run of `record`, whose journal is `file`. Only
/// principals that still have the boundary that the run set are changed. A principal that has the boundary
/// from before the run is in sync, and any other is a problem. So is a boundary from before the run that nobody
/// can set: a policy of another account.
///
/// If verification showed that the run did not make a change, the principal is in sync while it has the boundary that
/// verification found. If it has the planned boundary now, another run or somebody else set it: it is a problem.
///
/// The provenance of each change is the line of its intent in the journal. The guard rails are those of
/// the run.
pub fn rollback(record: &RunRecord, file: &Printable, live: &Inventory) -> Plan {
    let Header { account, partition, plan, boundaries, guard, .. } = &record.header;
    let journal = SourceFile { path: file.clone(), digest: record.digest };
    let run_ended = Some(record.end.is_some());
    let mut unconfirmed = Vec::new();
    let source = PlanSource::Rollback { journal, plan: *plan, run_ended, unconfirmed: Vec::new() };
    let assume_role = record.header.assume_role.clone();
    let mut plan = Plan { guard: guard.clone(), assume_role, ..Plan::empty(*account, source) };
    for entry in record.entries.iter().filter(|entry| entry.may_be_done()) {
        let Intent { principal, boundary, .. } = &entry.intent;
        let before = boundary.from();
        // What the run left, and whether the run set it.
        let (left, is_set) = match entry.verified_as_not_made() {
            Some(Found::Boundary(found)) => (found.as_ref(), false),
            Some(Found::Recreated { .. } | Found::NotFound) | None => (boundary.to(), true),
        };
        let provenance = Provenance::journal(file, entry.line);
        let kind = match present(live.reading(principal)) {
            Ok((found, _)) if let Some(changed) = recreated(entry, found) => {
                ProblemKind::Recreated { changed: changed.clone(), found: found.clone() }
            }
            Ok((_, now)) if now == before || now == left && !is_set => {
                plan.in_sync.count(principal.kind);
                continue;
            }
            Ok((_, now))
                if now == left
                    && let Some(policy) =
                        before.filter(|it| !it.is_settable_in(*account, *partition)) =>
            {
                ProblemKind::PolicyNotAttachable { policy: policy.clone() }
            }
            Ok((unique_id, now)) if now == left => {
                unconfirmed.extend((!entry.is_confirmed()).then(|| principal.clone()));
                plan.changes.extend(BoundaryChange::between(left, before).map(|boundary| Change {
                    principal: principal.clone(),
                    unique_id: Some(unique_id.clone()),
                    widening: Widening::known(&boundary),
                    boundary,
                    provenance,
                    reason: None,
                    expired: None,
                    origin: None,
                }));
                continue;
            }
            Ok((_, found)) => ProblemKind::NotAsLeft { left: left.cloned(), found: found.cloned() },
            Err(kind) => kind,
        };
        let (principal, severity) = (principal.clone(), Severity::Error);
        plan.problems.push(Problem { principal, provenance, kind, severity });
    }
    unconfirmed.sort();
    if let PlanSource::Rollback { unconfirmed: listed, .. } = &mut plan.source {
        *listed = unconfirmed;
    }
    plan.changes.sort_by(|a, b| a.principal.cmp(&b.principal));
    plan.problems.sort_by(|a, b| a.principal.cmp(&b.principal));
    let arns: Vec<_> = plan.arns().cloned().collect();
    for arn in arns {
        // Where a boundary has several names, the first in alphabetical order.
        if let Some((name, _)) = boundaries.iter().find(|(_, named)| **named == arn) {
            plan.names.insert(arn, name.clone());
        }
    }
    plan
}
