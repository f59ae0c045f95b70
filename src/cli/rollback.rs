use std::path::Path;

use super::args::{Args, RollbackArgs};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::plan;
use super::saved::unreadable;
use super::session::Opened;
use super::time_limit::TimeLimit;
use crate::journal::{ReadError, RunRecord, RunRecordError};

pub(super) async fn run(
    args: &Args,
    command: &RollbackArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    if let Some(file) = &args.file {
        let file = file.display();
        return Err(Failure::new(format!("-f {file} has no meaning with rollback"))
            .advise("leave it out: the journal holds what was there before its run"));
    }
    let record = read(&command.journal)?;
    let file = command.journal.to_string_lossy().into_owned();
    let planned = async { Opened::journal(args, record, file).await?.plan().await };
    let session = TimeLimit::new(command.to.timeout).within(planned).await?;
    plan::done(&session.plan, &command.to, output)
}

fn read(path: &Path) -> Result<RunRecord, Failure> {
    RunRecord::read(path).map_err(|error| {
        let (why, advice) = match &error {
            ReadError::Unreadable(error) => {
                (unreadable(error), "name a journal; apply says at its end where its own is")
            }
            ReadError::NoRecord(why) => (why.to_string(), advice(why)),
        };
        Failure::new(format!("cannot use {}: {why}", path.display())).advise(advice)
    })
}

fn advice(error: &RunRecordError) -> &'static str {
    match error {
        RunRecordError::NotAJournal => {
            "name a journal that apply has written; a saved plan is carried out by apply PLAN"
        }
        RunRecordError::Headless => "there is nothing to put back",
        RunRecordError::Newer(_) => "use the version of iam-boundaries that wrote it",
        RunRecordError::Damaged { .. } => {
            "nothing is planned from it: what it says of the users before that line can be read by eye"
        }
    }
}
