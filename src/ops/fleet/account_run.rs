//! A run in one account of a fleet.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use tracing::Instrument;

use super::super::apply::{
    ApplyInput, ApplyOptions, ApplyOutcome, EventSink, Interaction, Review, apply,
};
use super::super::error::{Declined, Error};
use super::access::FleetAccess;
use super::account::{problem, span_of, waiting};
use super::options::FleetApplyOptions;
use super::side_by_side::FleetEvents;
use crate::apply::{AccountEnd, AccountRun, FleetEvent, NotBegun};
use crate::aws::StopSwitch;
use crate::inventory::{StopReason, Wait};
use crate::journal::FleetRecord;
use crate::plan::{FleetAccountRef, Preflight};
use crate::state::UnfinishedRun;

/// Receives an earlier run in an account that did not end, from several threads.
pub type OnUnfinished = Arc<dyn Fn(&FleetAccountRef, &UnfinishedRun) + Send + Sync>;

/// What the runs in the accounts share.
pub(super) struct Shared {
    pub(super) options: FleetApplyOptions,
    pub(super) access: FleetAccess,
    pub(super) switch: StopSwitch,
    pub(super) events: FleetEvents,
    pub(super) on_unfinished: OnUnfinished,
    /// The journals of unfinished runs on the fleet, which are reported already.
    pub(super) reported: HashSet<PathBuf>,
    /// The directory of the journals; `None` if there is nothing to change.
    pub(super) journals: Option<PathBuf>,
    pub(super) began: Instant,
    /// No further account begins after this number of accounts failed.
    pub(super) max_failed: Option<usize>,
    /// The number of accounts that failed, those that cannot be planned included.
    pub(super) failed: AtomicUsize,
    /// What the guard rails of the fleet still allow, if each plan is applied as soon as it is made.
    pub(super) budget: Mutex<Budget>,
}

/// What the guard rails of the fleet still allow; `None` for no limit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Budget {
    pub(super) changes: Option<usize>,
    pub(super) accounts: Option<usize>,
}

impl Budget {
    /// Takes what an account with this number of changes needs. False if that is not left: then nothing is taken.
    fn take(&mut self, changes: usize) -> bool {
        let left = |of: Option<usize>, needed| match of {
            Some(left) => left.checked_sub(needed).map(Some),
            None => Some(None),
        };
        let accounts = usize::from(changes > 0);
        match (left(self.changes, changes), left(self.accounts, accounts)) {
            (Some(changes), Some(accounts)) => {
                *self = Budget { changes, accounts };
                true
            }
            _ => false,
        }
    }
}

/// A run to do in one account.
pub(super) struct AccountWork {
    pub(super) account: FleetAccountRef,
    pub(super) input: ApplyInput,
    /// The number of changes, as far as it is known.
    pub(super) changes: usize,
}

impl AccountWork {
    /// Applies the plan of the account.
    pub(super) async fn run(self, shared: Arc<Shared>) -> Arc<AccountRun> {
        let AccountWork { account, input, changes } = self;
        let not_begun = |why| AccountEnd::NotBegun { changes, why };
        let end = match shared.obstacle() {
            Some(why) => not_begun(why),
            None => {
                (shared.events)(FleetEvent::Begun(account.clone()));
                let applied = apply_in(shared.clone(), account.clone(), input);
                match applied.instrument(span_of(&account)).await {
                    Ok(Ok(outcome)) => end(outcome),
                    Ok(Err(error)) => AccountEnd::Failed(problem(&error, &account, &shared.access)),
                    Err((why, known)) => {
                        AccountEnd::NotBegun { changes: known.unwrap_or(changes), why }
                    }
                }
            }
        };
        let run = Arc::new(AccountRun { account, end });
        if run.is_failed() {
            shared.failed.fetch_add(1, Ordering::SeqCst);
        }
        shared.ended(&run);
        run
    }
}

impl Shared {
    /// Why no further account begins; `None` if one may.
    fn obstacle(&self) -> Option<NotBegun> {
        if let Some(reason) = self.switch.receiver().reason() {
            return Some(NotBegun::Stopped(reason));
        }
        if self.time_left().is_some_and(|left| left.is_zero()) {
            return Some(NotBegun::Stopped(StopReason::Deadline));
        }
        let failed = self.failed.load(Ordering::SeqCst);
        self.max_failed.is_some_and(|max| failed >= max).then_some(NotBegun::TooManyFailed)
    }

    fn time_left(&self) -> Option<std::time::Duration> {
        self.options.timeout.map(|timeout| timeout.saturating_sub(self.began.elapsed()))
    }

    /// The run in an account is over.
    pub(super) fn ended(&self, run: &Arc<AccountRun>) {
        (self.events)(FleetEvent::Applied(run.clone()));
    }
}

/// The outer error says why nothing was sent, and the number of changes, if only this attempt knows it.
async fn apply_in(
    shared: Arc<Shared>,
    account: FleetAccountRef,
    input: ApplyInput,
) -> Result<Result<ApplyOutcome, Error>, (NotBegun, Option<usize>)> {
    let access = match shared.access.of(account.id, &account.credentials) {
        Ok(access) => access,
        Err(error) => return Ok(Err(error)),
    };
    let of_fleet = &shared.options;
    let options = ApplyOptions {
        access,
        account: Some(account.id),
        input,
        overrides: of_fleet.overrides.clone(),
        supervision: of_fleet.supervision,
        is_strict: of_fleet.is_strict,
        concurrency: of_fleet.concurrency,
        max_rate: of_fleet.max_rate,
        retry_policy: of_fleet.retry_policy,
        timeout: shared.time_left(),
        verify_for: of_fleet.verify_for,
        journal: shared.journals.as_ref().map(|it| it.join(FleetRecord::journal_of(account.id))),
        state: of_fleet.state.clone(),
    };
    // The run stops itself after an error that concerns every change of the account, and of no other.
    let (switch, stop) = (StopSwitch::new(), shared.switch.receiver());
    let has_begun = Arc::new(AtomicBool::new(false));
    let mut interaction = OfAccount {
        account: account.clone(),
        shared: shared.clone(),
        has_begun: has_begun.clone(),
        over_budget: None,
    };
    let outcome = {
        let mut applied = std::pin::pin!(apply(&options, &switch, &mut interaction));
        tokio::select! {
            biased;
            outcome = &mut applied => outcome,
            () = stop.requested() => {
                let reason = stop.reason().unwrap_or(StopReason::Interrupted);
                if !has_begun.load(Ordering::SeqCst) {
                    // Nothing was sent but reads.
                    return Err((NotBegun::Stopped(reason), None));
                }
                switch.request_stop(reason);
                applied.await
            }
        }
    };
    match interaction.over_budget {
        Some(changes) => Err((NotBegun::GuardRail, Some(changes))),
        None => Ok(outcome),
    }
}

fn end(outcome: ApplyOutcome) -> AccountEnd {
    match outcome {
        ApplyOutcome::Refused { preflight, why } => AccountEnd::Refused { preflight, why },
        ApplyOutcome::Completed { preflight, summary, journal } => {
            AccountEnd::Completed { preflight, summary, journal }
        }
    }
}

/// The interaction of a run in an account of a fleet: nobody is asked.
struct OfAccount {
    account: FleetAccountRef,
    shared: Arc<Shared>,
    has_begun: Arc<AtomicBool>,
    /// The number of changes of a plan for which the guard rails of the fleet leave nothing.
    over_budget: Option<usize>,
}

impl Interaction for OfAccount {
    fn waiting(&mut self, wait: Option<&Wait>) {
        waiting(&self.shared.events, self.account.id, wait);
    }

    fn unfinished_run(&mut self, run: &UnfinishedRun) {
        if !run.journal().is_some_and(|journal| self.shared.reported.contains(journal)) {
            (self.shared.on_unfinished)(&self.account, run);
        }
    }

    async fn review(&mut self, review: Review<'_>) -> Result<(), Declined> {
        if !review.violations.is_empty() {
            return Ok(());
        }
        let mut budget = self.shared.budget.lock().unwrap_or_else(PoisonError::into_inner);
        match budget.take(review.plan.changes.len()) {
            true => Ok(()),
            false => {
                self.over_budget = Some(review.plan.changes.len());
                Err(Declined::GuardRail)
            }
        }
    }

    fn begin(&mut self, preflight: &Arc<Preflight>) -> io::Result<EventSink> {
        self.has_begun.store(true, Ordering::SeqCst);
        let (id, events) = (self.account.id, self.shared.events.clone());
        events(FleetEvent::Running(self.account.clone(), preflight.clone()));
        Ok(Box::new(move |event| events(FleetEvent::Run(id, Box::new(event)))))
    }

    fn journal_created(&mut self, _: &Path) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_taken_whole_or_not_at_all() {
        let mut budget = Budget { changes: Some(10), accounts: Some(2) };
        assert!(budget.take(6) && budget.take(0) && !budget.take(5) && budget.take(4));
        assert!(!budget.take(1) && budget.take(0));
        let mut unlimited = Budget::default();
        assert!((0..100).all(|_| unlimited.take(1_000_000)));
        let mut accounts = Budget { changes: None, accounts: Some(1) };
        assert!(accounts.take(5) && !accounts.take(1));
    }
}
