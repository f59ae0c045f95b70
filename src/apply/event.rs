use std::time::Duration;

use crate::live::{CallError, Calls, Outcome, Retry, StopReason};
use crate::plan::Change;
use crate::values::UserName;

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
        user: UserName,
        /// The attempt, its error, and the pace that IAM was found to bear.
        retry: Retry,
    },
    /// An item came to its end. Each change of the plan has exactly one such event.
    Ended(Item),
    /// The run stops early, because of an error that concerns every item.
    StoppedBy(CallError),
    /// The run is over: nothing comes after this.
    Finished(Summary),
}

/// A change, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The change of the plan.
    pub change: Change,
    /// What became of it.
    pub outcome: Outcome,
}

/// The closing account of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Changes that IAM says are done.
    pub applied: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes for which nothing was sent.
    pub not_attempted: usize,
    /// Calls that were made to write, every attempt counted.
    pub calls: Calls,
    /// How long the writing took.
    pub elapsed: Duration,
    /// Why the run was stopped early, if it was.
    pub stopped: Option<StopReason>,
}

impl Summary {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Applied { .. } => self.applied += 1,
            Outcome::Failed { .. } => self.failed += 1,
            Outcome::NotAttempted => self.not_attempted += 1,
        }
    }

    /// Whether every change was applied.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.not_attempted == 0
    }
}
