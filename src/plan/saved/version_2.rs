//! Plans of format version 2, which supports only users. They are converted to version 3 and then checked.

use serde::{Deserialize, Serialize};

use super::coverage::CoverageDocument;
use super::document::{
    ActionDocument, BaseDocument, BoundaryDocument, ChangeDocument, Document, FileDocument,
    ProblemDocument, SourceDocument, SummaryDocument,
};
use super::format::{FORMAT_VERSION, content_digest};
use super::guard::GuardDocument;
use super::principal::PrincipalDocument;
use super::problem::ProblemKindDocument;
use super::provenance::ProvenanceDocument;
use crate::iam::{AccountId, Digest, PolicyArn, PrincipalKind, PrincipalName, Printable, present};
use crate::plan::change::Origin;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentVersion2 {
    format: String,
    format_version: u32,
    pub(super) digest: Digest,
    account: AccountId,
    file: Printable,
    file_digest: Digest,
    #[serde(deserialize_with = "present")]
    base: Option<BaseVersion2>,
    summary: SummaryDocument,
    boundaries: Vec<BoundaryDocument>,
    guard: GuardDocument,
    #[serde(deserialize_with = "present")]
    account_users: Option<usize>,
    #[serde(deserialize_with = "present")]
    rolls_back: Option<Digest>,
    changes: Vec<ChangeVersion2>,
    problems: Vec<ProblemVersion2>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BaseVersion2 {
    digest: Digest,
    this_change: usize,
    drift: usize,
    no_longer_listed: Vec<PrincipalName>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeVersion2 {
    user: PrincipalName,
    action: ActionDocument,
    #[serde(deserialize_with = "present")]
    from: Option<PolicyArn>,
    #[serde(deserialize_with = "present")]
    to: Option<PolicyArn>,
    line: usize,
    #[serde(deserialize_with = "present")]
    origin: Option<Origin>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProblemVersion2 {
    user: PrincipalName,
    line: usize,
    #[serde(deserialize_with = "present")]
    column: Option<usize>,
    problem: serde_json::Value,
}

impl DocumentVersion2 {
    /// The digest of everything except the digest.
    pub(super) fn content_digest(&self) -> Digest {
        content_digest(self)
    }

    /// The same plan in the present version of the format, with the digest of that.
    pub(super) fn into_present(self) -> Result<Document, String> {
        let is_rollback = self.rolls_back.is_some();
        let provenance = |file: &Printable, line, column| {
            let file = file.clone();
            match is_rollback {
                true => ProvenanceDocument::Journal { file, line },
                false => ProvenanceDocument::Entry { file, line, column },
            }
        };
        let changes = self.changes.into_iter().map(|change| ChangeDocument {
            account: None,
            kind: PrincipalKind::User,
            name: change.user,
            unique_id: None,
            action: change.action,
            from: change.from,
            to: change.to,
            provenance: provenance(&self.file, change.line, None),
            reason: None,
            expired: None,
            origin: change.origin,
            widening: None,
        });
        let problems = self.problems.into_iter().map(|problem| {
            Ok(ProblemDocument {
                account: None,
                kind: PrincipalKind::User,
                name: problem.user,
                provenance: provenance(&self.file, problem.line, problem.column),
                problem: serde_json::from_value::<ProblemKindDocument>(problem.problem)
                    .map_err(|error| crate::iam::serde_message(&error))?,
                severity: None,
            })
        });
        let (changes, problems) =
            (changes.collect(), problems.collect::<Result<Vec<_>, String>>()?);
        let file = FileDocument { path: self.file, digest: self.file_digest };
        let source = match (self.rolls_back, self.base) {
            (Some(_), Some(_)) => return Err("a plan that rolls back a run has no base".to_owned()),
            (Some(plan), None) => {
                let unconfirmed = Vec::new();
                SourceDocument::Rollback { journal: file, plan, run_ended: None, unconfirmed }
            }
            (None, base) => SourceDocument::Files {
                files: vec![file],
                base: base.map(BaseVersion2::into_present),
            },
        };
        let mut document = Document {
            format: self.format,
            format_version: FORMAT_VERSION,
            digest: self.digest,
            account: self.account,
            account_alias: None,
            source,
            assume_role: None,
            summary: self.summary,
            boundaries: self.boundaries,
            guard: self.guard,
            account_users: self.account_users,
            account_roles: None,
            changes,
            problems,
            coverage: CoverageDocument::default(),
            documents: Vec::new(),
            drifted: Vec::new(),
            impact: None,
            blame: None,
        };
        document.digest = document.content_digest();
        Ok(document)
    }
}

impl BaseVersion2 {
    fn into_present(self) -> BaseDocument {
        let user = |name| PrincipalDocument { kind: PrincipalKind::User, name };
        BaseDocument {
            digest: self.digest,
            this_change: self.this_change,
            drift: self.drift,
            no_longer_listed: self.no_longer_listed.into_iter().map(user).collect(),
        }
    }
}
