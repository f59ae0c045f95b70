use super::access::{one_account, reject_file, reject_fleet};
use super::args::{Args, ShowArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::fleet;
use super::output::Output;
use crate::ops::{self, SavedPlan};
use crate::plan::check_plan_account;
use crate::report::{render_fleet_plan, render_plan};

pub(super) fn run(args: &Args, command: &ShowArgs, output: &Output) -> Result<Exit, Failure> {
    reject_file(args, "a saved plan", "omit -f: a saved plan does not need the boundaries file")?;
    reject_fleet(args, "show")?;
    let format = command.format;
    let text = match ops::read_plan(&command.plan)? {
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
