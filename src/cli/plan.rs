use super::args::{Args, Format, PlanArgs, PlanOutput};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::saved;
use super::session::Opened;
use super::time_limit::TimeLimit;
use crate::plan::Plan;
use crate::report::render_plan;

pub(super) async fn run(args: &Args, command: &PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let base = command.base.as_deref();
    let limits = Some(&command.limits);
    let planned =
        async { Opened::file(args, base, limits, command.to.format, output).await?.plan().await };
    let session = TimeLimit::new(command.to.timeout).within(planned).await?;
    done(&session.plan, &command.to, output)
}

/// Saves the plan, if that is wanted, and shows it.
pub(super) fn done(plan: &Plan, to: &PlanOutput, output: &Output) -> Result<Exit, Failure> {
    if let Some(path) = &to.out {
        saved::write(plan, path, output)?;
    }
    show(plan, to.format, output)?;
    Ok(if !plan.problems.is_empty() {
        // More urgent than that there are changes.
        Exit::SomeFailed
    } else if to.detailed_exitcode && !plan.changes.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    })
}

/// Writes a plan to standard output.
pub(super) fn show(plan: &Plan, format: Format, output: &Output) -> Result<(), Failure> {
    output.result(&render_plan(plan, format.into(), output.out))
}
