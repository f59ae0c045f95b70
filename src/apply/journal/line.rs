use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FORMAT, FORMAT_VERSION};
use crate::live::{CallError, Identity, Outcome, StopReason, printable};
use crate::plan::saved::GuardDocument;
use crate::plan::{Change, Guard, Plan};
use crate::values::{AccountId, Digest, Partition, PolicyArn, Timestamp, UserName, present};

/// What a journal says of its run before the first change: its first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub(super) format: String,
    pub(super) format_version: u32,
    /// The version of the tool that made the run.
    pub version: String,
    /// When the run began to write.
    pub began: Timestamp,
    /// The account that it changed.
    pub account: AccountId,
    /// The account's partition.
    pub partition: Partition,
    /// The ARN of the user or role that changed it.
    pub caller: String,
    /// The digest of the plan that was carried out, as it was reviewed.
    pub plan: Digest,
    /// The file that the plan was made from, as its path was given.
    pub file: String,
    /// The file's short names of the boundaries in the changes.
    pub boundaries: BTreeMap<String, PolicyArn>,
    pub(super) guard: GuardDocument,
    /// How many changes there were to make.
    pub changes: usize,
}

/// A line after the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    /// A change that is about to be made: the first call for it comes after this.
    Intent {
        user: UserName,
        action: String,
        #[serde(deserialize_with = "present")]
        from: Option<PolicyArn>,
        #[serde(deserialize_with = "present")]
        to: Option<PolicyArn>,
        line: usize,
    },
    /// What became of it. No call for it comes after this.
    Outcome {
        user: UserName,
        outcome: Word,
        attempts: u32,
        #[serde(deserialize_with = "present")]
        request_id: Option<String>,
        #[serde(deserialize_with = "present")]
        error: Option<CallError>,
    },
    /// The run is over: nothing comes after this.
    End(End),
}

/// An outcome in one word, as apply's JSON has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    Applied,
    Failed,
    NotAttempted,
}

/// How a run ended: its last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Changes that IAM says are done.
    pub applied: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes for which nothing was sent, begun or not.
    pub not_attempted: usize,
    /// Why the run was stopped early, if it was.
    #[serde(deserialize_with = "present")]
    pub stopped_by: Option<StopReason>,
}

impl Header {
    /// Of a run that carries out `plan`, which as it was reviewed has the digest `reviewed`.
    pub fn of(plan: &Plan, reviewed: Digest, caller: &Identity, began: Timestamp) -> Header {
        let boundaries = plan.names.iter().map(|(arn, name)| (name.clone(), arn.clone()));
        Header {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            began,
            account: caller.account,
            partition: caller.partition,
            caller: printable(&caller.arn),
            plan: reviewed,
            file: printable(&plan.file),
            boundaries: boundaries.collect(),
            guard: GuardDocument::of(&plan.guard),
            changes: plan.changes.len(),
        }
    }

    /// The guard rails of the plan that was carried out.
    pub fn guard(&self) -> Guard {
        self.guard.clone().into_guard()
    }
}

impl Line {
    pub(super) fn intent(change: &Change) -> Line {
        Line::Intent {
            user: change.user.clone(),
            action: change.action.word().to_owned(),
            from: change.action.from().cloned(),
            to: change.action.to().cloned(),
            line: change.line,
        }
    }

    pub(super) fn outcome(user: &UserName, outcome: &Outcome) -> Line {
        let (word, attempts, request_id, error) = match outcome {
            Outcome::Applied { attempts, request_id } => {
                (Word::Applied, *attempts, request_id.as_deref(), None)
            }
            Outcome::Failed { attempts, error } => {
                (Word::Failed, *attempts, error.request_id.as_deref(), Some(error.clone()))
            }
            Outcome::NotAttempted => (Word::NotAttempted, 0, None, None),
        };
        let request_id = request_id.map(printable);
        Line::Outcome { user: user.clone(), outcome: word, attempts, request_id, error }
    }
}

/// A line as it stands in the file.
pub(super) fn written(line: &impl Serialize) -> String {
    let mut text = serde_json::to_string(line).expect("strings and numbers are JSON");
    text.push('\n');
    text
}
