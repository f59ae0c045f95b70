use std::path::Path;

use super::access::{access, one_account, reject_option_of_fleet, reject_with_fleet, state};
use super::args::{Args, PlanArgs, PlanOutput};
use super::check::write_to_review;
use super::exit_code::Exit;
use super::failure::Failure;
use super::fleet;
use super::metrics::MetricsFile;
use super::output::Output;
use crate::iam::{DateOrTime, Printable};
use crate::ops::{self, ExplainOptions, PlanOptions, Selection};
use crate::plan::{Plan, Severity};
use crate::report::{AccountMetrics, Headline, render_explanation, render_plan};

pub(super) async fn run(
    args: &Args,
    command: &PlanArgs,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    if let Some(file) = &args.fleet {
        let help = "to explain it in one account, use -f with the boundaries files and the credentials of the account";
        reject_with_fleet(args, command.explain.as_ref().map(|_| "--explain"), help)?;
        return fleet::plan(args, file, command, output, metrics).await;
    }
    reject_option_of_fleet(command.fleet.set_option())?;
    reject_option_of_fleet(command.shard.shard.map(|_| "--shard"))?;
    let account = one_account(args)?;
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let as_of = command.as_of.map(DateOrTime::moment);
    if let Some(principal) = &command.explain {
        let options = ExplainOptions {
            access,
            account,
            files: args.files(),
            principal: principal.clone(),
            as_of,
            timeout: command.to.timeout,
            impact: command.to.impact(),
        };
        let explained = ops::explain(&options, &mut |wait| waits.show(wait)).await?;
        let format = command.to.format;
        output.result(format, &render_explanation(&explained, format.into(), output.out))?;
        return Ok(match explained.plan.problems_of(Severity::Error).next() {
            Some(_) => Exit::SomeFailed,
            None => Exit::Done,
        });
    }
    let options = PlanOptions {
        making: command.to.making(access, account),
        selection: Selection {
            base: command.base.clone(),
            as_of,
            ..command.selection.of(args.files())
        },
        max_changes: command.limits.max_changes,
        max_removals: command.limits.max_removals,
        blame: command.blame.then(|| state(args, command.state_dir.as_deref(), None)),
    };
    match ops::plan(&options, &mut |wait| waits.show(wait)).await.map_err(Failure::from) {
        Ok(plan) => made(&plan, &command.to, output, metrics),
        Err(failure) => Err(write_to_review(failure, command.to.format, output)?),
    }
}

/// Reports a plan, and the file that it was saved in.
pub(super) fn made(
    plan: &Plan,
    to: &PlanOutput,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    metrics.record(|| vec![AccountMetrics::of_plan(plan, None)]);
    output.conclude(|| Headline::of_plan(plan));
    if let Some(path) = &to.out {
        output.remark(&saved(plan, path));
    }
    output.result(to.format, &render_plan(plan, to.format.into(), output.out))?;
    Ok(exit(
        plan.is_incomplete() || plan.may_miss_every_change(),
        to.detailed_exitcode && !plan.changes.is_empty(),
    ))
}

/// The exit code of a plan.
pub(super) fn exit(is_incomplete: bool, has_changes: bool) -> Exit {
    match (is_incomplete, has_changes) {
        (true, true) => Exit::ChangesAndProblems,
        (true, false) => Exit::SomeFailed,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Done,
    }
}

fn saved(plan: &Plan, path: &Path) -> String {
    format!("plan saved in {}, digest {}", Printable::path(path), plan.digest())
}
