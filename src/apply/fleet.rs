use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Event, Summary};
use crate::iam::{AccountId, Shard};
use crate::inventory::{StopReason, Wait};
use crate::journal::JournalError;
use crate::plan::{
    AccountProblem, FleetAccountRef, FleetPlan, FleetSource, FleetViolation, Preflight, Refused,
};

/// What happens while the accounts of a fleet are read, planned or applied.
#[derive(Debug, Clone)]
pub enum FleetEvent {
    /// A run begins to apply plans.
    RunBegins(Box<FleetRunHeader>),
    /// The work on the accounts begins: reading them, or applying their plans.
    Started {
        /// What is done.
        stage: FleetStage,
        /// The number of accounts.
        accounts: usize,
    },
    /// The work on one account begins.
    Begun(FleetAccountRef),
    /// What the work on an account has waited for longest; `None` when it no longer waits.
    Waiting(AccountId, Option<Wait>),
    /// The run in an account begins to write. The events of the run follow.
    Running(FleetAccountRef, Arc<Preflight>),
    /// An event of the run in an account.
    Run(AccountId, Box<Event>),
    /// The account is planned, or it cannot be planned.
    Planned(AccountId, Result<(), AccountProblem>),
    /// The run in an account is over. No event of the account follows.
    Applied(Arc<AccountRun>),
    /// The run on the fleet is over. No event follows.
    Finished(Arc<FleetRun>),
}

/// What is known of a run on a fleet before its first change.
#[derive(Debug, Clone)]
pub struct FleetRunHeader {
    /// What the plans are made from.
    pub source: FleetSource,
    /// The part of the fleet; `None` for another selection or all of it.
    pub shard: Option<Shard>,
    /// The number of accounts.
    pub accounts: usize,
}

/// What is done in the accounts of a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FleetStage {
    /// The accounts are read, and their plans are made.
    Planning,
    /// The plans are applied.
    Applying,
    /// Each account is planned and applied at once.
    PlanningAndApplying,
}

/// The result of a run on a fleet.
#[derive(Debug)]
pub struct FleetRun {
    /// The plans.
    pub plan: FleetPlan,
    /// The guard rails of the fleet that the plans violate. Then nothing was applied.
    pub violations: Vec<FleetViolation>,
    /// How each account ended, in the order of the plan.
    pub accounts: Vec<Arc<AccountRun>>,
    /// The directory of the journals; `None` if there was nothing to change.
    pub journals: Option<PathBuf>,
}

/// How a run on a fleet ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FleetResult {
    /// Every account is complete.
    Complete,
    /// Something was not done.
    Incomplete,
    /// Guard rails or conflicts refused every plan with changes. Nothing was changed.
    Refused,
    /// The run was interrupted.
    Interrupted,
}

/// How a run ended in one account of a fleet.
#[derive(Debug)]
pub struct AccountRun {
    /// The account.
    pub account: FleetAccountRef,
    /// How it ended.
    pub end: AccountEnd,
}

/// The result of a run in one account of a fleet. Each account has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountResult {
    /// Every change of the account is made and verified, and nothing of it is left to plan.
    Complete,
    /// Every change of the account is made and verified. A pinned policy differs, or unlisted principals are errors.
    Incomplete,
    /// Something was not done or cannot be planned, and the plan was not refused.
    Failed,
    /// The plan was refused. Nothing was changed.
    Refused,
    /// The account was not begun.
    NotBegun,
}

/// How a run can end in one account of a fleet.
#[derive(Debug)]
pub enum AccountEnd {
    /// Nothing was changed: the account cannot be planned, or the run could not begin.
    Failed(AccountProblem),
    /// The plan of the account was refused. Nothing was changed.
    Refused {
        /// The plan with its verdicts.
        preflight: Arc<Preflight>,
        /// Why it was refused.
        why: Refused,
    },
    /// The run on the account was not begun.
    NotBegun {
        /// The number of changes that were not attempted.
        changes: usize,
        /// Why.
        why: NotBegun,
    },
    /// The run on the account is over, or nothing in it can be changed. The summary counts the changes that were made.
    Completed {
        /// The plan with its verdicts.
        preflight: Arc<Preflight>,
        /// The result of the run.
        summary: Summary,
        /// The journal; `None` if there was nothing to change.
        journal: Result<Option<PathBuf>, JournalError>,
    },
}

/// Why the run on an account of a fleet was not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBegun {
    /// The run was stopped.
    Stopped(StopReason),
    /// An account of `--first` was not completed.
    First,
    /// As many accounts failed as `max_accounts_failed` says.
    TooManyFailed,
    /// A guard rail of the fleet would be violated.
    GuardRail,
}

impl AccountRun {
    /// The result.
    pub fn result(&self) -> AccountResult {
        match &self.end {
            AccountEnd::Failed(_) => AccountResult::Failed,
            AccountEnd::Refused { .. } => AccountResult::Refused,
            AccountEnd::NotBegun { .. } => AccountResult::NotBegun,
            AccountEnd::Completed { preflight, summary, journal } => {
                let is_done =
                    summary.is_complete() && preflight.is_all_possible() && journal.is_ok();
                match (is_done, preflight.plan.is_incomplete()) {
                    (false, _) => AccountResult::Failed,
                    (true, true) => AccountResult::Incomplete,
                    (true, false) => AccountResult::Complete,
                }
            }
        }
    }

    /// Whether every change of the account is made and verified, and nothing of it is left to plan.
    pub fn is_complete(&self) -> bool {
        self.result() == AccountResult::Complete
    }

    /// Whether the account counts for `max_accounts_failed`: something that was to be done was not done.
    pub fn is_failed(&self) -> bool {
        matches!(self.result(), AccountResult::Failed | AccountResult::Refused)
    }
}

impl FleetRunHeader {
    /// The header of a run of this plan.
    pub fn of(plan: &FleetPlan) -> Self {
        let FleetPlan { source, shard, accounts, .. } = plan;
        FleetRunHeader { source: source.clone(), shard: *shard, accounts: accounts.len() }
    }
}

impl FleetRun {
    /// How the run ended.
    pub fn result(&self) -> FleetResult {
        match self.stopped() {
            Some(StopReason::Interrupted) => FleetResult::Interrupted,
            _ if self.is_complete() => FleetResult::Complete,
            _ if self.is_refused() => FleetResult::Refused,
            _ => FleetResult::Incomplete,
        }
    }

    /// Whether every account is complete.
    pub fn is_complete(&self) -> bool {
        self.accounts.iter().all(|account| account.is_complete())
            && self.violations.is_empty()
            && !self.plan.is_incomplete()
    }

    /// Whether nothing was changed, because guard rails or conflicts refused every plan with changes.
    pub fn is_refused(&self) -> bool {
        let is_refused = |it: &Arc<AccountRun>| {
            matches!(
                it.end,
                AccountEnd::Refused { .. } | AccountEnd::NotBegun { why: NotBegun::GuardRail, .. }
            )
        };
        let is_idle = |it: &Arc<AccountRun>| match &it.end {
            AccountEnd::Completed { preflight, .. } => preflight.plan.changes.is_empty(),
            AccountEnd::NotBegun { why, .. } => *why == NotBegun::First,
            AccountEnd::Failed(_) | AccountEnd::Refused { .. } => false,
        };
        let all_refused = self.accounts.iter().any(is_refused)
            && self.accounts.iter().all(|it| is_refused(it) || is_idle(it));
        !self.violations.is_empty() || all_refused
    }

    /// Why the run was stopped early, if it was.
    pub fn stopped(&self) -> Option<StopReason> {
        self.accounts.iter().find_map(|account| match &account.end {
            AccountEnd::NotBegun { why: NotBegun::Stopped(reason), .. } => Some(*reason),
            AccountEnd::Completed { summary, .. } => {
                // The error of one account stops no other.
                summary.stopped.filter(|reason| {
                    matches!(reason, StopReason::Interrupted | StopReason::Deadline)
                })
            }
            _ => None,
        })
    }
}
