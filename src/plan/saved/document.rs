//! The document of a saved plan, version 3.

use std::num::NonZeroUsize;

use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::blame::BlameDocument;
use super::coverage::{CoverageDocument, SeverityDocument};
use super::format::{FORMAT, FORMAT_VERSION, content_digest};
use super::guard::GuardDocument;
use super::impact::ImpactDocument;
use super::pinned::{self, DriftedPolicyDocument, PolicyDigestDocument};
use super::principal::PrincipalDocument;
use super::problem::ProblemKindDocument;
use super::provenance::ProvenanceDocument;
use crate::config::SourceFile;
use crate::iam::{
    AccountAlias, AccountId, AssumeRole, BoundaryChange, DateOrTime, Digest, PolicyArn,
    PrincipalCounts, PrincipalKind, PrincipalName, Printable, UniqueId, not_empty, not_null,
    present,
};
use crate::plan::change::{Change, Origin, Problem};
use crate::plan::content::Plan;
use crate::plan::source::PlanSource;
use crate::plan::widening::Widening;

/// The fields that every version of the format has.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) format: Option<String>,
    format_version: Option<Value>,
}

/// A plan of changes to the permissions boundaries in an AWS account. plan --out saves it for review, and
/// apply applies it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A saved plan of iam-boundaries")]
pub(super) struct Document {
    /// The kind of document.
    #[schemars(extend("const" = FORMAT))]
    pub(super) format: String,
    /// The version of this format. The tool rejects later versions that it does not support.
    #[schemars(extend("const" = FORMAT_VERSION))]
    pub(super) format_version: u32,
    /// The digest of the plan: the SHA-256 of this document without digest, impact and blame, and in a fleet plan without
    /// the account of each change and problem, as JSON with sorted keys and no spaces.
    pub(super) digest: Digest,
    /// The account that the plan is for.
    pub(super) account: AccountId,
    /// The alias of the account; null if it has none, if it could not be read, or if the boundaries files, --account or a
    /// fleet file name the account.
    #[serde(deserialize_with = "present")]
    pub(super) account_alias: Option<AccountAlias>,
    /// The source of the plan.
    pub(super) source: SourceDocument,
    /// The role in the account that apply assumes; missing if the files name none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "AssumeRole")]
    pub(super) assume_role: Option<AssumeRole>,
    /// The numbers of principals.
    pub(super) summary: SummaryDocument,
    /// The short names of the boundaries in the changes, sorted by name.
    pub(super) boundaries: Vec<BoundaryDocument>,
    /// The guard rails.
    pub(super) guard: GuardDocument,
    /// The number of users in the account; null if no guard rail depends on it, or if it is not known.
    #[serde(deserialize_with = "present")]
    pub(super) account_users: Option<usize>,
    /// The number of roles in the account; missing if no guard rail depends on it, or if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "usize")]
    pub(super) account_roles: Option<usize>,
    /// The changes, sorted by principal. A principal has at most one change.
    pub(super) changes: Vec<ChangeDocument>,
    /// The principals that cannot be planned, sorted.
    pub(super) problems: Vec<ProblemDocument>,
    #[serde(flatten)]
    pub(super) coverage: CoverageDocument,
    /// The documents of the policies that the changes set, sorted by policy; missing if none was read. apply compares them
    /// with the account.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    pub(super) documents: Vec<PolicyDigestDocument>,
    /// The pinned policies that are not as the files pin them, sorted by policy; missing if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    pub(super) drifted: Vec<DriftedPolicyDocument>,
    /// What the changes give and take; missing if it was not computed. It is not part of the digest.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "ImpactDocument")]
    pub(super) impact: Option<ImpactDocument>,
    /// Who made the changes that the plan would undo, according to CloudTrail; missing if it was not looked up.
    /// It is not part of the digest.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "BlameDocument")]
    pub(super) blame: Option<BlameDocument>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(inline)]
pub(super) enum SourceDocument {
    /// Boundaries files, compared with the account.
    Files {
        /// The files.
        #[schemars(length(min = 1))]
        files: Vec<FileDocument>,
        /// The earlier version of the files that the plan was compared with; null if there is none.
        #[serde(deserialize_with = "present")]
        base: Option<BaseDocument>,
    },
    /// The journal of a run that the plan rolls back.
    Rollback {
        /// The journal.
        journal: FileDocument,
        /// The digest of the plan that the run applied.
        plan: Digest,
        /// Whether the journal records the end of the run: otherwise, changes may be missing from it. Null
        /// in a plan of an earlier version of the format.
        #[serde(deserialize_with = "present")]
        run_ended: Option<bool>,
        /// The principals of the changes that the run may not have made, sorted: the journal does not show who set the
        /// current boundary. Missing if there are none.
        #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
        #[schemars(length(min = 1), extend("uniqueItems" = true))]
        unconfirmed: Vec<PrincipalDocument>,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct FileDocument {
    /// The path as specified on the command line.
    #[schemars(with = "String", length(min = 1))]
    pub(super) path: Printable,
    /// The SHA-256 of the file's bytes.
    pub(super) digest: Digest,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct BaseDocument {
    /// The SHA-256 of the earlier version's bytes.
    pub(super) digest: Digest,
    /// The number of changes with the origin this_change: the earlier version did not specify the boundary.
    pub(super) this_change: usize,
    /// The number of changes with the origin drift: the earlier version specifies the same boundary.
    pub(super) drift: usize,
    /// The principals that only the earlier version lists, sorted. They are not changed.
    #[schemars(extend("uniqueItems" = true))]
    pub(super) no_longer_listed: Vec<PrincipalDocument>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct SummaryDocument {
    /// The number of principals that get a boundary and have none.
    pub(super) add: usize,
    /// The number of principals that get another boundary.
    pub(super) change: usize,
    /// The number of principals whose boundary is removed.
    pub(super) remove: usize,
    /// The number of listed principals that already match the files.
    pub(super) in_sync: usize,
    /// The number of roles among them; missing if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "NonZeroUsize")]
    pub(super) in_sync_roles: Option<NonZeroUsize>,
    /// The number of listed principals that cannot be planned.
    pub(super) problems: usize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct BoundaryDocument {
    /// The short name.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_+=,.@-]{1,128}$"))]
    pub(super) name: String,
    /// The ARN of the policy.
    pub(super) arn: PolicyArn,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct ChangeDocument {
    /// The account, in a fleet plan; missing in the plan of a single account. It is not part of the digest.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "AccountId")]
    pub(super) account: Option<AccountId>,
    /// The kind of the principal.
    pub(super) kind: PrincipalKind,
    /// The name of the principal.
    pub(super) name: PrincipalName,
    /// The unique ID that IAM assigned to the principal; null in a plan that was converted from version 2.
    #[serde(deserialize_with = "present")]
    pub(super) unique_id: Option<UniqueId>,
    /// The kind of the change.
    pub(super) action: ActionDocument,
    /// The current boundary; null for none.
    #[serde(deserialize_with = "present")]
    pub(super) from: Option<PolicyArn>,
    /// The new boundary; null for none.
    #[serde(deserialize_with = "present")]
    pub(super) to: Option<PolicyArn>,
    /// The position of the entry, the rule or the journal line that requires the change.
    pub(super) provenance: ProvenanceDocument,
    /// The reason of the entry; missing if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "String")]
    pub(super) reason: Option<Printable>,
    /// When the entry expired; missing unless the change is what applies from then on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "DateOrTime")]
    pub(super) expired: Option<DateOrTime>,
    /// The origin of the change; null without a base.
    #[serde(deserialize_with = "present")]
    pub(super) origin: Option<Origin>,
    /// Whether the new boundary allows more than the one before; missing if that was not compared.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "Widening")]
    pub(super) widening: Option<Widening>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum ActionDocument {
    /// `from` is null, and `to` is an ARN.
    Add,
    /// `from` and `to` are different ARNs.
    Change,
    /// `from` is an ARN, and `to` is null.
    Remove,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct ProblemDocument {
    /// The account, in a fleet plan; missing in the plan of a single account. It is not part of the digest.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "AccountId")]
    pub(super) account: Option<AccountId>,
    /// The kind of the principal.
    pub(super) kind: PrincipalKind,
    /// The name of the principal.
    pub(super) name: PrincipalName,
    /// The position of the principal's entry.
    pub(super) provenance: ProvenanceDocument,
    /// The reason why the principal cannot be planned.
    pub(super) problem: ProblemKindDocument,
    /// Missing if the problem makes the plan incomplete.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "SeverityDocument")]
    pub(super) severity: Option<SeverityDocument>,
}

impl Header {
    /// The version, if it is a number. The strict parser rejects everything else.
    pub(super) fn version(&self) -> Option<u64> {
        self.format_version.as_ref().and_then(Value::as_u64)
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
            account_alias: plan.account_alias.clone(),
            source: SourceDocument::of(plan),
            assume_role: plan.assume_role.clone(),
            summary: SummaryDocument {
                add: counts.add,
                change: counts.change,
                remove: counts.remove,
                in_sync: plan.in_sync.total(),
                in_sync_roles: NonZeroUsize::new(plan.in_sync.roles),
                problems: plan.problems.len(),
            },
            boundaries,
            guard: GuardDocument::of(&plan.guard),
            account_users: plan.account_users,
            account_roles: plan.account_roles,
            changes: plan.changes.iter().map(ChangeDocument::of).collect(),
            problems: plan.problems.iter().map(ProblemDocument::of).collect(),
            coverage: CoverageDocument::of(plan),
            documents: pinned::digests(plan),
            drifted: pinned::drifted(plan),
            impact: plan.impact.as_ref().map(ImpactDocument::of),
            blame: plan.blame.as_ref().map(BlameDocument::of),
        };
        document.digest = document.content_digest();
        document
    }

    /// Sets the account of each item, which a fleet plan has.
    pub(super) fn set_account_of_items(&mut self, account: Option<AccountId>) {
        self.changes.iter_mut().for_each(|change| change.account = account);
        self.problems.iter_mut().for_each(|problem| problem.account = account);
    }

    /// Whether each item is one of this account.
    pub(super) fn items_are_of(&self, account: Option<AccountId>) -> bool {
        self.changes.iter().all(|change| change.account == account)
            && self.problems.iter().all(|problem| problem.account == account)
    }

    /// The digest of everything except the digest.
    pub(super) fn content_digest(&self) -> Digest {
        content_digest(self)
    }
}

impl SummaryDocument {
    /// The numbers of principals in sync; `None` if there are more roles than principals.
    pub(super) fn in_sync(&self) -> Option<PrincipalCounts> {
        let roles = self.in_sync_roles.map_or(0, NonZeroUsize::get);
        Some(PrincipalCounts { users: self.in_sync.checked_sub(roles)?, roles })
    }
}

impl SourceDocument {
    fn of(plan: &Plan) -> Self {
        match &plan.source {
            PlanSource::Files { files, base } => SourceDocument::Files {
                files: files.iter().map(FileDocument::of).collect(),
                base: base.as_ref().map(|base| BaseDocument {
                    digest: base.digest,
                    this_change: plan.count_of(Origin::ThisChange),
                    drift: plan.count_of(Origin::Drift),
                    no_longer_listed: base.no_longer_listed.iter().map(Into::into).collect(),
                }),
            },
            PlanSource::Rollback { journal, plan, run_ended, unconfirmed } => {
                SourceDocument::Rollback {
                    journal: FileDocument::of(journal),
                    plan: *plan,
                    run_ended: *run_ended,
                    unconfirmed: unconfirmed.iter().map(Into::into).collect(),
                }
            }
        }
    }
}

impl FileDocument {
    pub(super) fn of(file: &SourceFile) -> Self {
        FileDocument { path: file.path.clone(), digest: file.digest }
    }
}

impl ChangeDocument {
    fn of(change: &Change) -> Self {
        let Change {
            principal,
            unique_id,
            boundary,
            provenance,
            reason,
            expired,
            origin,
            widening,
        } = change;
        ChangeDocument {
            account: None,
            kind: principal.kind,
            name: principal.name.clone(),
            unique_id: unique_id.clone(),
            action: match boundary {
                BoundaryChange::Add { .. } => ActionDocument::Add,
                BoundaryChange::Change { .. } => ActionDocument::Change,
                BoundaryChange::Remove { .. } => ActionDocument::Remove,
            },
            from: boundary.from().cloned(),
            to: boundary.to().cloned(),
            provenance: ProvenanceDocument::of(provenance),
            reason: reason.clone(),
            expired: *expired,
            origin: *origin,
            widening: widening.clone(),
        }
    }
}

impl ProblemDocument {
    fn of(problem: &Problem) -> Self {
        ProblemDocument {
            account: None,
            kind: problem.principal.kind,
            name: problem.principal.name.clone(),
            provenance: ProvenanceDocument::of(&problem.provenance),
            problem: ProblemKindDocument::of(&problem.kind),
            severity: SeverityDocument::of(problem.severity),
        }
    }
}

pub(super) fn schema() -> Value {
    let mut schema = schemars::schema_for!(Document);
    // A field that can be null is also required.
    RecursiveTransform(require_every_field).transform(&mut schema);
    schema.to_value()
}

/// The fields that are missing if they say nothing, so that the plans of earlier versions of the tool are valid.
const OPTIONAL: [&str; 28] = [
    "account_roles",
    "as_of",
    "assume_role",
    "blame",
    "documents",
    "drifted",
    "duration",
    "expired",
    "expiring",
    "external_id",
    "impact",
    "in_sync_roles",
    "missing_shards",
    "only",
    "part_of",
    "protected_roles",
    "reason",
    "session_name",
    "severity",
    "shard",
    "unconfirmed",
    "uncovered",
    "unlisted_roles",
    "unlisted_users",
    "warnings",
    "used",
    "widening",
    "taking_used",
];

/// Whether a field with this name is optional in an object with these fields.
fn is_optional(name: &str, fields: &serde_json::Map<String, Value>) -> bool {
    match name {
        // Of a change or a problem, and of an account of a fleet.
        "account" => fields.contains_key("provenance"),
        "plan" | "problem" => fields.contains_key("credentials"),
        // Of the guard rails of a fleet.
        _ if fields.contains_key("max_accounts_changed") => true,
        _ => OPTIONAL.contains(&name),
    }
}

pub(super) fn require_every_field(schema: &mut Schema) {
    let fields = schema.get("properties").and_then(Value::as_object);
    let names = fields.map(|fields| {
        let required = fields.keys().filter(|name| !is_optional(name, fields));
        required.cloned().collect::<Vec<_>>()
    });
    if let Some(names) = names {
        schema.insert("required".to_owned(), names.into());
    }
}
