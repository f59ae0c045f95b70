use super::line::{End, Header};
use crate::apply::Outcome;
use crate::aws::{CallOutcome, Reading};
use crate::iam::{Digest, PrincipalName};
use crate::plan::Change;

/// What a journal says of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// What was known before the first change.
    pub header: Header,
    /// The changes that were begun, in the order of their intents; no user has two.
    pub entries: Vec<Entry>,
    /// How the run ended; none if it was killed, or its journal could not be written any more.
    pub end: Option<End>,
    /// The digest of the journal's bytes.
    pub digest: Digest,
}

/// A change that was begun, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The change. Where it comes from is what the account had, and its line is that of the file that the
    /// run's plan was made from.
    pub change: Change,
    /// The line of its intent in the journal, from 1.
    pub at: usize,
    /// What became of it by IAM's answers; none if that was not written down: then IAM may have done it or
    /// not.
    pub outcome: Option<CallOutcome>,
    /// What reading back showed instead, if it did.
    pub correction: Option<Correction>,
}

/// What reading back showed, where it is something else than IAM's answer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// What became of the change.
    pub class: Outcome,
    /// What was found of the user.
    pub found: Reading,
}

impl RunRecord {
    /// The users whose changes were begun, and nothing is known of how they ended.
    pub fn left_open(&self) -> impl Iterator<Item = &PrincipalName> {
        let open = self.entries.iter().filter(|entry| entry.outcome.is_none());
        open.map(|entry| &entry.change.user)
    }

    /// How many changes that were begun are known to have ended in `class`.
    pub fn count(&self, class: Outcome) -> usize {
        self.entries.iter().filter(|entry| entry.class() == Some(class)).count()
    }
}

impl Entry {
    /// What became of the change, as far as is known.
    pub fn class(&self) -> Option<Outcome> {
        match &self.correction {
            Some(correction) => Some(correction.class),
            None => self.outcome.as_ref().map(Outcome::of),
        }
    }

    /// Whether IAM may have done the change: unless nothing was sent for it, or IAM refused it.
    pub fn may_be_done(&self) -> bool {
        match &self.outcome {
            None | Some(CallOutcome::Applied { .. }) => true,
            Some(CallOutcome::Failed { may_be_done, .. }) => *may_be_done,
            Some(CallOutcome::NotAttempted) => false,
        }
    }
}
