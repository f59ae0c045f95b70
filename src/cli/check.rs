use super::args::Args;
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::desired::Desired;

pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let desired = Desired::read(&args.file)?;
    let none = desired.users.values().filter(|listed| listed.boundary.is_none()).count();
    let users = desired.users.len();
    let account = match &desired.account {
        Some(account) => format!("account {}", account.value),
        None => "no account named".to_owned(),
    };
    output.result(&format!(
        "{}: no mistakes; {users} users, {} with a boundary and {none} that must have none; {account}\n",
        desired.file,
        users - none,
    ))?;
    Ok(Exit::Done)
}
