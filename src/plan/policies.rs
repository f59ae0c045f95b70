use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, Problem, ProblemKind, Severity};
use super::content::Plan;
use super::source::PlanSource;
use crate::iam::PolicyArn;
use crate::inventory::{ApiError, ErrorClass, PolicyState};

impl Plan {
    /// The policies that the changes of this plan set as boundaries.
    pub fn policies(&self) -> BTreeSet<&PolicyArn> {
        self.changes.iter().filter_map(|change| change.boundary.to()).collect()
    }

    /// Replaces each change whose policy cannot be used as a boundary, or could not be read, with a problem.
    ///
    /// A policy that the caller is not allowed to read blocks no change: IAM also checks it when it is set.
    pub fn checked_against(self, policies: &BTreeMap<PolicyArn, PolicyState>) -> Plan {
        self.without_changes(|change| blocking(change, policies))
    }

    /// Replaces each change for which `problem` is not `None` with that problem.
    pub(super) fn without_changes(
        mut self,
        problem: impl Fn(&Change) -> Option<ProblemKind>,
    ) -> Plan {
        let (good, bad): (Vec<_>, Vec<_>) = std::mem::take(&mut self.changes)
            .into_iter()
            .map(|change| (problem(&change), change))
            .partition(|(problem, _)| problem.is_none());
        self.changes = good.into_iter().map(|(_, change)| change).collect();
        if bad.is_empty() {
            return self;
        }
        let problems = bad.into_iter().filter_map(|(kind, change)| {
            let Change { principal, provenance, .. } = change;
            Some(Problem { principal, provenance, kind: kind?, severity: Severity::Error })
        });
        self.problems.extend(problems);
        self.problems.sort_by(|a, b| a.principal.cmp(&b.principal));
        // A plan names only the boundaries of its changes.
        let ends: BTreeSet<PolicyArn> = self.arns().cloned().collect();
        self.names.retain(|arn, _| ends.contains(arn));
        if let PlanSource::Rollback { unconfirmed, .. } = &mut self.source {
            let changed: BTreeSet<_> =
                self.changes.iter().map(|change| &change.principal).collect();
            unconfirmed.retain(|principal| changed.contains(principal));
        }
        self
    }
}

/// Why the policy that `change` sets cannot be used as a boundary. A policy that is not in `policies` was not
/// read.
pub(super) fn blocking(
    change: &Change,
    policies: &BTreeMap<PolicyArn, PolicyState>,
) -> Option<ProblemKind> {
    let policy = change.boundary.to()?.clone();
    match policies.get(&policy) {
        Some(PolicyState::Attachable) => None,
        Some(PolicyState::Unreadable(error)) if error.class == ErrorClass::Denied => None,
        Some(PolicyState::NoSuchPolicy) => Some(ProblemKind::NoSuchPolicy { policy }),
        Some(PolicyState::NotAttachable) => Some(ProblemKind::PolicyNotAttachable { policy }),
        Some(PolicyState::Unreadable(error)) => {
            let error = error.without_request_id();
            Some(ProblemKind::PolicyUnreadable { policy, error })
        }
        None => {
            let error = ApiError {
                action: "iam:GetPolicy".into(),
                class: ErrorClass::Rejected,
                code: "NotRead".into(),
                message: "the policy was not read".into(),
                request_id: None,
            };
            Some(ProblemKind::PolicyUnreadable { policy, error })
        }
    }
}
