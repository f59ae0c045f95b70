use super::access::reject_file;
use super::args::{Args, ShowArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::ops;
use crate::report::render_plan;

pub(super) fn run(args: &Args, command: &ShowArgs, output: &Output) -> Result<Exit, Failure> {
    reject_file(args, "a saved plan", "omit -f: a saved plan does not need the boundaries file")?;
    let plan = ops::read_plan(&command.plan)?;
    output.result(command.format, &render_plan(&plan, command.format.into(), output.out))?;
    Ok(Exit::Done)
}
