//! The lines of a journal as they are written, version 2.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::format::{FORMAT, FORMAT_VERSION};
use super::outcome::Outcome;
use super::record::{Correction, End, Found, Header, Intent, RunSource};
use crate::config::{Guard, Provenance, ProvenanceKind, WideningGuard};
use crate::iam::{
    AccountId, AssumeRole, Days, Digest, NamePattern, Partition, PolicyArn, Principal,
    PrincipalKind, PrincipalName, Printable, Threshold, Timestamp, UniqueId, not_empty, not_null,
    present,
};
use crate::inventory::{ApiError, CallOutcome, StopReason};

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderDocument {
    pub(super) format: String,
    pub(super) format_version: u32,
    pub(super) version: Printable,
    pub(super) began: Timestamp,
    pub(super) account: AccountId,
    pub(super) partition: Partition,
    pub(super) caller: Printable,
    pub(super) plan: Digest,
    pub(super) source: SourceDocument,
    pub(super) boundaries: BTreeMap<String, PolicyArn>,
    pub(super) guard: GuardDocument,
    /// Missing if the files name no role.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub(super) assume_role: Option<AssumeRole>,
    pub(super) changes: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum SourceDocument {
    Files { files: Vec<Printable> },
    Rollback { journal: Printable },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardDocument {
    #[serde(deserialize_with = "present")]
    max_changes: Option<Threshold>,
    #[serde(deserialize_with = "present")]
    max_removals: Option<Threshold>,
    protected: Vec<NamePattern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    protected_roles: Vec<NamePattern>,
    allow_own_boundary: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    widening: Option<WideningGuard>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    taking_used: Option<Days>,
}

/// A line after the first.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    Intent {
        kind: PrincipalKind,
        name: PrincipalName,
        #[serde(deserialize_with = "present")]
        unique_id: Option<UniqueId>,
        action: String,
        #[serde(deserialize_with = "present")]
        from: Option<PolicyArn>,
        #[serde(deserialize_with = "present")]
        to: Option<PolicyArn>,
        provenance: ProvenanceDocument,
        /// Missing if the entry has no reason.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
        reason: Option<Printable>,
    },
    Outcome {
        kind: PrincipalKind,
        name: PrincipalName,
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
        kind: PrincipalKind,
        name: PrincipalName,
        outcome: Outcome,
        found: FoundDocument,
    },
    End(EndDocument),
}

/// What decided a change.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ProvenanceDocument {
    Entry {
        file: Printable,
        line: usize,
        #[serde(deserialize_with = "present")]
        column: Option<usize>,
    },
    Rule {
        file: Printable,
        line: usize,
        #[serde(deserialize_with = "present")]
        column: Option<usize>,
    },
    Journal {
        file: Printable,
        line: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FoundDocument {
    Boundary {
        #[serde(deserialize_with = "present")]
        arn: Option<PolicyArn>,
    },
    Recreated {
        unique_id: UniqueId,
        #[serde(deserialize_with = "present")]
        arn: Option<PolicyArn>,
    },
    NotFound,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndDocument {
    pub(super) applied: usize,
    pub(super) not_as_written: usize,
    pub(super) failed: usize,
    pub(super) not_attempted: usize,
    pub(super) not_verified: usize,
    #[serde(deserialize_with = "present")]
    pub(super) stopped_by: Option<StopReason>,
    /// The digest of all lines before this one; `None` in a journal of version 1.
    #[serde(deserialize_with = "present")]
    pub(super) lines: Option<Digest>,
}

impl HeaderDocument {
    pub(super) fn of(header: &Header) -> Self {
        let Header {
            version, began, account, partition, caller, plan, boundaries, changes, ..
        } = header.clone();
        let source = match &header.source {
            RunSource::Files(files) => SourceDocument::Files { files: files.clone() },
            RunSource::Rollback(journal) => SourceDocument::Rollback { journal: journal.clone() },
        };
        HeaderDocument {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            version,
            began,
            account,
            partition,
            caller,
            plan,
            source,
            boundaries,
            guard: GuardDocument::of(&header.guard),
            assume_role: header.assume_role.clone(),
            changes,
        }
    }

    pub(super) fn into_header(self) -> Header {
        let source = match self.source {
            SourceDocument::Files { files } => RunSource::Files(files),
            SourceDocument::Rollback { journal } => RunSource::Rollback(journal),
        };
        Header {
            version: self.version,
            began: self.began,
            account: self.account,
            partition: self.partition,
            caller: self.caller,
            plan: self.plan,
            source,
            boundaries: self.boundaries,
            guard: self.guard.into_guard(),
            assume_role: self.assume_role,
            changes: self.changes,
        }
    }
}

impl GuardDocument {
    fn of(guard: &Guard) -> Self {
        let Guard {
            max_changes,
            max_removals,
            protected,
            protected_roles,
            allow_own_boundary,
            widening,
            taking_used,
        } = guard.clone();
        GuardDocument {
            max_changes,
            max_removals,
            protected,
            protected_roles,
            allow_own_boundary,
            widening: (widening != WideningGuard::Allow).then_some(widening),
            taking_used,
        }
    }

    pub(super) fn into_guard(self) -> Guard {
        let GuardDocument {
            max_changes,
            max_removals,
            protected,
            protected_roles,
            allow_own_boundary,
            widening,
            taking_used,
        } = self;
        Guard {
            max_changes,
            max_removals,
            protected,
            protected_roles,
            allow_own_boundary,
            widening: widening.unwrap_or_default(),
            taking_used,
        }
    }
}

impl Line {
    pub(super) fn intent(intent: &Intent) -> Line {
        let Intent { principal, unique_id, boundary, provenance, reason } = intent;
        Line::Intent {
            kind: principal.kind,
            name: principal.name.clone(),
            unique_id: unique_id.clone(),
            action: boundary.word().to_owned(),
            from: boundary.from().cloned(),
            to: boundary.to().cloned(),
            provenance: ProvenanceDocument::of(provenance),
            reason: reason.clone(),
        }
    }

    pub(super) fn outcome(principal: &Principal, call: &CallOutcome) -> Line {
        let (attempts, request_id, may_be_done, error) = match call {
            CallOutcome::Applied { attempts, request_id } => (*attempts, request_id, None, None),
            CallOutcome::Failed { attempts, error, may_be_done } => {
                (*attempts, &error.request_id, Some(*may_be_done), Some(error.clone()))
            }
            CallOutcome::NotAttempted => (0, &None, None, None),
            CallOutcome::ThrottledUntilStop { attempts, error } => {
                (*attempts, &error.request_id, None, Some(error.clone()))
            }
        };
        Line::Outcome {
            kind: principal.kind,
            name: principal.name.clone(),
            outcome: Outcome::of(call),
            attempts,
            request_id: request_id.clone(),
            may_be_done,
            error,
        }
    }

    pub(super) fn correction(principal: &Principal, correction: &Correction) -> Line {
        let found = match &correction.found {
            Found::Boundary(arn) => FoundDocument::Boundary { arn: arn.clone() },
            Found::Recreated { unique_id, boundary } => {
                FoundDocument::Recreated { unique_id: unique_id.clone(), arn: boundary.clone() }
            }
            Found::NotFound => FoundDocument::NotFound,
        };
        Line::Correction {
            kind: principal.kind,
            name: principal.name.clone(),
            outcome: correction.outcome,
            found,
        }
    }

    /// The last line. `lines` is the digest of all lines before it.
    pub(super) fn end(end: &End, lines: Digest) -> Line {
        let End { applied, not_as_written, failed, not_attempted, not_verified, stopped_by } = *end;
        Line::End(EndDocument {
            applied,
            not_as_written,
            failed,
            not_attempted,
            not_verified,
            stopped_by,
            lines: Some(lines),
        })
    }
}

impl ProvenanceDocument {
    fn of(provenance: &Provenance) -> Self {
        let Provenance { kind, file, line, column } = provenance;
        let (file, line) = (file.clone(), *line);
        match kind {
            ProvenanceKind::Entry => ProvenanceDocument::Entry { file, line, column: *column },
            ProvenanceKind::Rule => ProvenanceDocument::Rule { file, line, column: *column },
            ProvenanceKind::Journal => ProvenanceDocument::Journal { file, line },
        }
    }

    pub(super) fn into_provenance(self) -> Provenance {
        match self {
            ProvenanceDocument::Entry { file, line, column } => {
                Provenance { kind: ProvenanceKind::Entry, file, line, column }
            }
            ProvenanceDocument::Rule { file, line, column } => {
                Provenance { kind: ProvenanceKind::Rule, file, line, column }
            }
            ProvenanceDocument::Journal { file, line } => Provenance::journal(&file, line),
        }
    }
}

impl EndDocument {
    pub(super) fn into_end(self) -> End {
        End {
            applied: self.applied,
            not_as_written: self.not_as_written,
            failed: self.failed,
            not_attempted: self.not_attempted,
            not_verified: self.not_verified,
            stopped_by: self.stopped_by,
        }
    }
}

/// A line as it is in the file.
pub(super) fn written(line: &impl Serialize) -> String {
    let mut text = serde_json::to_string(line).expect("strings and numbers serialize to JSON");
    text.push('\n');
    text
}
