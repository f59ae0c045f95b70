use super::access::{access, one_account, reject_file, reject_option_of_fleet};
use super::args::{Args, RollbackArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::fleet;
use super::metrics::MetricsFile;
use super::output::Output;
use super::plan::made;
use crate::ops::{self, RollbackOptions};

pub(super) async fn run(
    args: &Args,
    command: &RollbackArgs,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    let help = "omit -f: the journal contains the boundaries from before the run";
    reject_file(args, "rollback", help)?;
    if args.fleet.is_some() {
        return Err(Failure::new("--fleet cannot be used with rollback")
            .help("omit --fleet: `rollback DIRECTORY` works on all accounts of the run"));
    }
    if ops::is_run_directory(&command.journal) {
        return fleet::rollback(args, command, output, metrics).await;
    }
    reject_option_of_fleet(command.fleet.set_option())?;
    let account = one_account(args)?;
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let options = RollbackOptions {
        making: command.to.making(access, account),
        journal: command.journal.clone(),
    };
    let plan = ops::rollback(&options, &mut |wait| waits.show(wait)).await?;
    made(&plan, &command.to, output, metrics)
}
