use serde::{Deserialize, Serialize};

use crate::inventory::CallOutcome;

/// How a change ended. Each change of a run has exactly one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// IAM reported success, or verification showed that the change is made.
    Applied,
    /// IAM reported success, and verification shows another boundary.
    NotAsWritten,
    /// IAM rejected the change, or did not respond and verification did not show the change.
    Failed,
    /// The run was stopped first, or a check during the run found the principal in conflict: no request was sent, or IAM
    /// throttled every one.
    NotAttempted,
}

impl Outcome {
    /// The outcome by IAM's response, before verification.
    pub fn of(call: &CallOutcome) -> Outcome {
        match call {
            CallOutcome::Applied { .. } => Outcome::Applied,
            CallOutcome::Failed { .. } => Outcome::Failed,
            CallOutcome::NotAttempted | CallOutcome::ThrottledUntilStop { .. } => {
                Outcome::NotAttempted
            }
        }
    }

    /// The outcome as machine-readable formats write it.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::NotAsWritten => "not_as_written",
            Outcome::Failed => "failed",
            Outcome::NotAttempted => "not_attempted",
        }
    }
}
