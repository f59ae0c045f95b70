use std::borrow::Cow;

use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FORMAT_VERSION;
use crate::aws::ErrorClass;
use crate::iam::{AccountId, Digest, NamePattern, PolicyArn, PrincipalName, Threshold, present};
use crate::plan::{ApiError, Change, Guard, Origin, Plan, Problem, ProblemKind};

pub(super) const FORMAT: &str = "iam-boundaries/plan";

/// What every version of the format has, and other JSON may have.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) format: Option<String>,
    format_version: Option<Value>,
}

/// What would change in the permissions boundaries of an AWS account's IAM users, as iam-boundaries
/// saves it for review, and carries it out later.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A saved plan of iam-boundaries")]
pub(super) struct Document {
    /// What kind of document this is.
    #[schemars(extend("const" = FORMAT))]
    pub(super) format: String,
    /// The version of this format. A tool refuses versions newer than it knows.
    #[schemars(extend("const" = FORMAT_VERSION))]
    pub(super) format_version: u32,
    /// The plan's digest: the SHA-256 of this document without this field, as JSON with sorted keys and
    /// no spaces between.
    pub(super) digest: Digest,
    /// The account that the plan is for.
    pub(super) account: AccountId,
    /// The file that the plan was made from, as its path was given: the journal, if it puts a run back.
    #[schemars(length(min = 1))]
    pub(super) file: String,
    /// The SHA-256 of that file's bytes.
    pub(super) file_digest: Digest,
    /// The earlier version of the file that the plan was compared with; null where it was not.
    #[serde(deserialize_with = "present")]
    pub(super) base: Option<BaseDocument>,
    /// How many there are of each kind.
    pub(super) summary: SummaryDocument,
    /// The short names, from the file, of the boundaries in the changes, by name.
    pub(super) boundaries: Vec<BoundaryDocument>,
    /// The guard rails of the file.
    pub(super) guard: GuardDocument,
    /// How many users the account has; null where no guard rail depended on it.
    #[serde(deserialize_with = "present")]
    pub(super) account_users: Option<usize>,
    /// The digest of the plan whose run this one puts back; null for a plan that was made from a file.
    #[serde(deserialize_with = "present")]
    pub(super) rolls_back: Option<Digest>,
    /// The changes, by user name; no user has two.
    pub(super) changes: Vec<ChangeDocument>,
    /// The listed users for whom nothing can be planned, by user name.
    pub(super) problems: Vec<ProblemDocument>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct BaseDocument {
    /// The SHA-256 of the earlier version's bytes.
    pub(super) digest: Digest,
    /// Changes that come from what changed in the file.
    pub(super) this_change: usize,
    /// Changes that the earlier version asked for already.
    pub(super) drift: usize,
    /// Users that the earlier version listed and this one does not, by name: they are left as they are.
    #[schemars(extend("uniqueItems" = true))]
    pub(super) no_longer_listed: Vec<PrincipalName>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct SummaryDocument {
    /// Users who get a boundary and had none.
    pub(super) add: usize,
    /// Users who get another boundary.
    pub(super) change: usize,
    /// Users who lose their boundary.
    pub(super) remove: usize,
    /// Listed users who are as the file says.
    pub(super) in_sync: usize,
    /// Listed users for whom nothing can be planned.
    pub(super) problems: usize,
}

/// What stands against the plan unless a further word allows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct GuardDocument {
    /// The most changes; null where the file sets no limit.
    #[serde(deserialize_with = "present")]
    max_changes: Option<Threshold>,
    /// The most removals; null where the file sets no limit.
    #[serde(deserialize_with = "present")]
    max_removals: Option<Threshold>,
    /// The users who are never touched: names and patterns.
    protected: Vec<NamePattern>,
    /// Whether the user who carries the plan out may change the own boundary.
    allow_own_boundary: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct BoundaryDocument {
    /// The short name.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_+=,.@-]{1,128}$"))]
    pub(super) name: String,
    /// The policy that it stands for.
    pub(super) arn: PolicyArn,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct ChangeDocument {
    /// Whose boundary it is.
    pub(super) user: PrincipalName,
    /// What is to be done.
    pub(super) action: ActionDocument,
    /// The boundary that is there; null for none.
    #[serde(deserialize_with = "present")]
    pub(super) from: Option<PolicyArn>,
    /// The boundary to be; null for none.
    #[serde(deserialize_with = "present")]
    pub(super) to: Option<PolicyArn>,
    /// The line of the file that lists the user, from 1.
    #[schemars(range(min = 1))]
    pub(super) line: usize,
    /// Where the change comes from; null where there is no base.
    #[serde(deserialize_with = "present")]
    pub(super) origin: Option<Origin>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum ActionDocument {
    /// `from` is null, and `to` is not.
    Add,
    /// Neither is null, and they are not the same.
    Change,
    /// `to` is null, and `from` is not.
    Remove,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct ProblemDocument {
    /// The user that the file names.
    pub(super) user: PrincipalName,
    /// The line of the file that lists the user, from 1.
    #[schemars(range(min = 1))]
    pub(super) line: usize,
    /// The column of the user's name, from 1, in characters; null where only the line is known.
    #[serde(deserialize_with = "present")]
    #[schemars(range(min = 1))]
    pub(super) column: Option<usize>,
    /// Why nothing can be planned.
    pub(super) problem: ProblemKindDocument,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(inline)]
pub(super) enum ProblemKindDocument {
    /// IAM has no such user.
    NoSuchUser {
        /// A user whose name differs by case alone; null where there is none.
        #[serde(deserialize_with = "present")]
        differs_by_case: Option<PrincipalName>,
    },
    /// The user's present boundary could not be read.
    Unreadable {
        /// The call that failed.
        error: ErrorDocument,
    },
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
        /// The call that failed.
        error: ErrorDocument,
    },
    /// A run is to be put back, and the user no longer has the boundary that it left.
    NotAsLeft {
        /// The boundary that the run left; null for none.
        #[serde(deserialize_with = "present")]
        left: Option<PolicyArn>,
        /// The boundary that is there now; null for none.
        #[serde(deserialize_with = "present")]
        found: Option<PolicyArn>,
    },
}

/// A call that failed. The request's id is no part of it: it is another at each reading of the same
/// account.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct ErrorDocument {
    /// The call that failed.
    #[schemars(regex(pattern = r"^[a-z0-9-]+:[A-Za-z0-9]+$"))]
    action: String,
    /// What kind of failure it is.
    class: ErrorClass,
    /// AWS's error code, or a name of the tool's where no answer came.
    code: String,
    /// AWS's message, or the reason why no answer came.
    message: String,
}

impl Header {
    /// The version, as far as it is a number: what is not is for the strict reading to refuse.
    pub(super) fn version(&self) -> Option<u64> {
        self.format_version.as_ref().and_then(Value::as_u64)
    }

    /// Whether a text that is no JSON seems to have been a plan.
    pub(super) fn is_in(text: &[u8]) -> bool {
        text.windows(FORMAT.len()).take(200).any(|window| window == FORMAT.as_bytes())
    }
}

impl Document {
    pub(super) fn of(plan: &Plan) -> Document {
        let counts = plan.counts();
        let mut boundaries: Vec<_> = plan
            .names
            .iter()
            .map(|(arn, name)| BoundaryDocument { name: name.clone(), arn: arn.clone() })
            .collect();
        boundaries.sort_by(|a, b| a.name.cmp(&b.name));
        let mut document = Document {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            digest: Digest::of([]),
            account: plan.account,
            file: plan.file.clone(),
            file_digest: plan.file_digest,
            base: plan.base.as_ref().map(|base| BaseDocument {
                digest: base.digest,
                this_change: plan.count_of(Origin::ThisChange),
                drift: plan.count_of(Origin::Drift),
                no_longer_listed: base.no_longer_listed.clone(),
            }),
            summary: SummaryDocument {
                add: counts.add,
                change: counts.change,
                remove: counts.remove,
                in_sync: plan.in_sync,
                problems: plan.problems.len(),
            },
            boundaries,
            guard: GuardDocument::of(&plan.guard),
            account_users: plan.account_users,
            rolls_back: plan.rolls_back,
            changes: plan.changes.iter().map(ChangeDocument::of).collect(),
            problems: plan.problems.iter().map(ProblemDocument::of).collect(),
        };
        document.digest = document.content_digest();
        document
    }

    /// The digest of everything but the digest.
    pub(super) fn content_digest(&self) -> Digest {
        let mut content =
            serde_json::to_value(self).expect("a document of strings and numbers is JSON");
        if let Some(fields) = content.as_object_mut() {
            fields.remove("digest");
        }
        content.sort_all_objects();
        Digest::of(content.to_string())
    }
}

impl ChangeDocument {
    fn of(change: &Change) -> Self {
        use crate::plan::BoundaryChange;
        ChangeDocument {
            user: change.user.clone(),
            action: match change.action {
                BoundaryChange::Add { .. } => ActionDocument::Add,
                BoundaryChange::Change { .. } => ActionDocument::Change,
                BoundaryChange::Remove { .. } => ActionDocument::Remove,
            },
            from: change.action.from().cloned(),
            to: change.action.to().cloned(),
            line: change.line,
            origin: change.origin,
        }
    }
}

impl ProblemDocument {
    fn of(problem: &Problem) -> Self {
        let kind = match &problem.kind {
            ProblemKind::NoSuchUser { differs_by_case } => {
                ProblemKindDocument::NoSuchUser { differs_by_case: differs_by_case.clone() }
            }
            ProblemKind::Unreadable(error) => {
                ProblemKindDocument::Unreadable { error: ErrorDocument::of(error) }
            }
            ProblemKind::NoSuchPolicy { policy } => {
                ProblemKindDocument::NoSuchPolicy { policy: policy.clone() }
            }
            ProblemKind::PolicyNotAttachable { policy } => {
                ProblemKindDocument::PolicyNotAttachable { policy: policy.clone() }
            }
            ProblemKind::PolicyUnreadable { policy, error } => {
                let error = ErrorDocument::of(error);
                ProblemKindDocument::PolicyUnreadable { policy: policy.clone(), error }
            }
            ProblemKind::NotAsLeft { left, found } => {
                ProblemKindDocument::NotAsLeft { left: left.clone(), found: found.clone() }
            }
        };
        ProblemDocument {
            user: problem.user.clone(),
            line: problem.line,
            column: problem.column,
            problem: kind,
        }
    }
}

impl ProblemKindDocument {
    pub(super) fn into_kind(self) -> ProblemKind {
        match self {
            ProblemKindDocument::NoSuchUser { differs_by_case } => {
                ProblemKind::NoSuchUser { differs_by_case }
            }
            ProblemKindDocument::Unreadable { error } => {
                ProblemKind::Unreadable(error.into_error())
            }
            ProblemKindDocument::NoSuchPolicy { policy } => ProblemKind::NoSuchPolicy { policy },
            ProblemKindDocument::PolicyNotAttachable { policy } => {
                ProblemKind::PolicyNotAttachable { policy }
            }
            ProblemKindDocument::PolicyUnreadable { policy, error } => {
                ProblemKind::PolicyUnreadable { policy, error: error.into_error() }
            }
            ProblemKindDocument::NotAsLeft { left, found } => {
                ProblemKind::NotAsLeft { left, found }
            }
        }
    }
}

impl ErrorDocument {
    fn of(error: &ApiError) -> Self {
        let ApiError { action, class, code, message, request_id: _ } = error;
        ErrorDocument {
            action: action.clone().into_owned(),
            class: *class,
            code: code.clone(),
            message: message.clone(),
        }
    }

    fn into_error(self) -> ApiError {
        let ErrorDocument { action, class, code, message } = self;
        ApiError { action: Cow::Owned(action), class, code, message, request_id: None }
    }
}

impl GuardDocument {
    pub(crate) fn of(guard: &Guard) -> Self {
        let Guard { max_changes, max_removals, protected, allow_own_boundary } = guard.clone();
        GuardDocument { max_changes, max_removals, protected, allow_own_boundary }
    }

    pub(crate) fn into_guard(self) -> Guard {
        let GuardDocument { max_changes, max_removals, protected, allow_own_boundary } = self;
        Guard { max_changes, max_removals, protected, allow_own_boundary }
    }
}

pub(super) fn schema() -> Value {
    let mut schema = schemars::schema_for!(Document);
    // What may be null may not be left out all the same.
    RecursiveTransform(require_every_field).transform(&mut schema);
    schema.to_value()
}

fn require_every_field(schema: &mut Schema) {
    let fields = schema.get("properties").and_then(Value::as_object);
    if let Some(names) = fields.map(|fields| fields.keys().cloned().collect::<Vec<_>>()) {
        schema.insert("required".to_owned(), names.into());
    }
}
