use std::path::PathBuf;

use super::NoFile;
use super::example::{self, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Write a new boundaries file",
        commands: &["iam-boundaries --profile prod import --out boundaries.toml"],
    },
    Example {
        purpose: "Compare the account with the boundaries file",
        commands: &["iam-boundaries --profile prod import | diff boundaries.toml -"],
    },
];

/// Generate a boundaries file from the account
///
/// Reads every user of the account with iam:GetAccountAuthorizationDetails. If that is denied, reads them
/// with iam:ListUsers and iam:GetUser.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct ImportArgs {
    /// Write to this file instead of standard output; an existing file needs --force
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, requires = "out")]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    no_file: NoFile,
}
