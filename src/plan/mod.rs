//! The difference between what the file says and what IAM has. Pure: no clock, no network, no files.

mod change;
mod difference;
mod scope;

pub use change::{Action, Change, Problem, ProblemKind};
pub use scope::{ScopeError, check_scope};

// A plan's problems carry what a read failed with, so those who show plans find it here.
pub use crate::live::CallError;

use std::collections::BTreeMap;

use crate::values::{AccountId, PolicyArn};

/// Everything that is to be done to make the account as the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The account that the plan is for.
    pub account: AccountId,
    /// The file that it was made from, as its path was given.
    pub file: String,
    /// The changes, by user name; no user has two.
    pub changes: Vec<Change>,
    /// The listed users for whom no change can be planned, by user name.
    pub problems: Vec<Problem>,
    /// How many listed users are as the file says.
    pub in_sync: usize,
    /// The file's short names of the boundaries in it. Where one has several, the first by alphabet.
    pub names: BTreeMap<PolicyArn, String>,
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

impl Plan {
    /// Counts the changes by kind.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            match change.action {
                Action::Add { .. } => counts.add += 1,
                Action::Change { .. } => counts.change += 1,
                Action::Remove { .. } => counts.remove += 1,
            }
        }
        counts
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
