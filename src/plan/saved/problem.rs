//! The problems in a saved plan: the reasons why principals cannot be planned.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::{
    DateOrTime, PolicyArn, PrincipalName, Printable, UniqueId, UnmodifiableRole, present,
};
use crate::inventory::{ApiError, ErrorClass};
use crate::plan::change::ProblemKind;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(inline)]
pub(super) enum ProblemKindDocument {
    /// The principal does not exist.
    #[serde(alias = "no_such_user")]
    NotFound {
        /// The name of a principal that differs only in case; null if there is none.
        #[serde(deserialize_with = "present")]
        differs_by_case: Option<PrincipalName>,
    },
    /// The principal is a role that AWS manages.
    Unmodifiable {
        /// What makes it unmodifiable.
        role: UnmodifiableRole,
    },
    /// The current boundary could not be read.
    Unreadable {
        /// The error of the request.
        error: ErrorDocument,
    },
    /// Whether a rule matches is not known, because the groups of the user are not known.
    Undecided,
    /// The entry is expired, and the file does not specify what applies from then on.
    Expired {
        /// When it expired.
        until: DateOrTime,
    },
    /// The policy does not exist.
    NoSuchPolicy {
        /// The policy.
        policy: PolicyArn,
    },
    /// The policy cannot be set as a boundary.
    PolicyNotAttachable {
        /// The policy.
        policy: PolicyArn,
    },
    /// The policy could not be read.
    PolicyUnreadable {
        /// The policy.
        policy: PolicyArn,
        /// The error of the request.
        error: ErrorDocument,
    },
    /// The default version of the policy is not the pinned document.
    PolicyDiffers {
        /// The policy.
        policy: PolicyArn,
        /// The path of the pinned document.
        #[schemars(with = "String")]
        document: Printable,
    },
    /// The document of the policy could not be read, and the policy is pinned.
    PolicyDocumentUnreadable {
        /// The policy.
        policy: PolicyArn,
        /// The error of the request.
        error: ErrorDocument,
    },
    /// Reserved: apply reports it, and no plan has it.
    PolicyChanged {
        /// The policy.
        policy: PolicyArn,
    },
    /// In a rollback: the principal was deleted and created again after the run.
    Recreated {
        /// The unique ID of the principal that the run changed.
        changed: UniqueId,
        /// The current unique ID.
        found: UniqueId,
    },
    /// In a rollback: the principal no longer has the boundary that the run set.
    NotAsLeft {
        /// The boundary that the run set; null for none.
        #[serde(deserialize_with = "present")]
        left: Option<PolicyArn>,
        /// The current boundary; null for none.
        #[serde(deserialize_with = "present")]
        found: Option<PolicyArn>,
    },
}

/// The error of a request, without the request ID, which differs each time the same account is read.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct ErrorDocument {
    /// The IAM action.
    #[schemars(regex(pattern = r"^[a-z0-9-]+:[A-Za-z0-9]+$"))]
    action: String,
    /// The class of the error.
    class: ErrorClass,
    /// AWS's error code, or a code of the tool if AWS did not respond.
    #[schemars(with = "String")]
    code: Printable,
    /// AWS's message, or the reason if AWS did not respond.
    #[schemars(with = "String")]
    message: Printable,
}

impl ProblemKindDocument {
    pub(super) fn of(kind: &ProblemKind) -> Self {
        match kind.clone() {
            ProblemKind::NotFound { differs_by_case } => {
                ProblemKindDocument::NotFound { differs_by_case }
            }
            ProblemKind::Unmodifiable { role } => ProblemKindDocument::Unmodifiable { role },
            ProblemKind::Unreadable(error) => {
                ProblemKindDocument::Unreadable { error: ErrorDocument::of(error) }
            }
            ProblemKind::Undecided => ProblemKindDocument::Undecided,
            ProblemKind::Expired { until } => ProblemKindDocument::Expired { until },
            ProblemKind::NoSuchPolicy { policy } => ProblemKindDocument::NoSuchPolicy { policy },
            ProblemKind::PolicyNotAttachable { policy } => {
                ProblemKindDocument::PolicyNotAttachable { policy }
            }
            ProblemKind::PolicyUnreadable { policy, error } => {
                ProblemKindDocument::PolicyUnreadable { policy, error: ErrorDocument::of(error) }
            }
            ProblemKind::PolicyDiffers { policy, document } => {
                ProblemKindDocument::PolicyDiffers { policy, document }
            }
            ProblemKind::PolicyDocumentUnreadable { policy, error } => {
                let error = ErrorDocument::of(error);
                ProblemKindDocument::PolicyDocumentUnreadable { policy, error }
            }
            ProblemKind::PolicyChanged { policy } => ProblemKindDocument::PolicyChanged { policy },
            ProblemKind::Recreated { changed, found } => {
                ProblemKindDocument::Recreated { changed, found }
            }
            ProblemKind::NotAsLeft { left, found } => {
                ProblemKindDocument::NotAsLeft { left, found }
            }
        }
    }

    pub(super) fn into_kind(self) -> ProblemKind {
        match self {
            ProblemKindDocument::NotFound { differs_by_case } => {
                ProblemKind::NotFound { differs_by_case }
            }
            ProblemKindDocument::Unmodifiable { role } => ProblemKind::Unmodifiable { role },
            ProblemKindDocument::Unreadable { error } => {
                ProblemKind::Unreadable(error.into_error())
            }
            ProblemKindDocument::Undecided => ProblemKind::Undecided,
            ProblemKindDocument::Expired { until } => ProblemKind::Expired { until },
            ProblemKindDocument::NoSuchPolicy { policy } => ProblemKind::NoSuchPolicy { policy },
            ProblemKindDocument::PolicyNotAttachable { policy } => {
                ProblemKind::PolicyNotAttachable { policy }
            }
            ProblemKindDocument::PolicyUnreadable { policy, error } => {
                ProblemKind::PolicyUnreadable { policy, error: error.into_error() }
            }
            ProblemKindDocument::PolicyDiffers { policy, document } => {
                ProblemKind::PolicyDiffers { policy, document }
            }
            ProblemKindDocument::PolicyDocumentUnreadable { policy, error } => {
                let error = error.into_error();
                ProblemKind::PolicyDocumentUnreadable { policy, error }
            }
            ProblemKindDocument::PolicyChanged { policy } => ProblemKind::PolicyChanged { policy },
            ProblemKindDocument::Recreated { changed, found } => {
                ProblemKind::Recreated { changed, found }
            }
            ProblemKindDocument::NotAsLeft { left, found } => {
                ProblemKind::NotAsLeft { left, found }
            }
        }
    }
}

impl ErrorDocument {
    pub(super) fn of(error: ApiError) -> Self {
        let ApiError { action, class, code, message, request_id: _ } = error;
        ErrorDocument { action: action.into_owned(), class, code, message }
    }

    pub(super) fn into_error(self) -> ApiError {
        let ErrorDocument { action, class, code, message } = self;
        ApiError { action: Cow::Owned(action), class, code, message, request_id: None }
    }
}
