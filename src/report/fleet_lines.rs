//! The first and the last line of the run report of a fleet, which are also read to merge reports.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::apply::FleetResult;
use crate::iam::{Digest, Printable, Shard};

/// The first line of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StartedJson {
    /// The fleet file; null for a rollback.
    pub(super) fleet: Option<FleetFileJson>,
    /// The part of the fleet; null for all of it, or for some accounts.
    pub(super) shard: Option<Shard>,
    /// The number of accounts.
    pub(super) accounts: usize,
}

/// The fleet file that a run is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FleetFileJson {
    pub(super) path: Printable,
    pub(super) digest: Digest,
}

/// The last line of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SummaryJson {
    /// The digest of the plan; null for merged runs, which have several plans.
    pub(super) digest: Option<Digest>,
    pub(super) result: FleetResult,
    pub(super) shard: Option<Shard>,
    /// The parts about which nothing is known.
    pub(super) missing_shards: Vec<Shard>,
    /// The parts whose run did not end, of those that were merged.
    pub(super) shards_not_ended: Vec<Shard>,
    #[serde(flatten)]
    pub(super) counts: FleetCountsJson,
    /// The SHA-256 of all lines before this one, line breaks included.
    pub(super) lines: Digest,
}

/// The numbers of a run.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct FleetCountsJson {
    pub(super) accounts: usize,
    pub(super) accounts_complete: usize,
    pub(super) accounts_failed: usize,
    pub(super) accounts_refused: usize,
    pub(super) accounts_not_begun: usize,
    pub(super) accounts_not_covered: usize,
    pub(super) applied: usize,
    pub(super) failed: usize,
    pub(super) not_attempted: usize,
    pub(super) conflicts: usize,
    pub(super) calls: usize,
    pub(super) throttled_calls: usize,
}

impl AddAssign for FleetCountsJson {
    fn add_assign(&mut self, other: Self) {
        self.accounts = self.accounts.saturating_add(other.accounts);
        self.accounts_complete = self.accounts_complete.saturating_add(other.accounts_complete);
        self.accounts_failed = self.accounts_failed.saturating_add(other.accounts_failed);
        self.accounts_refused = self.accounts_refused.saturating_add(other.accounts_refused);
        self.accounts_not_begun = self.accounts_not_begun.saturating_add(other.accounts_not_begun);
        self.accounts_not_covered =
            self.accounts_not_covered.saturating_add(other.accounts_not_covered);
        self.applied = self.applied.saturating_add(other.applied);
        self.failed = self.failed.saturating_add(other.failed);
        self.not_attempted = self.not_attempted.saturating_add(other.not_attempted);
        self.conflicts = self.conflicts.saturating_add(other.conflicts);
        self.calls = self.calls.saturating_add(other.calls);
        self.throttled_calls = self.throttled_calls.saturating_add(other.throttled_calls);
    }
}
