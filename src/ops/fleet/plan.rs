use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::error::Error;
use super::super::fleet_error::FleetError;
use super::super::saved_plan::write_fleet_plan;
use super::super::selection::Selection;
use super::super::session::ImpactScope;
use super::super::time_limit::{OnWait, TimeLimit};
use super::access::FleetAccess;
use super::account::{AccountMaking, Target};
use super::side_by_side::{FleetEvents, side_by_side};
use super::targets::{FleetSelection, LoadedFleet, Targets};
use crate::apply::{FleetEvent, FleetStage};
use crate::aws::Access;
use crate::iam::Threshold;
use crate::plan::{AccountPlan, FleetPlan, Violation};
use crate::state::StateRoot;

/// Options of [`plan_fleet`].
#[derive(Debug, Clone)]
pub struct FleetPlanOptions {
    /// How the plans are made.
    pub making: FleetMaking,
    /// The fleet file.
    pub fleet: PathBuf,
    /// The earlier version of the fleet file, to distinguish drift from changes of the files.
    pub base: Option<PathBuf>,
    /// The accounts.
    pub accounts: FleetSelection,
    /// What to plan in each account. It has no files of its own.
    pub selection: Selection,
    /// Replaces the files' threshold for changes in each account.
    pub max_changes: Option<Threshold>,
    /// Replaces the files' threshold for removals in each account.
    pub max_removals: Option<Threshold>,
    /// Whether to look up in CloudTrail who made the changes that the plans would undo, and the state directory with the
    /// journals by which runs of this tool are recognized.
    pub blame: Option<StateRoot>,
}

/// How the plans of a fleet are made, whatever they are made from.
#[derive(Debug, Clone)]
pub struct FleetMaking {
    /// The base credentials and the endpoint.
    pub access: Access,
    /// The maximum number of accounts that are read or changed at the same time.
    pub accounts_at_once: NonZeroUsize,
    /// Where to save the plan.
    pub out: Option<PathBuf>,
    /// The time limit for reading all accounts.
    pub timeout: Option<Duration>,
    /// What to say about what the changes give and take.
    pub impact: ImpactScope,
    /// Whether the plans record the documents of the policies that they set. A plan that is saved always does.
    pub record_documents: bool,
}

/// Compares the boundaries files of a fleet with its accounts. Changes nothing. An account that cannot be planned is a
/// problem of its own. `on_wait` receives long waits before the first account, and `events` what happens in the accounts.
///
/// # Errors
/// If the files have errors, the base credentials or the organization cannot be used, or the plan cannot be saved.
pub async fn plan_fleet(
    options: &FleetPlanOptions,
    on_wait: OnWait<'_>,
    events: &FleetEvents,
) -> Result<FleetPlan, Error> {
    let fleet = options.load()?;
    let began = Instant::now();
    let targets = options.targets(&fleet, on_wait).await?;
    let mut making = options.account_making();
    making.record_documents |= options.making.out.is_some();
    let (plan, _) = options.making.plan(&fleet, targets, making, began, events).await;
    options.check_found(&plan)?;
    if let Some(path) = &options.making.out {
        write_fleet_plan(&plan, path)?;
    }
    Ok(plan)
}

impl FleetPlanOptions {
    /// Reads the files.
    pub(super) fn load(&self) -> Result<LoadedFleet, Error> {
        LoadedFleet::read(&self.fleet, self.base.as_deref(), |config| {
            config.guard.max_changes = self.max_changes.or(config.guard.max_changes);
            config.guard.max_removals = self.max_removals.or(config.guard.max_removals);
        })
    }

    /// The accounts of the fleet.
    pub(super) async fn targets(
        &self,
        fleet: &LoadedFleet,
        on_wait: OnWait<'_>,
    ) -> Result<Targets, Error> {
        let mut time = TimeLimit::new(self.making.timeout);
        let targets = fleet.targets(&self.accounts, &self.making.access, time.waits());
        time.within(on_wait, targets).await
    }

    /// Checks that an account has principals that the plan is limited to.
    ///
    /// # Errors
    /// [`FleetError::NoSuchSelection`] if all accounts were planned, and none has one.
    pub(super) fn check_found(&self, plan: &FleetPlan) -> Result<(), FleetError> {
        let Some(only) = &self.selection.only else { return Ok(()) };
        let is_empty = |it: &AccountPlan| {
            it.plan.as_ref().is_ok_and(|plan| plan.listed().total() == 0) && it.unlisted() == 0
        };
        match !plan.accounts.is_empty() && plan.accounts.iter().all(is_empty) {
            true => {
                let patterns = only.iter().map(ToString::to_string).collect();
                Err(FleetError::NoSuchSelection { patterns })
            }
            false => Ok(()),
        }
    }

    /// How the plan of each account is made.
    pub(super) fn account_making(&self) -> AccountMaking {
        AccountMaking {
            selection: Selection { is_of_fleet: true, ..self.selection.clone() },
            impact: self.making.impact,
            record_documents: self.making.record_documents,
            blame: self.blame.clone(),
            check: None,
        }
    }
}

impl FleetMaking {
    /// Makes the plans of the accounts. Also returns the guard rails that each violates, in the same order.
    pub(super) async fn plan(
        &self,
        fleet: &LoadedFleet,
        targets: Targets,
        making: AccountMaking,
        began: Instant,
        events: &FleetEvents,
    ) -> (FleetPlan, Vec<Vec<Violation>>) {
        let Targets { targets, uncovered, access, shard, .. } = targets;
        let (accounts, violations) =
            self.plan_accounts(targets, &access, making, began, events).await;
        let guard = fleet.fleet.guard.clone();
        let plan =
            FleetPlan { shard, uncovered, ..FleetPlan::new(fleet.source(), guard, accounts) };
        (plan, violations)
    }

    /// Makes the plans of these accounts.
    pub(super) async fn plan_accounts(
        &self,
        targets: Vec<Target>,
        access: &FleetAccess,
        making: AccountMaking,
        began: Instant,
        events: &FleetEvents,
    ) -> (Vec<AccountPlan>, Vec<Vec<Violation>>) {
        events(FleetEvent::Started { stage: FleetStage::Planning, accounts: targets.len() });
        let (making, timeout) = (Arc::new(making), self.timeout);
        let work = |target: Target| {
            let account = target.account.clone();
            let time_left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
            let planned = target.plan(access, making.clone(), time_left, events.clone());
            async move {
                match planned.await {
                    Ok(made) => (AccountPlan { account, plan: Ok(made.plan) }, made.violations),
                    Err(problem) => (AccountPlan { account, plan: Err(problem) }, Vec::new()),
                }
            }
        };
        side_by_side(targets, self.accounts_at_once, work).await.into_iter().unzip()
    }
}
