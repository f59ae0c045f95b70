use std::path::PathBuf;

use clap::Subcommand;

use super::example::{self, Example};
use super::{Format, NoFile};

pub(super) const EXAMPLES: &[Example] = &[Example {
    purpose: "Merge the plans of the shards of a fleet for review",
    commands: &["iam-boundaries report merge plan-*.json --format markdown > plan.md"],
}];

pub(super) const MERGE_EXAMPLES: &[Example] = &[
    Example {
        purpose: "Plan a fleet on two machines, merge the plans, and apply them",
        commands: &[
            "iam-boundaries --fleet fleet.toml plan --shard 1/2 --out plan-1.json",
            "iam-boundaries --fleet fleet.toml plan --shard 2/2 --out plan-2.json",
            "iam-boundaries report merge plan-1.json plan-2.json --out plan.json",
            "iam-boundaries apply plan.json",
        ],
    },
    Example {
        purpose: "Summarize the runs of the shards",
        commands: &["iam-boundaries report merge report-*.jsonl --format markdown"],
    },
    Example {
        purpose: "On a schedule, print the summary only if something is missing or wrong",
        commands: &["iam-boundaries report merge --quiet report-*.jsonl"],
    },
];

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReportCommand {
    Merge(MergeArgs),
}

/// Merge the plans or the run reports of the shards of a fleet
///
/// The files are either plans that `plan --shard` saved, or run reports that `apply --shard --format json` wrote, one of
/// each shard. If a shard is missing, or its run did not end, the result says so, and the exit code is 3. Connects to
/// nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(MERGE_EXAMPLES))]
pub(in crate::cli) struct MergeArgs {
    /// Saved plans or run reports of the shards of a fleet; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Save the merged plan to this file, for `show` and `apply`; only an earlier plan is overwritten
    #[arg(long, value_name = "PLAN")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Output format
    ///
    /// JSON is the merged plan, or the lines of all run reports with one summary.
    #[arg(long, default_value = "text")]
    pub(in crate::cli) format: Format,
    /// Return exit code 2 if the plan has changes, and 5 if there are also problems
    #[arg(long)]
    pub(in crate::cli) detailed_exitcode: bool,
    /// Print nothing if all is well; otherwise the result after one line for a notification
    ///
    /// All is well if no shard is missing, and every run is complete or the plan has no changes, no problems and no
    /// warnings. Then the exit code is 0. In a format other than text, the line goes to standard error.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    no_file: NoFile,
}
