use std::path::PathBuf;

use super::example::{self, Example};
use super::{Format, NoFile};

pub(super) const EXAMPLES: &[Example] = &[
    Example { purpose: "Show a saved plan", commands: &["iam-boundaries show plan.json"] },
    Example {
        purpose: "Render a saved plan as a pull request comment",
        commands: &["iam-boundaries show plan.json --format markdown > comment.md"],
    },
];

/// Show a saved plan, without connecting to AWS
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct ShowArgs {
    /// Plan saved by `plan --out` or `rollback --out`; - reads standard input
    #[arg(value_name = "PLAN")]
    pub(in crate::cli) plan: PathBuf,
    /// Output format
    #[arg(long, default_value = "text")]
    pub(in crate::cli) format: Format,
    #[command(flatten)]
    no_file: NoFile,
}
