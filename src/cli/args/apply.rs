use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::example::{self, Example};
use super::value::{at_once, duration, positive_duration};
use super::{
    FleetApplyArgs, FleetArgs, Format, MetricsArgs, OverrideArgs, SelectionArgs, ShardArgs,
};
use crate::iam::Rate;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Show the changes, and apply them after confirmation",
        commands: &["iam-boundaries apply"],
    },
    Example { purpose: "Apply a reviewed plan", commands: &["iam-boundaries apply plan.json"] },
    Example {
        purpose: "Apply without confirmation at up to 10 requests/s, and save the report",
        commands: &[
            "iam-boundaries apply --auto-approve --max-rate 10 --format json \\",
            "    > report.jsonl",
        ],
    },
];

/// Apply the changes of the boundaries file or of a saved plan
///
/// Shows the changes, asks for confirmation, makes the changes, and verifies them by reading the users and roles
/// again. The journal of the run records each change before the request is sent.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct ApplyArgs {
    /// Plan to apply instead of the boundaries file, saved by `plan --out` or `rollback --out`; - reads
    /// standard input
    #[arg(value_name = "PLAN")]
    pub(in crate::cli) plan: Option<PathBuf>,
    /// Change nothing if any change of the saved plan is in conflict
    #[arg(long, requires = "plan")]
    pub(in crate::cli) strict: bool,
    /// Apply without confirmation; required if standard input is not a terminal
    #[arg(short = 'y', long, visible_alias = "yes")]
    pub(in crate::cli) auto_approve: bool,
    /// Maximum number of concurrent write requests; the rate limiter may use fewer
    #[arg(long, value_name = "N", default_value = "64", value_parser = at_once)]
    pub(in crate::cli) concurrency: NonZeroUsize,
    /// Maximum number of write requests per second, retries included [default: as many as IAM accepts]
    #[arg(long, value_name = "R")]
    pub(in crate::cli) max_rate: Option<Rate>,
    /// Maximum duration of the run, verification included, such as 90s, 10m or 1h30m
    ///
    /// After this time, no new requests are sent. Requests in flight have 10 more seconds, and the other
    /// changes are not attempted. The time in which apply waits for confirmation does not count. With --fleet, an account
    /// that is not read within half of the time is a problem of its own.
    #[arg(long, value_name = "TIME", value_parser = positive_duration)]
    pub(in crate::cli) timeout: Option<Duration>,
    /// Maximum time that verification waits until reads return the new boundaries; 0s reads once
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(in crate::cli) read_back: Duration,
    /// Write the journal of the run to this new file, or the journals of a fleet to this new directory [default: in the
    /// state directory]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) journal: Option<PathBuf>,
    /// Keep the lock, the journals and the measured rates in this directory [default: iam-boundaries in $XDG_STATE_HOME or
    /// in ~/.local/state]
    ///
    /// The directory must belong to the user who runs the command, with mode 0700. It is created if it does not exist.
    /// Runs on the same account exclude each other only if they use the same directory. Without this option, if the
    /// default cannot be created and --journal is set, the directory is .iam-boundaries beside the journal.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state_dir: Option<PathBuf>,
    /// Output format
    #[arg(long, default_value = "text")]
    pub(in crate::cli) format: Format,
    /// Print nothing if all is well; otherwise the report after one line for a notification
    ///
    /// All is well if every change was made and verified, and there are no problems and no warnings. Then the exit code is
    /// 0; the journal records the changes. In a format other than text, the line goes to standard error.
    #[arg(short, long, requires = "auto_approve", conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) metrics: MetricsArgs,
    #[command(flatten)]
    pub(in crate::cli) selection: SelectionArgs,
    #[command(flatten)]
    pub(in crate::cli) guard: OverrideArgs,
    #[command(flatten)]
    pub(in crate::cli) of_fleet: FleetApplyArgs,
    #[command(flatten)]
    pub(in crate::cli) shard: ShardArgs,
    #[command(flatten)]
    pub(in crate::cli) fleet: FleetArgs,
}
