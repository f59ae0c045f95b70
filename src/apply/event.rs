use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aws::{ApiError, CallOutcome, Calls, Reading, Retry, StopReason};
use crate::iam::PrincipalName;
use crate::journal::JournalError;
use crate::plan::Change;

/// What happens while a plan is carried out, in the order in which it happens.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run begins; there are this many changes to make.
    Started {
        /// The changes of the plan.
        changes: usize,
    },
    /// An attempt failed, and will be repeated.
    Retrying {
        /// Whose boundary it is.
        user: PrincipalName,
        /// The attempt, its error, and the pace that IAM was found to bear.
        retry: Retry,
    },
    /// The last attempt of an item was answered, or got no answer. It is not the item's end: reading
    /// back may show something else. Items for which nothing was sent have no such event.
    Answered {
        /// The change of the plan.
        change: Change,
        /// What became of it by IAM's answers.
        answer: CallOutcome,
    },
    /// Everything is written, and users are read back: all for whom IAM may have done something, and
    /// then, again and again, those who are not yet as they were to be.
    ReadingBack {
        /// The users who are read now.
        users: usize,
    },
    /// An item came to its end. Each change of the plan has exactly one such event.
    Ended(Item),
    /// The run stops early, because of an error that concerns every item.
    StoppedBy(StopError),
    /// The run is over: nothing comes after this.
    Finished(Summary),
}

/// An error that concerns every item.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StopError {
    /// No other call can fare better.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// What is done could not be written down.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A change, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The change of the plan.
    pub change: Change,
    /// What became of it by IAM's answers.
    pub answer: CallOutcome,
    /// What reading back showed.
    pub read_back: ReadBack,
}

/// What reading a user back showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadBack {
    /// There was nothing to look for: nothing was sent, or IAM refused it.
    NotNeeded,
    /// The user is as the change was to make it.
    AsWritten,
    /// The user is not, after all waiting. What is there can be read: it is never
    /// [`Reading::Unreadable`].
    Otherwise(Reading),
    /// The run was stopped before the user was seen to be as written, or the time for it was over.
    Stopped {
        /// What the last reading showed instead, if there was one. It may have been a stale one.
        last: Option<Reading>,
    },
    /// The user could not be read.
    Failed(ApiError),
}

/// The classes of the closing account. Each change is in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// IAM said that it is done, or was seen to have done it.
    Applied,
    /// IAM said that it is done, and reads otherwise.
    NotAsWritten,
    /// IAM refused it, or no answer came and it was not seen to be done.
    Failed,
    /// Nothing was sent for it.
    NotAttempted,
}

impl Outcome {
    /// What IAM's answer alone says.
    pub fn of(answer: &CallOutcome) -> Outcome {
        match answer {
            CallOutcome::Applied { .. } => Outcome::Applied,
            CallOutcome::Failed { .. } => Outcome::Failed,
            CallOutcome::NotAttempted => Outcome::NotAttempted,
        }
    }
}

impl Item {
    /// What became of the change at last. What was not read back is what IAM's answer says.
    pub fn class(&self) -> Outcome {
        match (&self.answer, &self.read_back) {
            (CallOutcome::NotAttempted, _) => Outcome::NotAttempted,
            (_, ReadBack::AsWritten) => Outcome::Applied,
            (CallOutcome::Applied { .. }, ReadBack::Otherwise(_)) => Outcome::NotAsWritten,
            (answer, _) => Outcome::of(answer),
        }
    }

    /// Whether IAM may have done something that nobody saw.
    pub fn is_unseen(&self) -> bool {
        matches!(self.read_back, ReadBack::Stopped { .. } | ReadBack::Failed(_))
    }
}

/// The closing account of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Changes of [`Outcome::Applied`].
    pub applied: usize,
    /// Changes of [`Outcome::NotAsWritten`].
    pub not_as_written: usize,
    /// Changes of [`Outcome::Failed`].
    pub failed: usize,
    /// Changes of [`Outcome::NotAttempted`].
    pub not_attempted: usize,
    /// Those of the applied and the failed that were to be read back and were not: nobody saw whether
    /// the account is as IAM's answers say.
    pub not_read_back: usize,
    /// Why, if reading failed; the first error, if there were several.
    pub read_error: Option<ApiError>,
    /// Calls that were made to write, every attempt counted.
    pub calls: Calls,
    /// How long the writing took.
    pub elapsed: Duration,
    /// Why the run was stopped early, if it was.
    pub stopped: Option<StopReason>,
}

impl Summary {
    /// Counts one more item that has ended.
    pub fn count(&mut self, item: &Item) {
        match item.class() {
            Outcome::Applied => self.applied += 1,
            Outcome::NotAsWritten => self.not_as_written += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::NotAttempted => self.not_attempted += 1,
        }
        self.not_read_back += usize::from(item.is_unseen());
        if let ReadBack::Failed(error) = &item.read_back {
            self.read_error.get_or_insert_with(|| error.clone());
        }
    }

    /// Whether every change was applied, and seen to be.
    pub fn is_complete(&self) -> bool {
        let Summary { not_as_written, failed, not_attempted, not_read_back, .. } = self;
        [not_as_written, failed, not_attempted, not_read_back] == [&0; 4]
    }
}
