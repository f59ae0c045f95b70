use std::collections::{BTreeMap, BTreeSet};

use super::{ApiError, Change, Plan, Problem, ProblemKind};
use crate::aws::{ErrorClass, PolicyState};
use crate::iam::PolicyArn;

impl Plan {
    /// The policies that changes of this plan put as boundaries.
    pub fn policies(&self) -> BTreeSet<&PolicyArn> {
        self.changes.iter().filter_map(|change| change.action.to()).collect()
    }

    /// Makes problems of those changes that would put a policy that cannot be a boundary, or that could
    /// not be looked at.
    ///
    /// Whether a policy is good may be forbidden to ask: such a policy stands against nothing, because
    /// IAM looks at it, too, before it puts it.
    ///
    /// # Panics
    /// When `policies` was not asked for every policy of [`Plan::policies`]: that is a mistake of the
    /// caller, and going on would put what nobody looked at.
    pub fn held_against(mut self, policies: &BTreeMap<PolicyArn, PolicyState>) -> Plan {
        let (good, bad): (Vec<_>, Vec<_>) = std::mem::take(&mut self.changes)
            .into_iter()
            .map(|change| (problem(&change, policies), change))
            .partition(|(problem, _)| problem.is_none());
        self.changes = good.into_iter().map(|(_, change)| change).collect();
        if bad.is_empty() {
            return self;
        }
        let problems = bad.into_iter().filter_map(|(kind, change)| {
            Some(Problem { user: change.user, line: change.line, column: None, kind: kind? })
        });
        self.problems.extend(problems);
        self.problems.sort_by(|a, b| a.user.cmp(&b.user));
        // A plan names the boundaries of its changes alone.
        let ends: BTreeSet<PolicyArn> = self.arns().cloned().collect();
        self.names.retain(|arn, _| ends.contains(arn));
        self
    }
}

fn problem(change: &Change, policies: &BTreeMap<PolicyArn, PolicyState>) -> Option<ProblemKind> {
    let policy = change.action.to()?;
    let kind = match policies.get(policy).expect("every policy of the plan was asked for") {
        PolicyState::Attachable => return None,
        PolicyState::Unreadable(error) if error.class == ErrorClass::Denied => return None,
        PolicyState::NoSuchPolicy => ProblemKind::NoSuchPolicy { policy: policy.clone() },
        PolicyState::NotAttachable => ProblemKind::PolicyNotAttachable { policy: policy.clone() },
        PolicyState::Unreadable(error) => ProblemKind::PolicyUnreadable {
            policy: policy.clone(),
            // Without the request's id, which is another at each reading of the same account.
            error: ApiError { request_id: None, ..error.clone() },
        },
    };
    Some(kind)
}
