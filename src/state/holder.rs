use std::fmt;

use serde::{Deserialize, Serialize};

use crate::iam::Timestamp;

/// The process that holds a lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LockHolder {
    /// The process ID.
    pub pid: u32,
    /// The time at which the process acquired the lock.
    pub since: Timestamp,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " (PID {}, since {})", self.pid, self.since.to_the_minute())
    }
}
