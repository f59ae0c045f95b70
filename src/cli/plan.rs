use super::args::{Args, Format, PlanArgs};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::session::Session;
use super::time_limit::TimeLimit;
use crate::report::{plan_json, plan_text};

pub(super) async fn run(args: &Args, command: &PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let mut time = TimeLimit::new(command.timeout);
    let plan = time.within(Session::open(args)).await?.plan;
    output.result(&match command.format {
        Format::Text => plan_text(&plan, output.out),
        Format::Json => plan_json(&plan),
    })?;
    Ok(if !plan.problems.is_empty() {
        // More urgent than that there are changes.
        Exit::SomeFailed
    } else if command.detailed_exitcode && !plan.changes.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    })
}
