//! Journals of format version 1, which supports only users. They are converted to version 2.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::document::{
    EndDocument, FoundDocument, GuardDocument, HeaderDocument, Line, ProvenanceDocument,
    SourceDocument,
};
use super::outcome::Outcome;
use crate::iam::{
    AccountId, Digest, Partition, PolicyArn, PrincipalKind, PrincipalName, Printable, Timestamp,
    present,
};
use crate::inventory::{ApiError, StopReason};

/// The first line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderVersion1 {
    format: String,
    format_version: u32,
    version: Printable,
    began: Timestamp,
    account: AccountId,
    partition: Partition,
    caller: Printable,
    plan: Digest,
    file: Printable,
    boundaries: BTreeMap<String, PolicyArn>,
    guard: GuardDocument,
    changes: usize,
}

/// A line after the first.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum LineVersion1 {
    Intent {
        user: PrincipalName,
        action: String,
        #[serde(deserialize_with = "present")]
        from: Option<PolicyArn>,
        #[serde(deserialize_with = "present")]
        to: Option<PolicyArn>,
        line: usize,
    },
    Outcome {
        user: PrincipalName,
        outcome: Outcome,
        attempts: u32,
        #[serde(deserialize_with = "present")]
        request_id: Option<Printable>,
        #[serde(deserialize_with = "present")]
        may_be_done: Option<bool>,
        #[serde(deserialize_with = "present")]
        error: Option<ApiError>,
    },
    Correction {
        user: PrincipalName,
        outcome: Outcome,
        found: FoundVersion1,
    },
    End(EndVersion1),
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FoundVersion1 {
    Boundary {
        #[serde(deserialize_with = "present")]
        arn: Option<PolicyArn>,
    },
    NoSuchUser,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndVersion1 {
    applied: usize,
    not_as_written: usize,
    failed: usize,
    not_attempted: usize,
    not_read_back: usize,
    #[serde(deserialize_with = "present")]
    stopped_by: Option<StopReason>,
}

impl HeaderVersion1 {
    pub(super) fn into_present(self) -> HeaderDocument {
        HeaderDocument {
            format: self.format,
            format_version: self.format_version,
            version: self.version,
            began: self.began,
            account: self.account,
            partition: self.partition,
            caller: self.caller,
            plan: self.plan,
            // A journal of version 1 does not say whether the file was a journal to roll back.
            source: SourceDocument::Files { files: vec![self.file] },
            boundaries: self.boundaries,
            guard: self.guard,
            assume_role: None,
            changes: self.changes,
        }
    }
}

impl LineVersion1 {
    pub(super) fn into_present(self, file: &Printable) -> Line {
        let kind = PrincipalKind::User;
        match self {
            LineVersion1::Intent { user: name, action, from, to, line } => {
                let file = file.clone();
                let provenance = ProvenanceDocument::Entry { file, line, column: None };
                Line::Intent {
                    kind,
                    name,
                    unique_id: None,
                    action,
                    from,
                    to,
                    provenance,
                    reason: None,
                }
            }
            LineVersion1::Outcome {
                user: name,
                outcome,
                attempts,
                request_id,
                may_be_done,
                error,
            } => Line::Outcome { kind, name, outcome, attempts, request_id, may_be_done, error },
            LineVersion1::Correction { user: name, outcome, found } => {
                let found = match found {
                    FoundVersion1::Boundary { arn } => FoundDocument::Boundary { arn },
                    FoundVersion1::NoSuchUser => FoundDocument::NotFound,
                };
                Line::Correction { kind, name, outcome, found }
            }
            LineVersion1::End(end) => Line::End(EndDocument {
                applied: end.applied,
                not_as_written: end.not_as_written,
                failed: end.failed,
                not_attempted: end.not_attempted,
                not_verified: end.not_read_back,
                stopped_by: end.stopped_by,
                lines: None,
            }),
        }
    }
}
