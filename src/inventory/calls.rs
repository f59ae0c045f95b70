use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::iam::{Printable, Rate};

/// The number of calls. Every attempt counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CallCount {
    /// Attempts that were sent.
    pub made: u64,
    /// Attempts that AWS throttled.
    pub throttled: u64,
}

impl CallCount {
    /// The calls made since `before`, an earlier count of the same calls.
    pub fn since(self, before: CallCount) -> CallCount {
        CallCount {
            made: self.made.saturating_sub(before.made),
            throttled: self.throttled.saturating_sub(before.throttled),
        }
    }
}

/// The outcome of a write, according to IAM's response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// IAM reported success.
    Applied {
        /// The number of attempts that were sent, from 1.
        attempts: u32,
        /// IAM's ID of the request that succeeded.
        request_id: Option<Printable>,
    },
    /// The last attempt failed.
    Failed {
        /// The number of attempts that were sent. 0 if there were no usable credentials for the first one.
        attempts: u32,
        /// The error of the last attempt.
        error: ApiError,
        /// Whether IAM may have made the change although the call failed: the outcome of at least one
        /// attempt is unknown.
        may_be_done: bool,
    },
    /// Nothing was sent, because the run was stopped or found the principal in conflict first.
    NotAttempted,
    /// AWS throttled the last attempt, no attempt can have made the change, and the run was stopped or found the principal in
    /// conflict before the next one. The change counts as not attempted.
    ThrottledUntilStop {
        /// The number of attempts that were sent, from 1.
        attempts: u32,
        /// The error of the last attempt.
        error: ApiError,
    },
}

/// An attempt that failed and will be retried.
#[derive(Debug, Clone)]
pub struct Retry {
    /// The number of the attempt that failed, from 1.
    pub attempt: u32,
    /// Why it failed.
    pub error: ApiError,
    /// The rate that IAM sustains for this action, measured since it first throttled a call.
    pub measured_rate: Option<Rate>,
}

/// Why a run was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Ctrl-C or another signal.
    Interrupted,
    /// The time limit of the run was reached.
    Deadline,
    /// An error that concerns every call.
    Error,
    /// The journal cannot be written.
    Journal,
}
