//! A plan that puts back what a run changed, from the run's journal.

use crate::aws::{CallerIdentity, Inventory};
use crate::iam::PrincipalName;
use crate::journal::{Header, RunRecord};
use crate::plan::{BoundaryChange, Change, Plan, Problem, ProblemKind, ScopeError, boundary};

/// The users whose boundaries the run of `record` may have changed: all whom [`rollback`] looks at.
pub fn changed_users(record: &RunRecord) -> impl Iterator<Item = &PrincipalName> + Clone {
    record.entries.iter().filter(|entry| entry.may_be_done()).map(|entry| &entry.change.user)
}

/// What leads from `live` back to what was there before the run of `record`, whose journal is `file`: for
/// those users alone who are still as the run left them. Who is as before the run already is in sync, and
/// for who is neither nothing is planned.
///
/// Each change stands at the line of its intent in the journal. The guard rails are those of the run.
///
/// # Panics
/// When `live` was not asked for all of [`changed_users`]: that is a mistake of the caller, and going on
/// would leave users out in silence.
pub fn rollback(record: &RunRecord, file: &str, live: &Inventory) -> Plan {
    let Header { account, plan: rolls_back, boundaries, .. } = &record.header;
    let mut plan = Plan {
        guard: record.header.guard(),
        rolls_back: Some(*rolls_back),
        ..Plan::empty(*account, file.to_owned(), record.digest)
    };
    for entry in record.entries.iter().filter(|entry| entry.may_be_done()) {
        let Change { user, action, .. } = &entry.change;
        let (before, left) = (action.from(), action.to());
        let reading = live.reading(user).expect("the snapshot has every user of the journal");
        let kind =
            match boundary(reading) {
                Ok(now) if now == before => {
                    plan.in_sync += 1;
                    continue;
                }
                Ok(now) if now == left => {
                    plan.changes.extend(BoundaryChange::between(left, before).map(|action| {
                        Change { user: user.clone(), line: entry.at, action, origin: None }
                    }));
                    continue;
                }
                Ok(found) => ProblemKind::NotAsLeft { left: left.cloned(), found: found.cloned() },
                Err(kind) => kind,
            };
        plan.problems.push(Problem { user: user.clone(), line: entry.at, column: None, kind });
    }
    plan.changes.sort_by(|a, b| a.user.cmp(&b.user));
    plan.problems.sort_by(|a, b| a.user.cmp(&b.user));
    let ends = |change: &Change| [change.action.from().cloned(), change.action.to().cloned()];
    for arn in plan.changes.iter().flat_map(ends).flatten() {
        // Where a boundary has several names, the first by alphabet.
        if let Some((name, _)) = boundaries.iter().find(|(_, named)| **named == arn) {
            plan.names.insert(arn, name.clone());
        }
    }
    plan
}

/// Checks that the run of a journal was on the account that the credentials belong to. `file` is the
/// journal.
///
/// # Errors
/// [`ScopeError`] when it was not: then nothing may be read.
pub fn check_journal_scope(
    header: &Header,
    file: &str,
    identity: &CallerIdentity,
) -> Result<(), ScopeError> {
    let (file, arn) = (file.to_owned(), identity.arn.clone());
    if header.account != identity.account {
        let (expected, actual) = (header.account, identity.account);
        return Err(ScopeError::JournalsAccount { file, expected, actual, arn });
    }
    if header.partition != identity.partition {
        let (expected, actual) = (header.partition, identity.partition);
        return Err(ScopeError::Partition { file, expected, actual, arn });
    }
    Ok(())
}
