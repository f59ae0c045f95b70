use clap::CommandFactory;
use clap_complete::Shell;

use super::args::{Args, CompletionsArgs};
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::Content;
use super::output::Output;

pub(super) fn run(command: &CompletionsArgs, output: &Output) -> Result<Exit, Failure> {
    let name = Args::command().get_name().to_owned();
    output.result(
        Content::Own,
        &match command.shell {
            // clap_complete's bash script completes nothing after a subcommand if the program's name contains
            // a hyphen (https://github.com/clap-rs/clap/issues/6421). So generate the script for a name
            // without hyphens, and register it for the real name.
            Shell::Bash => {
                let plain = name.replace('-', "_");
                let registers = |name: &str| format!(" -o default {name}\n");
                script(Shell::Bash, &plain).replace(&registers(&plain), &registers(&name))
            }
            shell => script(shell, &name),
        },
    )?;
    Ok(Exit::Done)
}

fn script(shell: Shell, name: &str) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
