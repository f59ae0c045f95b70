use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use super::example::{self, Example};
use super::value::{region, url};
use super::{
    ApplyArgs, CheckArgs, CompletionsArgs, ImpactArgs, ImportArgs, ManArgs, PermissionsCommand,
    PlanArgs, ReportCommand, RollbackArgs, SandboxCommand, SchemaArgs, ShowArgs, permissions,
    report, sandbox,
};
use crate::cli::exit_code::Exit;
use crate::iam::AccountSelector;

/// The heading of the options that every command accepts.
const GLOBAL: &str = "Global options";

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Show a plan, without an AWS account",
        commands: &["iam-boundaries --sandbox plan"],
    },
    Example {
        purpose: "Check boundaries.toml for errors, without connecting to AWS",
        commands: &["iam-boundaries check"],
    },
    Example {
        purpose: "Show the changes, and apply them after confirmation",
        commands: &["iam-boundaries --profile prod plan", "iam-boundaries --profile prod apply"],
    },
    Example {
        purpose: "Save a plan for review, then apply exactly that plan",
        commands: &["iam-boundaries plan --out plan.json", "iam-boundaries apply plan.json"],
    },
    Example {
        purpose: "Show the changes in all accounts of a fleet",
        commands: &["iam-boundaries --fleet fleet.toml plan"],
    },
    Example {
        purpose: "Show the changes that would roll back a run",
        commands: &["iam-boundaries rollback JOURNAL"],
    },
];

/// Manage the permissions boundaries of AWS IAM users and roles as code
///
/// The boundaries file, boundaries.toml, lists IAM users and roles, and the permissions boundary of each, and can have
/// rules for the others. `plan` compares the file with the account and shows the changes. `apply` makes the changes.
/// Users and roles that have no entry and match no rule are never changed.
#[derive(Debug, Parser)]
#[command(version, after_help = help(), max_term_width = 100)]
pub(in crate::cli) struct Args {
    /// Path of the boundaries file; - reads standard input [default: boundaries.toml]
    ///
    /// If the option is repeated, the files are layered: the keys of later files replace those of earlier ones, and
    /// their rules are tried first.
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub(in crate::cli) file: Vec<PathBuf>,
    /// Path of a fleet file: the command works on all accounts that it names
    ///
    /// The fleet file names the boundaries files and the credentials of each account.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "file", help_heading = GLOBAL)]
    pub(in crate::cli) fleet: Option<PathBuf>,
    /// Use only the credentials of this AWS profile
    ///
    /// Without this option, the profile is the one in AWS_DEFAULT_PROFILE or AWS_PROFILE, or `default`. The
    /// credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY then take precedence over the profile.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "sandbox", help_heading = GLOBAL)]
    pub(in crate::cli) profile: Option<String>,
    /// Fail unless the credentials belong to this account; with a fleet, only this account, by name or ID
    ///
    /// With a fleet, the option can be repeated.
    #[arg(long, global = true, value_name = "ACCOUNT", help_heading = GLOBAL)]
    pub(in crate::cli) account: Vec<AccountSelector>,
    /// AWS Region for signing requests; IAM is a global service
    #[arg(long, global = true, conflicts_with = "sandbox", value_parser = region, help_heading = GLOBAL)]
    pub(in crate::cli) region: Option<String>,
    /// Send requests to IAM, STS, AWS Organizations and CloudTrail to this URL instead of the AWS endpoints
    ///
    /// Requests that get credentials, such as sts:AssumeRole for a profile, are not affected.
    #[arg(long, global = true, value_name = "URL", conflicts_with = "sandbox", value_parser = url, help_heading = GLOBAL)]
    pub(in crate::cli) endpoint_url: Option<String>,
    /// Allow endpoints with http:// that are not on this machine
    ///
    /// Requests are signed, but anyone on the network can read them and forge the responses. Without this option, such
    /// an endpoint is refused before the first request, wherever it is set.
    #[arg(long, global = true, conflicts_with = "sandbox", help_heading = GLOBAL)]
    pub(in crate::cli) allow_http: bool,
    /// Use a local IAM sandbox instead of an AWS account; the state is kept in .iam-boundaries
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(in crate::cli) sandbox: bool,
    /// When to use colors
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = GLOBAL)]
    pub(in crate::cli) color: Color,
    /// Log to standard error: -v for informational messages, -vv for debug messages
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    pub(in crate::cli) verbose: u8,
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Color {
    /// On a terminal that supports colors; NO_COLOR, CLICOLOR and CLICOLOR_FORCE override this
    Auto,
    /// Always, also in files and pipes
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    Check(CheckArgs),
    Plan(PlanArgs),
    Show(ShowArgs),
    Apply(ApplyArgs),
    Rollback(RollbackArgs),
    /// Merge the reports of the shards of a fleet
    #[command(subcommand, after_help = example::help(report::EXAMPLES))]
    Report(ReportCommand),
    Impact(ImpactArgs),
    Import(ImportArgs),
    /// Print the least IAM policies for a file or a fleet
    ///
    /// Prints JSON: policies of the identity that runs iam-boundaries, trust policies of its role, and a service control
    /// policy. Does not connect to AWS.
    #[command(subcommand, after_help = example::help(permissions::EXAMPLES))]
    Permissions(PermissionsCommand),
    Schema(SchemaArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    /// Run a local IAM sandbox for trials and tests
    #[command(subcommand, after_help = example::help(sandbox::EXAMPLES))]
    Sandbox(SandboxCommand),
}

impl Args {
    /// The paths of the boundaries files.
    pub(in crate::cli) fn files(&self) -> Vec<PathBuf> {
        match self.file.is_empty() {
            true => vec![PathBuf::from("boundaries.toml")],
            false => self.file.clone(),
        }
    }
}

fn help() -> String {
    format!("{}\n\n{}", example::help(EXAMPLES), Exit::help())
}
