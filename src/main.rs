//! The `iam-boundaries` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    iam_boundaries::cli::run()
}
