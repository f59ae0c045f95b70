use super::access::{one_account, reject_file, reject_fleet};
use super::args::{Args, ShowArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::fleet;
use super::output::Output;
use crate::ops::{self, ReadPlanError, SavedPlan};
use crate::plan::check_plan_account;
use crate::plan::saved::SavedPlanError;
use crate::report::{render_fleet_plan, render_plan};

pub(super) fn run(args: &Args, command: &ShowArgs, output: &Output) -> Result<Exit, Failure> {
    reject_file(args, "a saved plan", "omit -f: a saved plan does not need the boundaries file")?;
    reject_fleet(args, "show")?;
    let format = command.format;
    let text = match ops::read_plan(&command.plan).map_err(failure)? {
        SavedPlan::Account(plan) => {
            check_plan_account(one_account(args)?, &plan).map_err(ops::Error::from)?;
            render_plan(&plan, format.into(), output.out)
        }
        SavedPlan::Fleet(plan) => {
            let plan = fleet::part(*plan, args, None, &command.plan)?;
            render_fleet_plan(&plan, format.into(), output.out)
        }
    };
    output.result(format, &text)?;
    Ok(Exit::Done)
}

fn failure(error: ops::Error) -> Failure {
    let is_another_file = matches!(
        error,
        ops::Error::ReadPlan { source: ReadPlanError::NotUsable(SavedPlanError::NotAPlan), .. }
    );
    let failure = Failure::from(error);
    match is_another_file {
        true => failure.help(
            "specify a plan that `plan --out PLAN` saved; to show the changes for a boundaries file, use `plan -f FILE`",
        ),
        false => failure,
    }
}
