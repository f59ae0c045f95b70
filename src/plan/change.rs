use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::iam::{PolicyArn, PrincipalName};

/// What is to be done for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose boundary it is.
    pub user: PrincipalName,
    /// Where the file lists the user: the line, from 1.
    pub line: usize,
    /// What is to be done.
    pub action: BoundaryChange,
    /// Who wants it: this version of the file, or already the one before. Known to a plan that was
    /// compared with an earlier version.
    pub origin: Option<Origin>,
}

/// Where a change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Origin {
    /// The earlier version of the file did not ask for this: it comes from the change of the file.
    ThisChange,
    /// The earlier version of the file asked for the same, and the account does not have it.
    Drift,
}

/// A change that changes nothing cannot be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundaryChange {
    /// The user has no boundary, and gets one.
    Add {
        /// The boundary to be.
        to: PolicyArn,
    },
    /// The user has a boundary, and gets another.
    Change {
        /// The boundary that is there.
        from: PolicyArn,
        /// The boundary to be.
        to: PolicyArn,
    },
    /// The user has a boundary, and the file says that there must be none.
    Remove {
        /// The boundary that is there.
        from: PolicyArn,
    },
}

/// A listed user for whom nothing can be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The user that the file names.
    pub user: PrincipalName,
    /// Where the file lists the user: the line, from 1.
    pub line: usize,
    /// The column, from 1, in characters; none where only the line is known.
    pub column: Option<usize>,
    /// What is in the way.
    pub kind: ProblemKind,
}

/// Why nothing can be planned for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// IAM has no such user.
    NoSuchUser {
        /// A user whose name differs from it by case alone.
        differs_by_case: Option<PrincipalName>,
    },
    /// The user's present boundary could not be read.
    Unreadable(ApiError),
    /// The boundary to be is a policy that IAM does not have.
    NoSuchPolicy {
        /// The policy.
        policy: PolicyArn,
    },
    /// The boundary to be is a policy that cannot be attached to a user.
    PolicyNotAttachable {
        /// The policy.
        policy: PolicyArn,
    },
    /// The boundary to be could not be looked at.
    PolicyUnreadable {
        /// The policy.
        policy: PolicyArn,
        /// Why not.
        error: ApiError,
    },
    /// A run is to be put back, and the user no longer has the boundary that it left.
    NotAsLeft {
        /// The boundary that the run left; none for no boundary.
        left: Option<PolicyArn>,
        /// The boundary that is there now; none for no boundary.
        found: Option<PolicyArn>,
    },
}

impl BoundaryChange {
    /// The action that leads from one boundary to another, if there is anything to do.
    pub fn between(from: Option<&PolicyArn>, to: Option<&PolicyArn>) -> Option<BoundaryChange> {
        match (from.cloned(), to.cloned()) {
            (None, None) => None,
            (None, Some(to)) => Some(BoundaryChange::Add { to }),
            (Some(from), None) => Some(BoundaryChange::Remove { from }),
            (Some(from), Some(to)) if from == to => None,
            (Some(from), Some(to)) => Some(BoundaryChange::Change { from, to }),
        }
    }

    /// The boundary that is there.
    pub fn from(&self) -> Option<&PolicyArn> {
        match self {
            BoundaryChange::Add { .. } => None,
            BoundaryChange::Change { from, .. } | BoundaryChange::Remove { from } => Some(from),
        }
    }

    /// The boundary to be.
    pub fn to(&self) -> Option<&PolicyArn> {
        match self {
            BoundaryChange::Add { to } | BoundaryChange::Change { to, .. } => Some(to),
            BoundaryChange::Remove { .. } => None,
        }
    }

    /// The action in one word, as the machine formats have it.
    pub fn word(&self) -> &'static str {
        match self {
            BoundaryChange::Add { .. } => "add",
            BoundaryChange::Change { .. } => "change",
            BoundaryChange::Remove { .. } => "remove",
        }
    }

    /// The action in one character, as people's fingers know it.
    pub fn sign(&self) -> char {
        match self {
            BoundaryChange::Add { .. } => '+',
            BoundaryChange::Change { .. } => '~',
            BoundaryChange::Remove { .. } => '-',
        }
    }
}

impl ProblemKind {
    /// A name for machines: AWS's error code, or one of ours, such as `NoSuchUser`.
    pub fn code(&self) -> &str {
        match self {
            ProblemKind::NoSuchUser { .. } => "NoSuchUser",
            ProblemKind::Unreadable(error) | ProblemKind::PolicyUnreadable { error, .. } => {
                &error.code
            }
            ProblemKind::NoSuchPolicy { .. } => "NoSuchPolicy",
            ProblemKind::PolicyNotAttachable { .. } => "PolicyNotAttachable",
            ProblemKind::NotAsLeft { .. } => "NotAsLeft",
        }
    }
}
