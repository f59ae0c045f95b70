use std::path::Path;
use std::time::Duration;

use super::args::{SandboxCommand, ServeArgs};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::session::SANDBOX_STATE;
use crate::sandbox::{self, Options, Sandbox, Seed};

pub(super) async fn run(command: &SandboxCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        SandboxCommand::Serve(args) => serve(args, output).await,
        SandboxCommand::Reset => reset(output),
    }
}

async fn serve(args: &ServeArgs, output: &Output) -> Result<Exit, Failure> {
    let seed = args.users.map_or(Seed::Story, |users| Seed::Users(users as usize));
    let sandbox = Sandbox::start(Options {
        port: args.port,
        seed,
        latency: Duration::from_millis(args.latency),
        page_size: usize::from(args.page_size),
        state: None,
    })
    .await?;
    output.result(&format!("account {} on {}\n", sandbox::ACCOUNT, sandbox.endpoint_url()))?;
    output.remark(&format!(
        "use it with AWS_ENDPOINT_URL={} and any keys; Ctrl-C ends it",
        sandbox.endpoint_url()
    ));
    super::signals::interrupted()
        .await
        .map_err(|error| Failure::new(format!("cannot wait for a signal: {error}")))?;
    Ok(Exit::Done)
}

fn reset(output: &Output) -> Result<Exit, Failure> {
    let file = Path::new(SANDBOX_STATE);
    let had_state = sandbox::reset(file)
        .map_err(|error| Failure::new(format!("cannot remove {}: {error}", file.display())))?;
    output.result(if had_state {
        "The sandbox starts over.\n"
    } else {
        "The sandbox has kept nothing here: it starts over anyway.\n"
    })?;
    Ok(Exit::Done)
}
