use super::Format;
use super::example::{self, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Check a file in another directory",
        commands: &["iam-boundaries check -f teams/boundaries.toml"],
    },
    Example {
        purpose: "Annotate each error in a GitHub pull request",
        commands: &["iam-boundaries check --format github"],
    },
];

/// Check the boundaries file for errors, without connecting to AWS
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct CheckArgs {
    /// Output format
    #[arg(long, default_value = "text")]
    pub(in crate::cli) format: Format,
    /// Print nothing if all is well; otherwise the report after one line for a notification
    ///
    /// All is well if the files have neither errors nor warnings.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,
}
