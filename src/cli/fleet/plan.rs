use std::path::Path;

use super::super::access::{access, state};
use super::super::args::{Args, PlanArgs, PlanOutput, RollbackArgs};
use super::super::check::write_to_review;
use super::super::exit_code::Exit;
use super::super::failure::Failure;
use super::super::metrics::MetricsFile;
use super::super::output::Output;
use super::super::plan::exit;
use super::progress::{Events, ReadingProgress};
use crate::iam::{DateOrTime, Printable, Shard};
use crate::ops::{
    self, FleetError, FleetPlanOptions, FleetRollbackOptions, FleetSelection, Selection,
};
use crate::plan::FleetPlan;
use crate::report::{AccountMetrics, Headline, render_fleet_plan};

/// Plans the accounts of the fleet file `file`.
pub(in crate::cli) async fn plan(
    args: &Args,
    file: &Path,
    command: &PlanArgs,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    let base = match &*command.base {
        [] => None,
        [base] => Some(base.clone()),
        [_, _, ..] => {
            return Err(Failure::new("--base is repeated, and a fleet has one earlier version")
                .help("specify the earlier version of the fleet file"));
        }
    };
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let options = FleetPlanOptions {
        making: command.to.fleet_making(access, &command.fleet),
        fleet: file.to_owned(),
        base,
        accounts: FleetSelection { accounts: args.account.clone(), shard: command.shard.shard },
        selection: Selection {
            as_of: command.as_of.map(DateOrTime::moment),
            ..command.selection.of(Vec::new())
        },
        max_changes: command.limits.max_changes,
        max_removals: command.limits.max_removals,
        blame: command.blame.then(|| state(args, command.state_dir.as_deref(), None)),
    };
    let events = Events::default();
    let progress = ReadingProgress::start(&events, output, waits.screen());
    let planned = ops::plan_fleet(&options, &mut |wait| waits.show(wait), &events.sender()).await;
    drop(progress);
    match planned.map_err(Failure::from) {
        Ok(plan) => made(&plan, &command.to, output, metrics),
        Err(failure) => Err(write_to_review(failure, command.to.format, output)?),
    }
}

/// Plans to roll back a run on a fleet.
pub(in crate::cli) async fn rollback(
    args: &Args,
    command: &RollbackArgs,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let options = FleetRollbackOptions {
        making: command.to.fleet_making(access, &command.fleet),
        run: command.journal.clone(),
        accounts: args.account.clone(),
    };
    let events = Events::default();
    let progress = ReadingProgress::start(&events, output, waits.screen());
    let planned =
        ops::rollback_fleet(&options, &mut |wait| waits.show(wait), &events.sender()).await;
    drop(progress);
    made(&planned?, &command.to, output, metrics)
}

/// The part of a saved fleet plan that `--account` and `--shard` select.
pub(in crate::cli) fn part(
    plan: FleetPlan,
    args: &Args,
    shard: Option<Shard>,
    path: &Path,
) -> Result<FleetPlan, Failure> {
    plan.part(&args.account, shard).map_err(|selectors| {
        let origin = Printable::path(path);
        ops::Error::from(FleetError::NoSuchAccount { selectors, origin }).into()
    })
}

/// Reports the plans of a fleet, and the file that they were saved in.
fn made(
    plan: &FleetPlan,
    to: &PlanOutput,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    metrics.record(|| AccountMetrics::of_fleet_plan(plan));
    output.conclude(|| Headline::of_fleet_plan(plan));
    if let Some(path) = &to.out {
        output.remark(&saved(plan, path));
    }
    output.result(to.format, &render_fleet_plan(plan, to.format.into(), output.out))?;
    Ok(exit(plan.is_incomplete(), to.detailed_exitcode && plan.changes() > 0))
}

/// The file that plans are saved in.
pub(in crate::cli) fn saved(plan: &FleetPlan, path: &Path) -> String {
    format!("plan saved in {}, digest {}", Printable::path(path), plan.digest())
}
