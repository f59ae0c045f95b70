//! The command line: one file for each command, and the code that they share.

mod access;
mod apply;
mod args;
mod check;
mod completions;
mod confirmation;
mod core_dump;
mod exit_code;
mod failure;
mod fleet;
mod gate;
mod held;
mod impact;
mod import;
mod log_line;
mod manual;
mod metrics;
mod mfa_prompt;
mod output;
mod permissions;
mod plan;
mod quiet;
mod report;
mod report_thread;
mod reporter;
mod rollback;
mod runtime;
mod sandbox;
mod schema;
mod show;
mod signals;
mod stream;
mod throttle;
mod unfinished;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command, with_useful_tip};
use exit_code::Exit;
use metrics::MetricsFile;
use output::Output;
use quiet::Quiet;
use runtime::on_runtime;

/// Runs the command that the arguments of the process specify, and returns its exit code.
pub fn run() -> ExitCode {
    core_dump::disable();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let error = with_useful_tip(error);
            // Help and version are not errors. clap's exit code for invalid usage, 2, has another meaning here.
            let exit = if error.use_stderr() { Exit::NothingDone } else { Exit::Done };
            return match Output::new(args::Color::Auto, 0, None).usage(&error) {
                Ok(()) => exit.into(),
                Err(_) => Exit::NothingDone.into(),
            };
        }
    };
    let output = Output::new(args.color, args.verbose, Quiet::of(&args.command));
    output.start_logging();
    let metrics = MetricsFile::of(&args.command);
    let done = match &args.command {
        Command::Check(command) => check::run(&args, command, &output),
        Command::Plan(command) => {
            on_runtime(metrics.unless_interrupted(plan::run(&args, command, &output, &metrics)))
        }
        Command::Show(command) => show::run(&args, command, &output),
        Command::Apply(command) => {
            on_runtime(metrics.unless_interrupted(apply::run(&args, command, &output, &metrics)))
        }
        Command::Rollback(command) => {
            on_runtime(metrics.unless_interrupted(rollback::run(&args, command, &output, &metrics)))
        }
        Command::Report(command) => report::run(&args, command, &output),
        Command::Impact(command) => impact::run(command, &output),
        Command::Permissions(command) => permissions::run(&args, command, &output),
        Command::Import(command) => on_runtime(import::run(&args, command, &output)),
        Command::Schema(command) => schema::run(command, &output),
        Command::Completions(command) => completions::run(command, &output),
        Command::Man(command) => manual::run(command, &output),
        Command::Sandbox(command) => on_runtime(sandbox::run(command, &output)),
    };
    let exit = done.unwrap_or_else(|failure| output.fail(&failure));
    let exit = metrics.write(output.release(exit), &output);
    // A failure to write the metrics is a problem, too.
    output.release(exit).into()
}
