use std::collections::BTreeMap;

use super::outcome::Outcome;
use crate::config::{Guard, Provenance};
use crate::iam::{
    AccountId, AssumeRole, BoundaryChange, Digest, Partition, PolicyArn, Principal, Printable,
    Timestamp, UniqueId,
};
use crate::inventory::{CallOutcome, Reading, StopReason};

/// The content of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// What was known before the first change: the first line.
    pub header: Header,
    /// The changes with an intent, in the order of the intents; no principal has two.
    pub entries: Vec<Entry>,
    /// How the run ended; `None` if the run was killed, is still in progress, or could no longer write its
    /// journal.
    pub end: Option<End>,
    /// The digest of the journal's bytes.
    pub digest: Digest,
}

/// What was known of a run before its first change: the first line of its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The version of the tool.
    pub version: Printable,
    /// When the run began to make changes.
    pub began: Timestamp,
    /// The account.
    pub account: AccountId,
    /// The partition of the account.
    pub partition: Partition,
    /// The ARN of the caller identity.
    pub caller: Printable,
    /// The digest of the plan as it was reviewed.
    pub plan: Digest,
    /// What the plan was made from.
    pub source: RunSource,
    /// The short names of the boundaries in the changes.
    pub boundaries: BTreeMap<String, PolicyArn>,
    /// The guard rails of the plan.
    pub guard: Guard,
    /// The role in the account that the files name; `None` without one, and in a fleet.
    pub assume_role: Option<AssumeRole>,
    /// The number of changes to make.
    pub changes: usize,
}

/// What the plan of a run was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunSource {
    /// Boundaries files, by their paths.
    Files(Vec<Printable>),
    /// The journal of a run to roll back, by its path.
    Rollback(Printable),
}

/// A change that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The principal.
    pub principal: Principal,
    /// The unique ID that the plan was made for; `None` where the plan or the journal does not record it.
    pub unique_id: Option<UniqueId>,
    /// The change of its boundary.
    pub boundary: BoundaryChange,
    /// What decided the change.
    pub provenance: Provenance,
    /// Why the file asked for it; `None` if the file did not say it.
    pub reason: Option<Printable>,
}

/// A change with an intent, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The change.
    pub intent: Intent,
    /// The line of the intent in the journal, from 1.
    pub line: usize,
    /// How it ended by IAM's response; `None` if that was not recorded: IAM may have made the change.
    pub outcome: Option<CallOutcome>,
    /// What verification showed, if it says more than IAM's response.
    pub correction: Option<Correction>,
}

/// What verification showed, where it contradicts IAM's response, or where it shows that a change with an unknown
/// outcome was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The outcome by verification.
    pub outcome: Outcome,
    /// What was read of the principal.
    pub found: Found,
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The principal has this boundary; `None` for no boundary.
    Boundary(Option<PolicyArn>),
    /// The principal was deleted and created again during the run.
    Recreated {
        /// The unique ID of the new principal.
        unique_id: UniqueId,
        /// Its boundary; `None` for no boundary.
        boundary: Option<PolicyArn>,
    },
    /// IAM has no such principal.
    NotFound,
}

/// How a run ended: the last line of its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Changes with [`Outcome::Applied`].
    pub applied: usize,
    /// Changes with [`Outcome::NotAsWritten`].
    pub not_as_written: usize,
    /// Changes with [`Outcome::Failed`].
    pub failed: usize,
    /// Changes with [`Outcome::NotAttempted`], with an intent or without.
    pub not_attempted: usize,
    /// Applied and failed changes that could not be verified.
    pub not_verified: usize,
    /// Why the run was stopped early, if it was.
    pub stopped_by: Option<StopReason>,
}

impl RunRecord {
    /// The principals whose changes have an intent and no outcome: IAM may have made them.
    pub fn unfinished(&self) -> impl Iterator<Item = &Principal> {
        let unfinished = self.entries.iter().filter(|entry| entry.outcome.is_none());
        unfinished.map(|entry| &entry.intent.principal)
    }

    /// The number of changes with an intent and this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.entries.iter().filter(|entry| entry.outcome() == Some(outcome)).count()
    }
}

impl Entry {
    /// How the change ended, as far as it is recorded.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.correction {
            Some(correction) => Some(correction.outcome),
            None => self.outcome.as_ref().map(Outcome::of),
        }
    }

    /// What verification found instead of the change, if IAM's response did not say whether it was made. Whoever gives
    /// the principal the new boundary afterwards, it is not this run.
    pub fn verified_as_not_made(&self) -> Option<&Found> {
        let correction = self.correction.as_ref()?;
        (correction.outcome == Outcome::Failed).then_some(&correction.found)
    }

    /// Whether the journal shows that the run made the change: IAM reported success, or verification found the change.
    /// Otherwise, another run or somebody else may have given the principal the new boundary.
    pub fn is_confirmed(&self) -> bool {
        self.outcome() == Some(Outcome::Applied)
    }

    /// Whether IAM may have made the change, by its response. False if no request was sent, or IAM rejected or throttled
    /// it.
    pub fn may_be_done(&self) -> bool {
        match &self.outcome {
            None | Some(CallOutcome::Applied { .. }) => true,
            Some(CallOutcome::Failed { may_be_done, .. }) => *may_be_done,
            Some(CallOutcome::NotAttempted | CallOutcome::ThrottledUntilStop { .. }) => false,
        }
    }
}

impl Intent {
    /// Whether `unique_id` differs from that of the intent. False if the intent has none.
    pub fn is_of_another(&self, unique_id: &UniqueId) -> bool {
        self.unique_id.as_ref().is_some_and(|intended| intended != unique_id)
    }
}

impl Correction {
    /// The correction where verification showed this boundary; `None` if it agrees with IAM's response.
    pub fn to_boundary(
        call: &CallOutcome,
        outcome: Outcome,
        boundary: Option<PolicyArn>,
    ) -> Option<Correction> {
        let found = Found::Boundary(boundary);
        (outcome != Outcome::of(call)).then_some(Correction { outcome, found })
    }

    /// The correction where verification read `reading` for the change with this intent; `None` if IAM's response
    /// already said the same, or the principal could not be read.
    pub fn between(
        intent: &Intent,
        call: &CallOutcome,
        outcome: Outcome,
        reading: &Reading,
    ) -> Option<Correction> {
        let found = match reading {
            Reading::Found { unique_id, boundary }
            | Reading::Unmodifiable { unique_id, boundary, .. }
                if intent.is_of_another(unique_id) =>
            {
                Found::Recreated { unique_id: unique_id.clone(), boundary: boundary.clone() }
            }
            Reading::Found { boundary, .. } | Reading::Unmodifiable { boundary, .. } => {
                Found::Boundary(boundary.clone())
            }
            Reading::NotFound { .. } => Found::NotFound,
            Reading::Unreadable(_) => return None,
        };
        let was_unknown = matches!(call, CallOutcome::Failed { may_be_done: true, .. });
        (was_unknown || outcome != Outcome::of(call)).then_some(Correction { outcome, found })
    }
}
