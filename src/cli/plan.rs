use super::args::{Args, Format, PlanArgs};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::saved;
use super::session::Session;
use super::time_limit::TimeLimit;
use crate::plan::Plan;
use crate::report::{plan_github, plan_markdown, plan_text};

pub(super) async fn run(args: &Args, command: &PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let base = command.base.as_deref();
    let opened = Session::open(args, base, Some(&command.limits), command.format, output);
    let plan = TimeLimit::new(command.timeout).within(opened).await?.plan;
    if let Some(path) = &command.out {
        saved::write(&plan, path, output)?;
    }
    show(&plan, command.format, output)?;
    Ok(if !plan.problems.is_empty() {
        // More urgent than that there are changes.
        Exit::SomeFailed
    } else if command.detailed_exitcode && !plan.changes.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    })
}

/// Writes a plan to standard output.
pub(super) fn show(plan: &Plan, format: Format, output: &Output) -> Result<(), Failure> {
    output.result(&match format {
        Format::Text => plan_text(plan, output.out),
        Format::Json => plan.to_json(),
        Format::Markdown => plan_markdown(plan),
        Format::Github => plan_github(plan),
    })
}
