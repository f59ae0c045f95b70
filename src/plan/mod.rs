//! The difference between what the file says and what IAM has, and its saved form.
//!
//! Pure: no clock, no network; and no files, but for [`saved::read`] and [`saved::write`].

mod base;
mod change;
mod difference;
mod guard;
mod policies;
mod recheck;
pub mod saved;
mod scope;

pub use base::Base;
pub use change::{BoundaryChange, Change, Origin, Problem, ProblemKind};
pub(crate) use difference::boundary;
pub use guard::{AccountUsers, Bound, Excess, Guard, Overrides, Standard, Supervision, Violation};
pub use recheck::{Conflict, Recheck};
pub use scope::{ScopeError, check_plan_scope, check_scope};

// A plan's problems and conflicts carry what was read, so those who show plans find it here.
pub use crate::aws::{ApiError, Reading};

use std::collections::BTreeMap;

use crate::iam::{AccountId, Digest, Partition, PolicyArn, PrincipalName};

/// Everything that is to be done to make the account as the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The account that the plan is for.
    pub account: AccountId,
    /// The file that it was made from, as its path was given.
    pub file: String,
    /// The digest of the file's bytes.
    pub file_digest: Digest,
    /// The earlier version of the file that it was compared with, if it was.
    pub base: Option<Base>,
    /// The changes, by user name; no user has two.
    pub changes: Vec<Change>,
    /// The listed users for whom no change can be planned, by user name.
    pub problems: Vec<Problem>,
    /// How many listed users are as the file says.
    pub in_sync: usize,
    /// The file's short names of the boundaries in it. Where one has several, the first by alphabet.
    pub names: BTreeMap<PolicyArn, String>,
    /// The guard rails of the file.
    pub guard: Guard,
    /// How many users the account has. It is asked for only where a guard rail depends on it.
    pub account_users: Option<usize>,
    /// The digest of the plan whose run this one puts back, if it does: then what is called the file is
    /// that run's journal.
    pub rolls_back: Option<Digest>,
}

/// How many changes there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Users who get a boundary and had none.
    pub add: usize,
    /// Users who get another boundary.
    pub change: usize,
    /// Users who lose their boundary.
    pub remove: usize,
}

impl Counts {
    /// Counts `changes` by kind.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Counts {
        let mut counts = Counts::default();
        for change in changes {
            match change.action {
                BoundaryChange::Add { .. } => counts.add += 1,
                BoundaryChange::Change { .. } => counts.change += 1,
                BoundaryChange::Remove { .. } => counts.remove += 1,
            }
        }
        counts
    }
}

impl Plan {
    /// A plan made from `file`, whose bytes have the digest `file_digest`, with nothing in it yet.
    pub fn empty(account: AccountId, file: String, file_digest: Digest) -> Plan {
        Plan {
            account,
            file,
            file_digest,
            base: None,
            changes: Vec::new(),
            problems: Vec::new(),
            in_sync: 0,
            names: BTreeMap::new(),
            guard: Guard::default(),
            account_users: None,
            rolls_back: None,
        }
    }

    /// Counts the changes by kind.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.changes)
    }

    /// The changes that come from `origin`; with none, those of a plan that was not compared.
    pub fn changes_of(&self, origin: Option<Origin>) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.origin == origin)
    }

    /// How many changes come from `origin`.
    pub fn count_of(&self, origin: Origin) -> usize {
        self.changes_of(Some(origin)).count()
    }

    /// The users that the earlier version of the file listed and this one does not: they are left as
    /// they are.
    pub fn no_longer_listed(&self) -> &[PrincipalName] {
        self.base.as_ref().map_or(&[], |base| &base.no_longer_listed)
    }

    /// The partition of the plan's ARNs: they all have the same.
    pub fn partition(&self) -> Option<Partition> {
        self.arns().next().map(PolicyArn::partition)
    }

    /// Every ARN of the changes.
    fn arns(&self) -> impl Iterator<Item = &PolicyArn> {
        let ends =
            self.changes.iter().flat_map(|change| [change.action.from(), change.action.to()]);
        ends.flatten()
    }

    /// How a boundary is called in the file: by its short name, or else by its ARN.
    pub fn name_of<'a>(&'a self, boundary: &'a PolicyArn) -> &'a str {
        self.names.get(boundary).map_or(boundary.as_str(), String::as_str)
    }

    /// The users that the file lists.
    pub fn listed(&self) -> usize {
        self.changes.len() + self.problems.len() + self.in_sync
    }
}
