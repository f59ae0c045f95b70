use super::access::{access, reject_file};
use super::args::{Args, RollbackArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::output::Output;
use super::plan::made;
use crate::ops::{self, RollbackOptions};

pub(super) async fn run(
    args: &Args,
    command: &RollbackArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    let help = "omit -f: the journal contains the boundaries from before the run";
    reject_file(args, "rollback", help)?;
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let options = RollbackOptions {
        making: command.to.making(access, args.account),
        journal: command.journal.clone(),
    };
    let plan = ops::rollback(&options, &mut |wait| waits.show(wait)).await?;
    made(&plan, &command.to, output)
}
