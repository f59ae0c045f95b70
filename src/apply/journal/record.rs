use super::line::{End, Header};
use crate::live::{ErrorClass, Outcome};
use crate::plan::Change;
use crate::values::{Digest, UserName};

/// What a journal says of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
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
    /// What became of it; none if that was not written down: then IAM may have done it or not.
    pub outcome: Option<Outcome>,
}

impl Record {
    /// The users whose changes were begun, and nothing is known of how they ended.
    pub fn left_open(&self) -> impl Iterator<Item = &UserName> {
        let open = self.entries.iter().filter(|entry| entry.outcome.is_none());
        open.map(|entry| &entry.change.user)
    }

    /// How many changes were recorded as applied.
    pub fn applied(&self) -> usize {
        let is_applied = |entry: &&Entry| matches!(entry.outcome, Some(Outcome::Applied { .. }));
        self.entries.iter().filter(is_applied).count()
    }

    /// How many changes were recorded as failed.
    pub fn failed(&self) -> usize {
        let is_failed = |entry: &&Entry| matches!(entry.outcome, Some(Outcome::Failed { .. }));
        self.entries.iter().filter(is_failed).count()
    }
}

impl Entry {
    /// Whether IAM may have done the change: unless nothing was sent for it, or its only attempt was
    /// refused by an answer that says so.
    ///
    /// The error of an outcome is that of the last attempt, and one before it may have gone through
    /// unseen: only errors that may pass are followed by another attempt.
    pub fn may_be_done(&self) -> bool {
        match &self.outcome {
            None | Some(Outcome::Applied { .. }) => true,
            Some(Outcome::NotAttempted) => false,
            Some(Outcome::Failed { attempts, error }) => match error.class {
                ErrorClass::Throttled | ErrorClass::Transient => true,
                ErrorClass::Credentials
                | ErrorClass::Denied
                | ErrorClass::NotFound
                | ErrorClass::Rejected => *attempts > 1,
            },
        }
    }
}
