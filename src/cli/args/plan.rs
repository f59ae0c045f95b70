use std::path::PathBuf;
use std::time::Duration;

use super::example::{self, Example};
use super::value::{positive_duration, principal, whole};
use super::{FleetArgs, Format, LimitArgs, MetricsArgs, SelectionArgs, ShardArgs};
use crate::aws::Access;
use crate::iam::{AccountId, DateOrTime, Principal};
use crate::ops::{FleetMaking, ImpactScope, Making};

pub(super) const EXAMPLES: &[Example] = &[
    Example { purpose: "Show the changes", commands: &["iam-boundaries plan"] },
    Example {
        purpose: "Return exit code 2 if the account differs from the file",
        commands: &["iam-boundaries plan --detailed-exitcode"],
    },
    Example {
        purpose: "Print the number of changes of each kind",
        commands: &["iam-boundaries plan --format json | jq .summary"],
    },
    Example {
        purpose: "Save the plan of a pull request, and render it as a comment",
        commands: &[
            "git show origin/main:boundaries.toml > base.toml",
            "iam-boundaries plan --base base.toml --out plan.json",
            "iam-boundaries show plan.json --format markdown > comment.md",
        ],
    },
];

/// Show the changes that the boundaries file requires
///
/// Reads the boundary of each user and role in the file and compares it with the file. If the file has rules, or
/// reports unlisted principals, reads every user or role of the account. Changes nothing in the account.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct PlanArgs {
    /// Earlier version of the boundaries file, to distinguish changes of the file from drift
    ///
    /// If there are several files, repeat the option for each of them, in the same order.
    #[arg(long, value_name = "OLD")]
    pub(in crate::cli) base: Vec<PathBuf>,
    /// Show the plan of another date or time in UTC, such as 2027-01-31, to see which entries will be expired
    #[arg(long, value_name = "DATE", conflicts_with = "out")]
    pub(in crate::cli) as_of: Option<DateOrTime>,
    /// Show what decides the boundary of this user or role, such as user/alice, instead of the plan
    #[arg(long, value_name = "PRINCIPAL", value_parser = principal, conflicts_with_all = ["out", "base", "only", "detailed_exitcode", "quiet"])]
    pub(in crate::cli) explain: Option<Principal>,
    /// Look up in CloudTrail who made the changes that the plan would undo, when, from which address and with which tool
    ///
    /// With --base, only drift is looked up. Names, addresses and user agents become part of the plan, also of a saved one.
    #[arg(long, conflicts_with = "explain")]
    pub(in crate::cli) blame: bool,
    /// With --blame, find the journals of earlier runs in this directory, which --state-dir of apply named
    #[arg(long, value_name = "DIR", requires = "blame")]
    pub(in crate::cli) state_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) selection: SelectionArgs,
    #[command(flatten)]
    pub(in crate::cli) to: PlanOutput,
    #[command(flatten)]
    pub(in crate::cli) limits: LimitArgs,
    #[command(flatten)]
    pub(in crate::cli) shard: ShardArgs,
    #[command(flatten)]
    pub(in crate::cli) fleet: FleetArgs,
}

/// The options of commands that make a plan.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PlanOutput {
    /// Save the plan to this file, for `show` and `apply`; only an earlier plan is overwritten
    #[arg(long, value_name = "PLAN")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Say what the changes give and take: which actions of AWS services are allowed before and after
    ///
    /// Reads the policies of the account, on the pages of iam:GetAccountAuthorizationDetails.
    #[arg(long)]
    impact: bool,
    /// Also say what users and roles used in this number of days and would lose
    ///
    /// Generates a last accessed report for each user and role that loses permissions, which takes some seconds. Implies
    /// --impact.
    #[arg(long, value_name = "DAYS", value_parser = whole::<u32, 1, 400>)]
    last_used: Option<u32>,
    /// Output format
    #[arg(long, default_value = "text")]
    pub(in crate::cli) format: Format,
    /// Maximum time to read the account, such as 90s, 10m or 1h30m
    #[arg(long, value_name = "TIME", value_parser = positive_duration)]
    pub(in crate::cli) timeout: Option<Duration>,
    /// Return exit code 2 if there are changes, and 5 if there are also problems
    #[arg(long)]
    pub(in crate::cli) detailed_exitcode: bool,
    /// Print nothing if all is well; otherwise the report after one line for a notification
    ///
    /// All is well if there are no changes, no problems and no warnings. Then the exit code is 0. In a format other than
    /// text, the line goes to standard error.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) metrics: MetricsArgs,
}

impl PlanOutput {
    /// How the plan is made.
    pub(in crate::cli) fn making(&self, access: Access, account: Option<AccountId>) -> Making {
        Making {
            access,
            account,
            out: self.out.clone(),
            timeout: self.timeout,
            impact: self.impact(),
            // The document can be given to `apply`, like a plan that is saved.
            record_documents: matches!(self.format, Format::Json),
        }
    }

    /// How the plans of a fleet are made.
    pub(in crate::cli) fn fleet_making(&self, access: Access, fleet: &FleetArgs) -> FleetMaking {
        let Making { out, timeout, impact, record_documents, access, .. } =
            self.making(access, None);
        FleetMaking {
            access,
            accounts_at_once: fleet.at_once(),
            out,
            timeout,
            impact,
            record_documents,
        }
    }

    /// What the plan says about what its changes give and take.
    pub(in crate::cli) fn impact(&self) -> ImpactScope {
        let last_used = self.last_used;
        ImpactScope { is_shown: self.impact || last_used.is_some(), last_used }
    }
}
