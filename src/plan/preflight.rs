use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, ProblemKind, Severity};
use super::content::Plan;
use super::guard::Violation;
use super::pinned::{PolicyDocuments, changed_since};
use super::policies::blocking;
use super::source::PlanSource;
use crate::iam::{Digest, PolicyArn, Timestamp};
use crate::inventory::{CallerIdentity, Inventory, PolicyState, Reading};
use crate::journal::{Header, RunSource};

/// A plan and a verdict on each of its changes, from the account just before the plan is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    /// The plan with all of its changes.
    pub plan: Plan,
    /// The digest of the plan as it was reviewed.
    pub digest: Digest,
    verdicts: Vec<Verdict>,
}

/// Whether a planned change can be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The principal has the boundary that the plan expects.
    Ready,
    /// The principal has the boundary that the plan sets.
    AlreadyDone,
    /// The principal has another boundary, was created again, does not exist, cannot be read or is managed by AWS:
    /// what was found.
    Conflict(Reading),
    /// The policy to set can no longer be used as a boundary, or changed since the plan was made.
    Blocked(ProblemKind),
}

/// Why a plan is refused as a whole: nothing of it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It violates guard rails.
    GuardRails(Vec<Violation>),
    /// Some of its changes are in conflict, and the run is strict.
    Conflicts,
}

impl Preflight {
    /// A plan that was just made from the account: every change is ready.
    pub fn fresh(plan: Plan) -> Preflight {
        let verdicts = vec![Verdict::Ready; plan.changes.len()];
        let digest = plan.digest();
        Preflight { plan, digest, verdicts }
    }

    /// Compares each change with the account. A principal that could not be read is in conflict.
    ///
    /// A change without a unique ID gets that of the principal that was read, so that the run, its journal
    /// and its verification concern this principal and no later one.
    pub fn of(mut plan: Plan, live: &Inventory) -> Preflight {
        let digest = plan.digest();
        let verdicts = plan.changes.iter().map(|change| Verdict::of(change, live)).collect();
        for change in &mut plan.changes {
            if let Reading::Found { unique_id, .. } = live.reading(&change.principal) {
                change.unique_id.get_or_insert_with(|| unique_id.clone());
            }
        }
        Preflight { plan, digest, verdicts }
    }

    /// Blocks the ready changes whose policies cannot be used as boundaries.
    pub fn checked_against(mut self, policies: &BTreeMap<PolicyArn, PolicyState>) -> Preflight {
        for (change, verdict) in self.plan.changes.iter().zip(&mut self.verdicts) {
            if *verdict == Verdict::Ready
                && let Some(why) = blocking(change, policies)
            {
                *verdict = Verdict::Blocked(why);
            }
        }
        self
    }

    /// Blocks the ready changes whose policies do not have the documents that the plan recorded, or could not be read.
    pub fn checked_against_documents(mut self, documents: &PolicyDocuments) -> Preflight {
        for (change, verdict) in self.plan.changes.iter().zip(&mut self.verdicts) {
            if *verdict == Verdict::Ready
                && let Some(policy) = change.boundary.to()
                && let Some(recorded) = self.plan.documents.get(policy)
                && let Some(why) = changed_since(policy, *recorded, documents)
            {
                *verdict = Verdict::Blocked(why);
            }
        }
        self
    }

    /// Each change of the plan with its verdict, in the plan's order.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = (&Change, &Verdict)> {
        self.plan.changes.iter().zip(&self.verdicts)
    }

    /// The changes that can be made.
    pub fn ready(&self) -> impl Iterator<Item = &Change> {
        let is_ready = |verdict: &Verdict| *verdict == Verdict::Ready;
        self.changes().filter(move |(_, verdict)| is_ready(verdict)).map(|(change, _)| change)
    }

    /// The changes that are already made.
    pub fn already_done(&self) -> impl Iterator<Item = &Change> {
        let is_done = |verdict: &Verdict| *verdict == Verdict::AlreadyDone;
        self.changes().filter(move |(_, verdict)| is_done(verdict)).map(|(change, _)| change)
    }

    /// The changes in conflict, each with what was found instead.
    pub fn conflicts(&self) -> impl Iterator<Item = (&Change, &Reading)> {
        self.changes().filter_map(|(change, verdict)| match verdict {
            Verdict::Conflict(found) => Some((change, found)),
            _ => None,
        })
    }

    /// The blocked changes, each with the reason.
    pub fn blocked(&self) -> impl Iterator<Item = (&Change, &ProblemKind)> {
        self.changes().filter_map(|(change, verdict)| match verdict {
            Verdict::Blocked(why) => Some((change, why)),
            _ => None,
        })
    }

    /// Whether no change is in conflict or blocked, and each listed principal could be planned.
    pub fn is_all_possible(&self) -> bool {
        self.conflicts().next().is_none()
            && self.blocked().next().is_none()
            && self.plan.problems_of(Severity::Error).next().is_none()
    }

    /// The policies that the ready changes set as boundaries.
    pub fn policies(&self) -> BTreeSet<&PolicyArn> {
        self.ready().filter_map(|change| change.boundary.to()).collect()
    }

    /// Those of [`policies`](Preflight::policies) whose documents the plan recorded.
    pub fn recorded_policies(&self) -> BTreeSet<&PolicyArn> {
        let mut policies = self.policies();
        policies.retain(|policy| self.plan.documents.contains_key(*policy));
        policies
    }
}

impl Preflight {
    /// The first line of the journal of the run that makes the ready changes.
    pub fn header(&self, caller: &CallerIdentity, began: Timestamp) -> Header {
        let Preflight { plan, digest, .. } = self;
        let boundaries = plan.names.iter().map(|(arn, name)| (name.clone(), arn.clone()));
        Header {
            version: env!("CARGO_PKG_VERSION").into(),
            began,
            account: caller.account,
            partition: caller.partition,
            caller: caller.arn.clone(),
            plan: *digest,
            source: match &plan.source {
                PlanSource::Files { files, .. } => {
                    RunSource::Files(files.iter().map(|file| file.path.clone()).collect())
                }
                PlanSource::Rollback { journal, .. } => RunSource::Rollback(journal.path.clone()),
            },
            boundaries: boundaries.collect(),
            guard: plan.guard.clone(),
            assume_role: plan.assume_role.clone(),
            changes: self.ready().count(),
        }
    }
}

impl Verdict {
    /// Compares a change with the account. A principal that could not be read is in conflict.
    pub fn of(change: &Change, live: &Inventory) -> Verdict {
        let found = live.reading(&change.principal);
        match found {
            Reading::Found { unique_id, boundary } => {
                let is_same = change.is_of(unique_id);
                let now = boundary.as_ref();
                if is_same && now == change.boundary.from() {
                    Verdict::Ready
                } else if is_same && now == change.boundary.to() {
                    Verdict::AlreadyDone
                } else {
                    Verdict::Conflict(found.clone())
                }
            }
            Reading::Unmodifiable { .. } | Reading::NotFound { .. } | Reading::Unreadable(_) => {
                Verdict::Conflict(found.clone())
            }
        }
    }
}
