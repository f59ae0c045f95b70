use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FORMAT, FORMAT_VERSION};
use crate::apply::{Item, Outcome, ReadBack, Summary};
use crate::aws::{ApiError, CallOutcome, CallerIdentity, Reading, StopReason, printable};
use crate::iam::{AccountId, Digest, Partition, PolicyArn, PrincipalName, Timestamp, present};
use crate::plan::saved::GuardDocument;
use crate::plan::{Change, Guard, Plan};

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
        user: PrincipalName,
        action: String,
        #[serde(deserialize_with = "present")]
        from: Option<PolicyArn>,
        #[serde(deserialize_with = "present")]
        to: Option<PolicyArn>,
        line: usize,
    },
    /// What became of it. No call for it comes after this.
    Outcome {
        user: PrincipalName,
        outcome: Outcome,
        attempts: u32,
        #[serde(deserialize_with = "present")]
        request_id: Option<String>,
        #[serde(deserialize_with = "present")]
        may_be_done: Option<bool>,
        #[serde(deserialize_with = "present")]
        error: Option<ApiError>,
    },
    /// Reading back showed that the change ended otherwise than IAM's answer said.
    Correction { user: PrincipalName, outcome: Outcome, found: Found },
    /// The run is over: nothing comes after this.
    End(End),
}

/// What reading back showed of a user.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Found {
    Boundary {
        #[serde(deserialize_with = "present")]
        arn: Option<PolicyArn>,
    },
    NoSuchUser,
}

/// How a run ended: its last line. The counts are those of its closing account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Changes that are done.
    pub applied: usize,
    /// Changes that IAM said are done, and that read otherwise.
    pub not_as_written: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes for which nothing was sent, begun or not.
    pub not_attempted: usize,
    /// Those of the applied and the failed that were to be read back and were not.
    pub not_read_back: usize,
    /// Why the run was stopped early, if it was.
    #[serde(deserialize_with = "present")]
    pub stopped_by: Option<StopReason>,
}

impl End {
    /// Of a run with this closing account.
    pub fn of(summary: &Summary) -> End {
        let Summary { applied, not_as_written, failed, not_attempted, not_read_back, .. } =
            *summary;
        let stopped_by = summary.stopped;
        End { applied, not_as_written, failed, not_attempted, not_read_back, stopped_by }
    }
}

impl Header {
    /// Of a run that carries out `plan`, which as it was reviewed has the digest `reviewed`.
    pub fn of(plan: &Plan, reviewed: Digest, caller: &CallerIdentity, began: Timestamp) -> Header {
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

    pub(super) fn outcome(user: &PrincipalName, answer: &CallOutcome) -> Line {
        let (attempts, request_id, may_be_done, error) = match answer {
            CallOutcome::Applied { attempts, request_id } => (*attempts, request_id, None, None),
            CallOutcome::Failed { attempts, error, may_be_done } => {
                (*attempts, &error.request_id, Some(*may_be_done), Some(error.clone()))
            }
            CallOutcome::NotAttempted => (0, &None, None, None),
        };
        Line::Outcome {
            user: user.clone(),
            outcome: Outcome::of(answer),
            attempts,
            request_id: request_id.as_deref().map(printable),
            may_be_done,
            error,
        }
    }

    /// None where reading back said the same as IAM's answer.
    pub(super) fn correction(item: &Item) -> Option<Line> {
        let outcome = item.class();
        if outcome == Outcome::of(&item.answer) {
            return None;
        }
        let found = match &item.read_back {
            ReadBack::AsWritten => Found::Boundary { arn: item.change.action.to().cloned() },
            ReadBack::Otherwise(Reading::Boundary(arn)) => Found::Boundary { arn: arn.clone() },
            ReadBack::Otherwise(Reading::NoSuchUser { .. }) => Found::NoSuchUser,
            // Nothing was seen that could say otherwise.
            ReadBack::Otherwise(Reading::Unreadable(_))
            | ReadBack::NotNeeded
            | ReadBack::Stopped { .. }
            | ReadBack::Failed(_) => return None,
        };
        Some(Line::Correction { user: item.change.user.clone(), outcome, found })
    }
}

/// A line as it stands in the file.
pub(super) fn written(line: &impl Serialize) -> String {
    let mut text = serde_json::to_string(line).expect("strings and numbers are JSON");
    text.push('\n');
    text
}
