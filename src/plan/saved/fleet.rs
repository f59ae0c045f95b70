//! The document of a saved fleet plan, version 1: the documents of the accounts' plans, in one file.

use schemars::JsonSchema;
use schemars::transform::{RecursiveTransform, Transform};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check;
use super::document::{Document, FileDocument, Header, require_every_field};
use super::format::{
    FLEET_FORMAT, FLEET_FORMAT_VERSION, content_digest, is_fleet_plan_like, is_plan_like,
};
use super::problem::ErrorDocument;
use super::{SavedPlanError, malformed, matches};
use crate::config::{AccountCredentials, FleetGuard, SourceFile};
use crate::iam::{
    AccountId, AccountName, Digest, ForeignEncoding, Printable, Shard, not_empty, not_null,
};
use crate::plan::fleet::{
    AccountPlan, AccountProblem, AccountProblemCode, FleetAccountRef, FleetPlan, FleetSource,
    FleetTotals, Uncovered,
};

/// The plans of the accounts of a fleet. plan --fleet --out saves it for review, and apply applies it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound(deserialize = "P: Deserialize<'de>"))]
#[schemars(title = "A saved fleet plan of iam-boundaries")]
struct FleetDocument<P> {
    /// The kind of document.
    #[schemars(extend("const" = FLEET_FORMAT))]
    format: String,
    /// The version of this format. The tool rejects later versions that it does not support.
    #[schemars(extend("const" = FLEET_FORMAT_VERSION))]
    format_version: u32,
    /// The digest over all plans: the SHA-256 of this document without this field, with the digest of each plan in place
    /// of the plan, as JSON with sorted keys and no spaces.
    digest: Digest,
    /// The source of the plans.
    source: FleetSourceDocument,
    /// The part of the fleet that the document is for, such as 1/4; missing for the whole fleet.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "String", regex(pattern = r"^[0-9]+/[0-9]+$"))]
    shard: Option<Shard>,
    /// The parts of the fleet whose plans were missing when report merge merged the others, sorted; missing if there are
    /// none. Nothing is known about their accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    #[schemars(with = "Vec<String>", length(min = 1), inner(regex(pattern = r"^[0-9]+/[0-9]+$")))]
    missing_shards: Vec<Shard>,
    /// The digest of the plan that the document is a part of; missing if it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "Digest")]
    part_of: Option<Digest>,
    /// The guard rails of the fleet.
    guard: FleetGuard,
    /// The numbers over all accounts.
    summary: FleetSummaryDocument,
    /// The active accounts of the organization that the fleet does not cover, sorted; missing if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    uncovered: Vec<UncoveredDocument>,
    /// The accounts, sorted by name and ID.
    accounts: Vec<AccountDocument<P>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(inline)]
enum FleetSourceDocument {
    /// A fleet file, whose boundaries files were compared with the accounts.
    Fleet {
        /// The fleet file.
        file: FileDocument,
    },
    /// The directory of the run that the plans roll back.
    Rollback {
        /// The directory.
        #[schemars(with = "String", length(min = 1))]
        run: Printable,
        /// The digest of the plan that the run applied.
        plan: Digest,
    },
}

#[derive(Clone, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct FleetSummaryDocument {
    /// The number of accounts.
    accounts: usize,
    /// The number of accounts with changes.
    accounts_changed: usize,
    /// The number of accounts without a plan.
    accounts_failed: usize,
    /// The number of principals that get a boundary and have none.
    add: usize,
    /// The number of principals that get another boundary.
    change: usize,
    /// The number of principals whose boundary is removed.
    remove: usize,
    /// The number of listed principals that already match the files.
    in_sync: usize,
    /// The number of principals that cannot be planned.
    problems: usize,
    /// The number of unlisted principals, as far as they were read.
    unlisted: usize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct UncoveredDocument {
    /// The account ID.
    account: AccountId,
    /// The name in AWS Organizations.
    #[schemars(with = "String")]
    name: Printable,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound(deserialize = "P: Deserialize<'de>"))]
#[schemars(inline)]
struct AccountDocument<P> {
    /// The name of the account in the fleet.
    name: AccountName,
    /// The account ID.
    account: AccountId,
    /// The credentials that apply uses for the account.
    credentials: AccountCredentials,
    /// The plan; missing if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "P")]
    plan: Option<P>,
    /// Why there is no plan; missing if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "AccountProblemDocument")]
    problem: Option<AccountProblemDocument>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(inline)]
enum AccountProblemDocument {
    /// A call failed.
    Call {
        /// Its error.
        error: ErrorDocument,
    },
    /// Another reason.
    Other {
        /// What kind of reason it is.
        code: AccountProblemCode,
        /// The reason.
        #[schemars(with = "String")]
        message: Printable,
    },
}

impl FleetPlan {
    /// The digest over all plans.
    pub fn digest(&self) -> Digest {
        let plan = |account: &AccountPlan| account.plan.as_ref().ok().map(|plan| plan.digest());
        content_digest(&self.document(plan))
    }

    /// The plans as one JSON document. The same plans give the same bytes. Each item names its account.
    pub fn to_json(&self) -> String {
        let digest = self.digest();
        let plan = |account: &AccountPlan| {
            let mut document = Document::of(account.plan.as_ref().ok()?);
            document.set_account_of_items(Some(account.account.id));
            Some(document)
        };
        let document = FleetDocument { digest, ..self.document(plan) };
        let mut text =
            serde_json::to_string_pretty(&document).expect("strings and numbers serialize to JSON");
        text.push('\n');
        text
    }

    /// Reads plans from a document that [`FleetPlan::to_json`] returned. The layout of the JSON does not matter.
    ///
    /// # Errors
    /// [`SavedPlanError`] if the document is incomplete, was changed or is not consistent.
    pub fn from_json(text: &[u8]) -> Result<FleetPlan, SavedPlanError> {
        if let Some(encoding) = ForeignEncoding::of(text) {
            return Err(SavedPlanError::Encoding(encoding));
        }
        let header: Header =
            serde_json::from_slice(text).map_err(|error| match is_plan_like(text) {
                true if error.is_eof() => SavedPlanError::Truncated,
                true => malformed(&error),
                false => SavedPlanError::NotAPlan,
            })?;
        if header.format.as_deref() != Some(FLEET_FORMAT) {
            return Err(SavedPlanError::NotAPlan);
        }
        if let Some(version) = header.version().filter(|it| *it != u64::from(FLEET_FORMAT_VERSION))
        {
            return Err(SavedPlanError::FleetVersion(version));
        }
        let document: FleetDocument<Document> =
            serde_json::from_slice(text).map_err(|error| malformed(&error))?;
        let (written, summary) = (document.digest, document.summary.clone());
        let plan = fleet_plan(document)?;
        matches(plan.digest(), written)?;
        if FleetSummaryDocument::of(&plan.totals()) != summary {
            let why = "the summary does not match the plans of the accounts".to_owned();
            return Err(SavedPlanError::Inconsistent(why));
        }
        Ok(plan)
    }

    /// The document without its digest, with each plan as `plan` gives it.
    fn document<P>(&self, plan: impl Fn(&AccountPlan) -> Option<P>) -> FleetDocument<P> {
        FleetDocument {
            format: FLEET_FORMAT.to_owned(),
            format_version: FLEET_FORMAT_VERSION,
            digest: Digest::of([]),
            source: FleetSourceDocument::of(&self.source),
            shard: self.shard,
            missing_shards: self.missing_shards.clone(),
            part_of: self.part_of,
            guard: self.guard.clone(),
            summary: FleetSummaryDocument::of(&self.totals()),
            uncovered: self.uncovered.iter().map(UncoveredDocument::of).collect(),
            accounts: self
                .accounts
                .iter()
                .map(|account| AccountDocument {
                    name: account.account.name.clone(),
                    account: account.account.id,
                    credentials: account.account.credentials.clone(),
                    plan: plan(account),
                    problem: account.plan.as_ref().err().map(AccountProblemDocument::of),
                })
                .collect(),
        }
    }
}

fn fleet_plan(document: FleetDocument<Document>) -> Result<FleetPlan, SavedPlanError> {
    let inconsistent = |why: String| SavedPlanError::Inconsistent(why);
    let mut accounts = Vec::with_capacity(document.accounts.len());
    for AccountDocument { name, account: id, credentials, plan, problem } in document.accounts {
        let plan = match (plan, problem) {
            (Some(mut plan), None) => {
                if !plan.items_are_of(Some(id)) || plan.account != id {
                    return Err(inconsistent(format!("the plan of {name} is for another account")));
                }
                plan.set_account_of_items(None);
                matches(plan.content_digest(), plan.digest)?;
                Ok(check::plan(plan).map_err(inconsistent)?)
            }
            (None, Some(problem)) => Err(problem.into_problem()),
            _ => {
                return Err(inconsistent(format!(
                    "{name} has neither or both of plan and problem"
                )));
            }
        };
        accounts.push(AccountPlan { account: FleetAccountRef { name, id, credentials }, plan });
    }
    let key = |it: &AccountPlan| (it.account.name.clone(), it.account.id);
    if !accounts.is_sorted_by(|a, b| key(a) < key(b)) {
        return Err(inconsistent("the accounts are not sorted".to_owned()));
    }
    let mut ids: Vec<AccountId> = accounts.iter().map(|it| it.account.id).collect();
    ids.sort();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(inconsistent("an account has two plans".to_owned()));
    }
    let uncovered = document.uncovered.into_iter();
    let plan = FleetPlan {
        source: document.source.into_source(),
        shard: document.shard,
        missing_shards: document.missing_shards,
        guard: document.guard,
        accounts,
        uncovered: uncovered.map(|it| Uncovered { id: it.account, name: it.name }).collect(),
        part_of: document.part_of,
    };
    check_shards(&plan).map_err(inconsistent)?;
    Ok(plan)
}

/// Checks that the accounts belong to the shards that the plan is for.
fn check_shards(plan: &FleetPlan) -> Result<(), String> {
    let missing = &plan.missing_shards;
    if let Some(first) = missing.first() {
        let is_known = missing.iter().all(|it| it.count() == first.count());
        if !is_known
            || !missing.is_sorted_by(|a, b| a < b)
            || missing.len() >= first.count().into()
            || plan.shard.is_some()
        {
            return Err("missing_shards is not some of the shards".to_owned());
        }
    }
    let ids = plan.accounts.iter().map(|it| it.account.id);
    for id in ids.chain(plan.uncovered.iter().map(|it| it.id)) {
        if plan.shard.is_some_and(|shard| !shard.contains(id)) {
            return Err(format!("account {id} does not belong to the shard"));
        }
        if let Some(shard) = missing.iter().find(|shard| shard.contains(id)) {
            return Err(format!("account {id} belongs to shard {shard}, which is missing"));
        }
    }
    Ok(())
}

impl FleetSourceDocument {
    fn of(source: &FleetSource) -> Self {
        match source {
            FleetSource::File(file) => FleetSourceDocument::Fleet { file: FileDocument::of(file) },
            FleetSource::Rollback { run, plan } => {
                FleetSourceDocument::Rollback { run: run.clone(), plan: *plan }
            }
        }
    }

    fn into_source(self) -> FleetSource {
        match self {
            FleetSourceDocument::Fleet { file: FileDocument { path, digest } } => {
                FleetSource::File(SourceFile { path, digest })
            }
            FleetSourceDocument::Rollback { run, plan } => FleetSource::Rollback { run, plan },
        }
    }
}

impl FleetSummaryDocument {
    fn of(totals: &FleetTotals) -> Self {
        FleetSummaryDocument {
            accounts: totals.accounts,
            accounts_changed: totals.changed,
            accounts_failed: totals.failed,
            add: totals.counts.add,
            change: totals.counts.change,
            remove: totals.counts.remove,
            in_sync: totals.in_sync.total(),
            problems: totals.problems,
            unlisted: totals.unlisted,
        }
    }
}

impl UncoveredDocument {
    fn of(uncovered: &Uncovered) -> Self {
        UncoveredDocument { account: uncovered.id, name: uncovered.name.clone() }
    }
}

impl AccountProblemDocument {
    fn of(problem: &AccountProblem) -> Self {
        match problem.clone() {
            AccountProblem::Call(error) => {
                AccountProblemDocument::Call { error: ErrorDocument::of(error) }
            }
            AccountProblem::Other { code, message } => {
                AccountProblemDocument::Other { code, message }
            }
        }
    }

    fn into_problem(self) -> AccountProblem {
        match self {
            AccountProblemDocument::Call { error } => AccountProblem::Call(error.into_error()),
            AccountProblemDocument::Other { code, message } => {
                AccountProblem::Other { code, message }
            }
        }
    }
}

/// Whether a text is a saved fleet plan, in any layout of the JSON, or the beginning or a damaged copy of one.
pub fn is_fleet_plan(text: &[u8]) -> bool {
    let header = || serde_json::from_slice::<Header>(text).ok()?.format;
    is_fleet_plan_like(text) || header().as_deref() == Some(FLEET_FORMAT)
}

/// The JSON Schema of the format, as `schema/fleet-plan.schema.json` has it.
pub fn fleet_schema() -> Value {
    let mut schema = schemars::schema_for!(FleetDocument<Document>);
    RecursiveTransform(require_every_field).transform(&mut schema);
    schema.to_value()
}
