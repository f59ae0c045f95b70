use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::widening::Widening;
use crate::config::Provenance;
use crate::iam::{
    BoundaryChange, DateOrTime, PolicyArn, Principal, PrincipalKind, PrincipalName, Printable,
    UniqueId, UnmodifiableRole,
};
use crate::inventory::ApiError;
use crate::journal::Intent;

/// A planned change of one principal's boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The principal.
    pub principal: Principal,
    /// The unique ID that the principal had when the plan was made; `None` in a plan whose format does not
    /// record it.
    pub unique_id: Option<UniqueId>,
    /// The change of its boundary.
    pub boundary: BoundaryChange,
    /// What decided the change.
    pub provenance: Provenance,
    /// Why the file asks for it; `None` if the file does not say it.
    pub reason: Option<Printable>,
    /// When the entry expired, if the change is what applies from then on.
    pub expired: Option<DateOrTime>,
    /// Where the change comes from; `None` in a plan without a base.
    pub origin: Option<Origin>,
    /// Whether the new boundary allows more than the one before; `None` if that was not compared.
    pub widening: Option<Widening>,
}

/// Where a change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Origin {
    /// The change of the file: its earlier version did not ask for this boundary.
    ThisChange,
    /// The earlier version of the file already asked for this boundary, and the account does not have it.
    Drift,
}

/// A listed principal for which nothing can be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The principal.
    pub principal: Principal,
    /// Where it is listed.
    pub provenance: Provenance,
    /// Why nothing can be planned.
    pub kind: ProblemKind,
    /// How serious the files consider it.
    pub severity: Severity,
}

/// How serious a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The plan is complete nevertheless: the exit code does not depend on it.
    Warning,
    /// The plan is incomplete.
    Error,
}

/// An entry that expires soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// The principal.
    pub principal: Principal,
    /// When the entry expires.
    pub until: DateOrTime,
    /// What the principal must have from then on; the inner `None` for no boundary, and the outer one if the file does not
    /// say it.
    pub then: Option<Option<PolicyArn>>,
    /// The position of the entry.
    pub provenance: Provenance,
}

/// Why nothing can be planned for a principal, or a planned change is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// IAM has no such principal.
    NotFound {
        /// The name of a principal that differs only in case.
        differs_by_case: Option<PrincipalName>,
    },
    /// The principal is a role that AWS manages.
    Unmodifiable {
        /// What makes it unmodifiable.
        role: UnmodifiableRole,
    },
    /// The present boundary could not be read.
    Unreadable(ApiError),
    /// Whether a rule matches is not known: what was read does not show the groups of the user.
    Undecided,
    /// The entry is expired, and the file does not say what applies from then on.
    Expired {
        /// When it expired.
        until: DateOrTime,
    },
    /// The policy to set does not exist.
    NoSuchPolicy {
        /// The policy.
        policy: PolicyArn,
    },
    /// The policy cannot be used as a boundary.
    PolicyNotAttachable {
        /// The policy.
        policy: PolicyArn,
    },
    /// The policy could not be read.
    PolicyUnreadable {
        /// The policy.
        policy: PolicyArn,
        /// Why it could not be read.
        error: ApiError,
    },
    /// The default version of the policy is not the pinned document.
    PolicyDiffers {
        /// The policy.
        policy: PolicyArn,
        /// The path of the pinned document.
        document: Printable,
    },
    /// The document of the policy could not be read, and it must be known.
    PolicyDocumentUnreadable {
        /// The policy.
        policy: PolicyArn,
        /// Why it could not be read.
        error: ApiError,
    },
    /// The default version of the policy is not the one from when the plan was made.
    PolicyChanged {
        /// The policy.
        policy: PolicyArn,
    },
    /// A run is to be rolled back, and the principal was deleted and created again since.
    Recreated {
        /// The unique ID of the principal that the run changed.
        changed: UniqueId,
        /// The present unique ID.
        found: UniqueId,
    },
    /// A run is to be rolled back, and the principal no longer has the boundary that the run left.
    NotAsLeft {
        /// The boundary that the run left; `None` for no boundary.
        left: Option<PolicyArn>,
        /// The present boundary; `None` for no boundary.
        found: Option<PolicyArn>,
    },
}

impl Change {
    /// Whether the change removes the boundary, or replaces it with one that allows everything.
    pub fn is_removal(&self) -> bool {
        self.boundary.to().is_none() || self.widening == Some(Widening::Everything)
    }

    /// Whether the change is planned for the principal with this unique ID. True if the plan has no unique
    /// IDs.
    pub fn is_of(&self, unique_id: &UniqueId) -> bool {
        self.unique_id.as_ref().is_none_or(|planned| planned == unique_id)
    }
}

impl ProblemKind {
    /// A name for machines, of the problem of a principal of this kind: AWS's error code, or one of the tool's, such
    /// as `NoSuchUser`.
    pub fn code(&self, of: PrincipalKind) -> &str {
        match self {
            ProblemKind::NotFound { .. } => match of {
                PrincipalKind::User => "NoSuchUser",
                PrincipalKind::Role => "NoSuchRole",
            },
            ProblemKind::Unmodifiable { .. } => "UnmodifiableEntity",
            ProblemKind::Unreadable(error)
            | ProblemKind::PolicyUnreadable { error, .. }
            | ProblemKind::PolicyDocumentUnreadable { error, .. } => &error.code,
            ProblemKind::PolicyDiffers { .. } => "PolicyDiffers",
            ProblemKind::PolicyChanged { .. } => "PolicyChanged",
            ProblemKind::Undecided => "Undecided",
            ProblemKind::Expired { .. } => "Expired",
            ProblemKind::NoSuchPolicy { .. } => "NoSuchPolicy",
            ProblemKind::PolicyNotAttachable { .. } => "PolicyNotAttachable",
            ProblemKind::Recreated { .. } => "Recreated",
            ProblemKind::NotAsLeft { .. } => "NotAsLeft",
        }
    }
}

impl From<&Change> for Intent {
    fn from(change: &Change) -> Intent {
        Intent {
            principal: change.principal.clone(),
            unique_id: change.unique_id.clone(),
            boundary: change.boundary.clone(),
            provenance: change.provenance.clone(),
            reason: change.reason.clone(),
        }
    }
}
