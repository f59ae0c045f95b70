use std::time::Duration;

use super::access::sandbox_file;
use super::args::{SandboxCommand, ServeArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::Content;
use super::output::Output;
use super::throttle::throttle;
use crate::iam::Printable;
use crate::sandbox::{self, ActionCalls, Chaos, Options, Organization, Sandbox, Seed};

pub(super) async fn run(command: &SandboxCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        SandboxCommand::Serve(args) => serve(args, output).await,
        SandboxCommand::Reset => reset(output),
    }
}

async fn serve(args: &ServeArgs, output: &Output) -> Result<Exit, Failure> {
    let count = |count: Option<u32>| count.unwrap_or_default() as usize;
    let seed = match (args.users, args.roles) {
        (None, None) => Seed::Story,
        (users, roles) => Seed::Generated { users: count(users), roles: count(roles) },
    };
    let accounts = usize::from(args.accounts);
    let sandbox = Sandbox::start(Options {
        port: args.port,
        seed,
        accounts,
        organization: (accounts > 1).then(|| Organization::of_accounts(accounts)),
        session_time: args.session_time.map(Duration::from_secs),
        latency: Duration::from_millis(args.latency),
        latency_spread: args.latency_spread.unwrap_or_default(),
        page_size: usize::from(args.page_size),
        throttle: throttle(args)?,
        staleness: Duration::from_millis(args.staleness),
        lists_boundary_policies: false,
        job_time: Duration::from_millis(args.job_time),
        chaos: chaos(args),
        state: None,
    })
    .await?;
    let others = match accounts {
        1 => String::new(),
        2 => " and 1 other account".to_owned(),
        _ => format!(" and {} other accounts", accounts - 1),
    };
    output.result(
        Content::Text,
        &format!("account {}{others} on {}\n", sandbox::ACCOUNT, sandbox.endpoint_url()),
    )?;
    output.remark(&format!(
        "to use the sandbox, set AWS_ENDPOINT_URL={} and any access key; to stop it, press Ctrl-C",
        sandbox.endpoint_url()
    ));
    super::signals::interrupted()
        .await
        .map_err(|error| Failure::new(format!("cannot install the signal handler: {error}")))?;
    output.remark(&table(&sandbox.calls(), &sandbox.throttled_calls()));
    Ok(Exit::Done)
}

fn chaos(args: &ServeArgs) -> Option<Chaos> {
    let mut chaos = Chaos::new(args.chaos?);
    if !args.chaos_kinds.is_empty() {
        chaos.kinds = args.chaos_kinds.iter().copied().collect();
    }
    chaos.share = args.chaos_share.unwrap_or(chaos.share);
    chaos.stubborn = args.chaos_stubborn.unwrap_or(chaos.stubborn);
    Some(chaos)
}

/// A table with the number of requests and of throttled requests for each action.
fn table(calls: &ActionCalls, throttled: &ActionCalls) -> String {
    if calls.is_empty() {
        return "\nno requests received".to_owned();
    }
    let width = calls.keys().map(|action| action.chars().count()).max().unwrap_or_default();
    let mut table = format!("\n{:width$}  {:>9}  {:>9}", "action", "requests", "throttled");
    for (action, calls) in calls {
        let throttled = throttled.get(action).copied().unwrap_or_default();
        table += &format!("\n{action:width$}  {calls:>9}  {throttled:>9}");
    }
    table
}

fn reset(output: &Output) -> Result<Exit, Failure> {
    let file = &sandbox_file();
    let had_state = sandbox::reset(file).map_err(|error| {
        Failure::new(format!("cannot remove {}: {error}", Printable::path(file)))
    })?;
    output.result(Content::Text, if had_state {
        "Removed the state of the sandbox. The next run starts with the initial account.\n"
    } else {
        "This directory contains no sandbox state. The next run starts with the initial account.\n"
    })?;
    Ok(Exit::Done)
}
