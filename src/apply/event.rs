use std::time::Duration;

use crate::iam::{Principal, PrincipalCounts};
use crate::inventory::{ApiError, CallCount, CallOutcome, Reading, Retry, StopReason, Wait};
use crate::journal::{End, JournalError, Outcome};
use crate::plan::{Change, Preflight};

/// What happens while a plan is applied, in order.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run begins.
    Started {
        /// The numbers of principals to change.
        changes: PrincipalCounts,
    },
    /// An attempt failed and will be retried.
    Retrying {
        /// The principal.
        principal: Principal,
        /// The attempt, its error and the measured rate.
        retry: Retry,
    },
    /// The last attempt of a change ended. Verification may still show another outcome. A change that is not
    /// attempted has no such event.
    Answered {
        /// The change.
        change: Change,
        /// How the call ended.
        call: CallOutcome,
    },
    /// What the run has waited for longest; `None` when it no longer waits. It is sent again while the wait lasts.
    Waiting(Option<Wait>),
    /// All changes have ended, and principals are read: first all that IAM may have changed, then, repeatedly,
    /// those that do not have the new boundary yet.
    Verifying {
        /// The numbers of principals being read.
        principals: PrincipalCounts,
    },
    /// A change has its final outcome. Each change of the run has exactly one such event.
    Ended(Item),
    /// The run stops early because of an error that concerns every change.
    StoppedBy(StopError),
    /// The run is over. No event follows.
    Finished(Summary),
}

/// An error that concerns every change.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StopError {
    /// No other call can succeed.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A change and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The change.
    pub change: Change,
    /// How the call ended.
    pub call: CallOutcome,
    /// What verification showed.
    pub verification: Verification,
}

/// What reading a principal after the run had begun showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// No request was sent, or IAM rejected or throttled the change.
    NotNeeded,
    /// The change was not made, because a check during the run found its principal in conflict: what was found. It is
    /// never [`Reading::Unreadable`].
    Conflict(Reading),
    /// The principal has the new boundary.
    AsWritten,
    /// `GetUser` or `GetRole` returned the new boundary. After the whole verification time, the account pages still
    /// did not: what they have is the field.
    AsWrittenBySingleRead(Reading),
    /// The principal does not have the new boundary after the whole verification time. It is never
    /// [`Reading::Unreadable`].
    Otherwise(Reading),
    /// The run was stopped before the principal had the new boundary.
    Stopped {
        /// What the last reading showed, if there was one. It may be stale.
        last: Option<Reading>,
    },
    /// The principal could not be read.
    Failed(ApiError),
}

impl Item {
    /// The final outcome. A change that was not verified has the outcome of IAM's response.
    pub fn outcome(&self) -> Outcome {
        match (&self.call, &self.verification) {
            (CallOutcome::NotAttempted | CallOutcome::ThrottledUntilStop { .. }, _) => {
                Outcome::NotAttempted
            }
            (_, Verification::AsWritten | Verification::AsWrittenBySingleRead(_)) => {
                Outcome::Applied
            }
            (CallOutcome::Applied { .. }, Verification::Otherwise(_)) => Outcome::NotAsWritten,
            (call, _) => Outcome::of(call),
        }
    }

    /// What a check during the run found instead of what the plan expects: the change was not made for this reason.
    pub fn conflict(&self) -> Option<&Reading> {
        match &self.verification {
            Verification::Conflict(found) => Some(found),
            _ => None,
        }
    }

    /// Whether IAM may have made the change, and that was not verified.
    pub fn is_unverified(&self) -> bool {
        matches!(self.verification, Verification::Stopped { .. } | Verification::Failed(_))
    }
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Changes with [`Outcome::Applied`].
    pub applied: usize,
    /// Changes with [`Outcome::NotAsWritten`].
    pub not_as_written: usize,
    /// Changes with [`Outcome::Failed`].
    pub failed: usize,
    /// Changes with [`Outcome::NotAttempted`] that are not in conflict.
    pub not_attempted: usize,
    /// Changes that were not made because a check during the run found their principals in conflict. The conflicts that
    /// preflight found are not counted.
    pub conflicts: usize,
    /// Applied and failed changes that could not be verified.
    pub not_verified: usize,
    /// The first error of verification, if there was any.
    pub verification_error: Option<ApiError>,
    /// The calls made to write, including every retry.
    pub calls: CallCount,
    /// The duration of the writes, without verification.
    pub write_duration: Duration,
    /// Why the run was stopped early, if it was.
    pub stopped: Option<StopReason>,
}

impl Summary {
    /// Counts a change that has ended.
    pub fn count(&mut self, item: &Item) {
        match item.outcome() {
            Outcome::Applied => self.applied += 1,
            Outcome::NotAsWritten => self.not_as_written += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::NotAttempted if item.conflict().is_some() => self.conflicts += 1,
            Outcome::NotAttempted => self.not_attempted += 1,
        }
        self.not_verified += usize::from(item.is_unverified());
        if let Verification::Failed(error) = &item.verification {
            self.verification_error.get_or_insert_with(|| error.clone());
        }
    }

    /// The number of conflicts that preflight and the checks during the run found.
    pub fn all_conflicts(&self, preflight: &Preflight) -> usize {
        preflight.conflicts().count() + self.conflicts
    }

    /// Whether every change was applied and verified.
    pub fn is_complete(&self) -> bool {
        let Summary { not_as_written, failed, not_attempted, conflicts, not_verified, .. } = self;
        [not_as_written, failed, not_attempted, conflicts, not_verified] == [&0; 5]
    }

    /// The last line of the journal.
    pub fn end(&self) -> End {
        End {
            applied: self.applied,
            not_as_written: self.not_as_written,
            failed: self.failed,
            not_attempted: self.not_attempted + self.conflicts,
            not_verified: self.not_verified,
            stopped_by: self.stopped,
        }
    }
}
