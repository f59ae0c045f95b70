use super::args::ImpactArgs;
use super::exit_code::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::ops::{self, ImpactOptions};
use crate::report::render_impact;

pub(super) fn run(command: &ImpactArgs, output: &Output) -> Result<Exit, Failure> {
    let options = ImpactOptions {
        before: command.before(),
        after: command.after(),
        identity: command.identity.clone(),
    };
    let compared = ops::impact(&options)?;
    let format = command.format;
    output.result(format, &render_impact(&compared, format.into(), output.out))?;
    Ok(match command.detailed_exitcode && compared.comparison.can_allow() {
        true => Exit::Changes,
        false => Exit::Done,
    })
}
