//! The first and the last line of the run report of a fleet, which are also read to merge reports.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::apply::{AccountResult, FleetResult};
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
    /// The sum of the next six.
    pub(super) accounts: usize,
    pub(super) accounts_complete: usize,
    /// Every change was made. A pinned policy differs, or unlisted principals are errors.
    pub(super) accounts_incomplete: usize,
    pub(super) accounts_failed: usize,
    pub(super) accounts_refused: usize,
    pub(super) accounts_not_begun: usize,
    /// Of merged reports: how the run in the account ended is not known, because the run of its shard did not end.
    pub(super) accounts_not_ended: usize,
    /// They are no accounts of the fleet.
    pub(super) accounts_not_covered: usize,
    pub(super) applied: usize,
    pub(super) failed: usize,
    pub(super) not_attempted: usize,
    pub(super) conflicts: usize,
    pub(super) calls: usize,
    pub(super) throttled_calls: usize,
}

impl FleetCountsJson {
    /// Counts an account of the fleet that ended like this.
    pub(super) fn count(&mut self, end: AccountResult) {
        let counter = match end {
            AccountResult::Complete => &mut self.accounts_complete,
            AccountResult::Incomplete => &mut self.accounts_incomplete,
            AccountResult::Failed => &mut self.accounts_failed,
            AccountResult::Refused => &mut self.accounts_refused,
            AccountResult::NotBegun => &mut self.accounts_not_begun,
        };
        *counter = counter.saturating_add(1);
    }

    /// The accounts of the fleet whose result is counted.
    pub(super) fn counted(&self) -> usize {
        let FleetCountsJson { accounts_complete, accounts_incomplete, accounts_failed, .. } = self;
        let FleetCountsJson { accounts_refused, accounts_not_begun, accounts_not_ended, .. } = self;
        let ended = [accounts_complete, accounts_incomplete, accounts_failed, accounts_refused];
        let all = ended.into_iter().chain([accounts_not_begun, accounts_not_ended]);
        all.fold(0, |sum, count| sum.saturating_add(*count))
    }
}

impl AddAssign for FleetCountsJson {
    fn add_assign(&mut self, other: Self) {
        self.accounts = self.accounts.saturating_add(other.accounts);
        self.accounts_complete = self.accounts_complete.saturating_add(other.accounts_complete);
        self.accounts_incomplete =
            self.accounts_incomplete.saturating_add(other.accounts_incomplete);
        self.accounts_failed = self.accounts_failed.saturating_add(other.accounts_failed);
        self.accounts_refused = self.accounts_refused.saturating_add(other.accounts_refused);
        self.accounts_not_begun = self.accounts_not_begun.saturating_add(other.accounts_not_begun);
        self.accounts_not_ended = self.accounts_not_ended.saturating_add(other.accounts_not_ended);
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
