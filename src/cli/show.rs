use super::args::{Args, ShowArgs};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::{plan, saved};

pub(super) fn run(args: &Args, command: &ShowArgs, output: &Output) -> Result<Exit, Failure> {
    let saved = saved::read(args, &command.plan)?;
    plan::show(&saved, command.format, output)?;
    Ok(Exit::Done)
}
