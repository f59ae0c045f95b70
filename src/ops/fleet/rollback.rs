use std::path::PathBuf;

use tokio::time::Instant;

use super::super::error::Error;
use super::super::fleet_error::FleetError;
use super::super::saved_plan::write_fleet_plan;
use super::super::selection::Selection;
use super::super::time_limit::{OnWait, TimeLimit};
use super::access::FleetAccess;
use super::account::{AccountMaking, Source, Target};
use super::plan::FleetMaking;
use super::run_directory::read_record;
use super::side_by_side::FleetEvents;
use crate::aws::ExpectedPartition;
use crate::config::FleetGuard;
use crate::iam::{AccountSelector, Printable};
use crate::journal::FleetRecordState;
use crate::plan::{
    AccountPlan, AccountProblem, AccountProblemCode, FleetAccountRef, FleetPlan, FleetSource,
};

/// Options of [`rollback_fleet`].
#[derive(Debug, Clone)]
pub struct FleetRollbackOptions {
    /// How the plans are made.
    pub making: FleetMaking,
    /// The directory of the run.
    pub run: PathBuf,
    /// The accounts to roll back; empty for all.
    pub accounts: Vec<AccountSelector>,
}

/// Plans to restore the boundaries that a run on a fleet changed. Changes nothing. An account in which the run was not
/// begun is left out.
///
/// # Errors
/// If the directory cannot be used, the base credentials cannot be used, or the plan cannot be saved.
pub async fn rollback_fleet(
    options: &FleetRollbackOptions,
    on_wait: OnWait<'_>,
    events: &FleetEvents,
) -> Result<FleetPlan, Error> {
    let FleetRollbackOptions { making, run, accounts: selectors } = options;
    let record = read_record(run)?;
    let unknown: Vec<AccountSelector> = selectors
        .iter()
        .filter(|selector| !record.accounts.iter().any(|it| selector.matches(&it.name, it.account)))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        let origin = Printable::path(run);
        return Err(FleetError::NoSuchAccount { selectors: unknown, origin }.into());
    }
    let (mut targets, mut unreadable, mut not_begun) = (Vec::new(), Vec::new(), Vec::new());
    for it in &record.accounts {
        if !selectors.is_empty() && !selectors.iter().any(|by| by.matches(&it.name, it.account)) {
            continue;
        }
        let (name, id, credentials) = (it.name.clone(), it.account, it.credentials.clone());
        let account = FleetAccountRef { name, id, credentials };
        let path = Printable::path(&run.join(it.journal()));
        match it.state(run) {
            FleetRecordState::NotBegun => not_begun.push(account.label()),
            FleetRecordState::Begun(record) => {
                targets.push(Target { account, source: Source::Journal { record, path } });
            }
            FleetRecordState::Unreadable(error) => {
                let why = format!("cannot use {path}: {error}");
                let problem = AccountProblem::other(AccountProblemCode::StateUnusable, &why);
                unreadable.push(AccountPlan { account, plan: Err(problem) });
            }
        }
    }
    if targets.is_empty() && unreadable.is_empty() {
        return Err(FleetError::NothingBegun { path: Printable::path(run) }.into());
    }
    if !not_begun.is_empty() {
        let accounts = not_begun.join(", ");
        tracing::warn!("the run was not begun in these accounts, which are left out: {accounts}");
    }
    let began = Instant::now();
    let partition = targets.iter().find_map(|target| match &target.source {
        Source::Journal { record, path } => Some(ExpectedPartition {
            partition: record.header.partition,
            origin: format!("the ARNs in {path}"),
        }),
        Source::Files { .. } => None,
    });
    let is_needed = targets.iter().any(|it| FleetAccess::needs_base(&it.account.credentials));
    let mut time = TimeLimit::new(making.timeout);
    let opened = FleetAccess::open(&making.access, partition, is_needed, time.waits());
    let access = time.within(on_wait, opened).await?;
    let account_making = AccountMaking {
        selection: Selection::of_files(Vec::new()),
        impact: making.impact,
        record_documents: making.record_documents || making.out.is_some(),
        blame: None,
        check: None,
    };
    let (mut accounts, _) =
        making.plan_accounts(targets, &access, account_making, began, events).await;
    accounts.extend(unreadable);
    accounts.sort_by(|a, b| (&a.account.name, a.account.id).cmp(&(&b.account.name, b.account.id)));
    let source = FleetSource::Rollback { run: Printable::path(run), plan: record.plan };
    let plan = FleetPlan::new(source, FleetGuard::default(), accounts);
    if let Some(path) = &making.out {
        write_fleet_plan(&plan, path)?;
    }
    Ok(plan)
}
