use std::path::PathBuf;

use super::example::{self, Example};
use super::{FleetArgs, NoFile, PlanOutput};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Show the changes that would roll back a run",
        commands: &["iam-boundaries rollback run.jsonl"],
    },
    Example {
        purpose: "Roll back a run",
        commands: &[
            "iam-boundaries rollback run.jsonl --out rollback.json",
            "iam-boundaries apply rollback.json",
        ],
    },
];

/// Create a plan that rolls back a run
///
/// The plan restores the boundary of each user and role that the run changed or may have changed, if it still
/// has the boundary that the run set. Changes nothing in the account: to apply the plan, save it with --out
/// and run `apply PLAN`.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct RollbackArgs {
    /// Journal of the run, or directory of the journals of a run on a fleet; `apply` prints its path at the end
    #[arg(value_name = "JOURNAL")]
    pub(in crate::cli) journal: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) to: PlanOutput,
    #[command(flatten)]
    pub(in crate::cli) fleet: FleetArgs,
    #[command(flatten)]
    no_file: NoFile,
}
