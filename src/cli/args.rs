use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};

use super::throttle::For;
use crate::iam::{PrincipalName, Rate, Share, Threshold};
use crate::plan::Overrides;
use crate::report;
use crate::sandbox::{Burst, ChaosKind, Competitor, RateChange};

/// Stands over the options that every command takes.
const GLOBAL: &str = "Options of every command";
/// Stands over the options by which the sandbox throttles.
const THROTTLING: &str = "Throttling";
/// Of plan and apply.
const GUARD: &str = "Guard rails";
/// Stands over the options by which the sandbox goes wrong.
const CHAOS: &str = "Faults by chance";

const EXAMPLES: &str = "\
Examples:
  iam-boundaries --sandbox plan                 try it, without an AWS account
  iam-boundaries check                          read boundaries.toml, without AWS
  iam-boundaries --profile prod plan            show what would change
  iam-boundaries --profile prod apply           show it, ask, and do it
  iam-boundaries plan --out plan.json           save it, for a review
  iam-boundaries apply plan.json                do what was reviewed
  iam-boundaries rollback JOURNAL               show what would put a run back

Exit codes:
  0    done (for plan, also when there are changes)
  1    nothing could be done: bad usage, bad file, no credentials, wrong account, another run
       on it, no place for the journal
  2    plan --detailed-exitcode: there are changes
  3    some items failed, are in conflict, cannot be planned, are not as they were written or
       could not be read back, or the journal could not be written; the others were done
  4    apply --strict: some are in conflict; nothing was done
  130  interrupted; what was under way was finished and reported";

/// Keeps the permissions boundaries of an AWS account's IAM users as a TOML file says.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Args {
    /// The file that maps users to boundaries [default: boundaries.toml]
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub(super) file: Option<PathBuf>,
    /// The profile of the AWS configuration to use
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "sandbox", help_heading = GLOBAL)]
    pub(super) profile: Option<String>,
    /// The AWS region that signs the calls; IAM itself is global
    #[arg(long, global = true, conflicts_with = "sandbox", value_parser = region, help_heading = GLOBAL)]
    pub(super) region: Option<String>,
    /// Where IAM and STS are, instead of AWS's own addresses
    #[arg(long, global = true, value_name = "URL", conflicts_with = "sandbox", value_parser = url, help_heading = GLOBAL)]
    pub(super) endpoint_url: Option<String>,
    /// Work on an IAM inside this process, kept in .iam-boundaries, that needs no account
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(super) sandbox: bool,
    /// Whether to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = GLOBAL)]
    pub(super) color: Color,
    /// Say more on standard error; -vv says most
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    pub(super) verbose: u8,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Even into a file
    Always,
    /// Plain text
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read and check the file, without AWS
    Check(CheckArgs),
    /// Show what would change
    Plan(PlanArgs),
    /// Show a saved plan again, without AWS
    Show(ShowArgs),
    /// Show what would change, ask, and do it; or carry out a saved plan
    Apply(ApplyArgs),
    /// Plan to put back what a run changed
    Rollback(RollbackArgs),
    /// Write a file that says what the account has now
    Import(ImportArgs),
    /// Print a JSON Schema, for editors that complete and check
    Schema(SchemaArgs),
    /// Print a script that completes the command line in a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command
    Man(ManArgs),
    /// An IAM on this machine, to try the tool and to test with
    #[command(subcommand, after_help = SANDBOX_EXAMPLES)]
    Sandbox(SandboxCommand),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iam-boundaries check -f teams/boundaries.toml
  iam-boundaries check --format github          each mistake on its line in the review")]
pub(super) struct CheckArgs {
    /// How to write the mistakes, or that there are none
    #[arg(long, default_value = "text")]
    pub(super) format: Format,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iam-boundaries plan
  iam-boundaries plan --detailed-exitcode       exit code 2 when there are changes
  iam-boundaries plan --format json | jq .summary

In a pull request:
  git show origin/main:boundaries.toml > base.toml
  iam-boundaries plan --base base.toml --out plan.json --format markdown > comment.md")]
pub(super) struct PlanArgs {
    /// The file as it was before: tells what comes from its change, and what is drift
    #[arg(long, value_name = "OLD")]
    pub(super) base: Option<PathBuf>,
    #[command(flatten)]
    pub(super) to: PlanOutput,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// What becomes of a plan that a command makes.
#[derive(Debug, clap::Args)]
pub(super) struct PlanOutput {
    /// Save the plan in this file, for show and apply
    #[arg(long, value_name = "PLAN")]
    pub(super) out: Option<PathBuf>,
    /// How to write the plan
    #[arg(long, default_value = "text")]
    pub(super) format: Format,
    /// The longest time to read the account, as in 90s, 10m or 2h
    #[arg(long, value_name = "TIME", value_parser = timeout)]
    pub(super) timeout: Option<Duration>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iam-boundaries rollback run.jsonl             what would put it back; changes nothing
  iam-boundaries rollback run.jsonl --out back.json
  iam-boundaries apply back.json

Only users who are still as that run left them are put back. apply says at its end where its journal is.")]
pub(super) struct RollbackArgs {
    /// The journal of the run, as apply has written it
    #[arg(value_name = "JOURNAL")]
    pub(super) journal: PathBuf,
    #[command(flatten)]
    pub(super) to: PlanOutput,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct LimitArgs {
    /// The most changes, in place of [guard] max_changes: a number, or a share of the account's users
    #[arg(long, value_name = "N|P%", help_heading = GUARD)]
    pub(super) max_changes: Option<Threshold>,
    /// The most removals, in place of [guard] max_removals: a number, or a share of the account's users
    #[arg(long, value_name = "N|P%", help_heading = GUARD)]
    pub(super) max_removals: Option<Threshold>,
}

#[derive(Debug, clap::Args)]
pub(super) struct OverrideArgs {
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    /// Change this user although [guard] protects it; may be repeated
    #[arg(long, value_name = "USER", help_heading = GUARD)]
    pub(super) allow_protected: Vec<PrincipalName>,
    /// Let the user whose credentials these are change the own boundary
    #[arg(long, help_heading = GUARD)]
    pub(super) allow_own_boundary: bool,
}

impl OverrideArgs {
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            max_changes: self.limits.max_changes,
            max_removals: self.limits.max_removals,
            allow_protected: self.allow_protected.clone(),
            allow_own_boundary: self.allow_own_boundary,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iam-boundaries show plan.json
  iam-boundaries show plan.json --format markdown > comment.md")]
pub(super) struct ShowArgs {
    /// A plan that plan --out has saved; - reads standard input
    #[arg(value_name = "PLAN")]
    pub(super) plan: PathBuf,
    /// How to write the plan
    #[arg(long, default_value = "text")]
    pub(super) format: Format,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iam-boundaries apply
  iam-boundaries apply --auto-approve --max-rate 10 --format json > account.jsonl
  iam-boundaries apply plan.json                what was reviewed, and nothing else")]
pub(super) struct ApplyArgs {
    /// A plan that plan --out has saved: then no file is read; - reads standard input
    #[arg(value_name = "PLAN")]
    pub(super) plan: Option<PathBuf>,
    /// Change nothing at all if any user is not as the saved plan saw it
    #[arg(long, requires = "plan")]
    pub(super) strict: bool,
    /// Do not ask
    #[arg(long)]
    pub(super) auto_approve: bool,
    /// Writes under way at once, at most; how many there are follows from IAM's pace
    #[arg(long, value_name = "N", default_value = "64")]
    pub(super) concurrency: NonZeroUsize,
    /// Writes a second, at most, repeated attempts included; without it, as many as IAM bears
    #[arg(long, value_name = "R")]
    pub(super) max_rate: Option<Rate>,
    /// The longest time for the whole run, reading back included, as in 90s, 10m or 2h: then nothing
    /// new is begun
    #[arg(long, value_name = "TIME", value_parser = timeout)]
    pub(super) timeout: Option<Duration>,
    /// How long to read users again who are not yet as written, as in 90s or 10m; 0s reads once
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    pub(super) read_back: Duration,
    /// Write the run's journal in this new file [default: one in the state folder]
    #[arg(long, value_name = "FILE")]
    pub(super) journal: Option<PathBuf>,
    /// How to write what became of each item
    #[arg(long, default_value = "text")]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) guard: OverrideArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For machines: plan and check write one document, apply one object a line
    Json,
    /// For a comment in a pull request, 65,536 characters at most
    Markdown,
    /// Workflow commands of GitHub Actions: messages on their lines in the review
    Github,
}

impl From<Format> for report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => report::Format::Text,
            Format::Json => report::Format::Json,
            Format::Markdown => report::Format::Markdown,
            Format::Github => report::Format::Github,
        }
    }
}

impl Args {
    /// The file to read.
    pub(super) fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new("boundaries.toml"))
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iam-boundaries --profile prod import --out boundaries.toml
  iam-boundaries --profile prod import | diff boundaries.toml -

Reads every user of the account by iam:GetAccountAuthorizationDetails, or, where that is denied, by
iam:ListUsers and iam:GetUser.")]
pub(super) struct ImportArgs {
    /// Where to write, instead of standard output; a file that is there is left as it is
    #[arg(short, long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Overwrite the file that is there
    #[arg(long, requires = "out")]
    pub(super) force: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  iam-boundaries schema > boundaries.schema.json

A first line in boundaries.toml names it to editors:
  #:schema ./boundaries.schema.json")]
pub(super) struct SchemaArgs {
    /// Whose schema
    #[arg(value_name = "DOCUMENT", default_value = "boundaries")]
    pub(super) of: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// The file boundaries.toml
    Boundaries,
    /// A saved plan
    Plan,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iam-boundaries completions bash > ~/.local/share/bash-completion/completions/iam-boundaries
  iam-boundaries completions zsh > ~/.zfunc/_iam-boundaries
  iam-boundaries completions fish > ~/.config/fish/completions/iam-boundaries.fish")]
pub(super) struct CompletionsArgs {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iam-boundaries man | man -l -
  iam-boundaries man --out ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// The folder to write a page for each command into
    #[arg(short, long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

const SANDBOX_EXAMPLES: &str = "\
Examples:
  iam-boundaries sandbox serve --port 4599 --users 5000
  aws --endpoint-url http://127.0.0.1:4599 iam list-users
  iam-boundaries sandbox reset";

const SERVE_EXAMPLES: &str = "\
Examples:
  iam-boundaries sandbox serve --port 4599 --users 5000
  aws --endpoint-url http://127.0.0.1:4599 iam list-users

Throttled, as IAM is, by a token bucket for each account and action. 50 calls a second of every API,
but 20 of one, of which 40 may come at once:
  iam-boundaries sandbox serve --rate 50 --rate GetUser=20 --burst GetUser=40
Half a minute after the first call, 5 a second; two minutes after it, 50 again:
  iam-boundaries sandbox serve --rate 50 --rate-change 5@30 --rate-change 50@120
Another client of the account asks for 25 a second, all the time or from 10 to 40 seconds after the
first call:
  iam-boundaries sandbox serve --rate 50 --competitor 25
  iam-boundaries sandbox serve --rate 50 --competitor GetUser=25@10..40

Faults of every kind, for the same calls each time; and two kinds of them, for a third of the calls:
  iam-boundaries sandbox serve --chaos 7
  iam-boundaries sandbox serve --chaos 7 --chaos-kinds cut-after,stale-reads --chaos-share 33%";

#[derive(Debug, Subcommand)]
pub(super) enum SandboxCommand {
    /// Serve it to any AWS client, until interrupted; kept in memory alone
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Forget what --sandbox has kept: the next run starts over
    #[command(after_help = "Example:\n  iam-boundaries sandbox reset")]
    Reset,
}

#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    /// The port on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "P", default_value = "4599")]
    pub(super) port: u16,
    /// Fill the account with this many users, instead of the small company of --sandbox
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub(super) users: Option<u32>,
    /// How long each answer takes, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = clap::value_parser!(u64).range(..=600_000))]
    pub(super) latency: u64,
    /// The most items on a page
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(super) page_size: u16,
    /// How long reads show a user's boundary from before a write, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = clap::value_parser!(u64).range(..=600_000))]
    pub(super) staleness: u64,
    /// Calls a second that each API lets through, or that of ACTION alone; may be repeated
    ///
    /// An option that names an action goes before the same option without, for that action. GetCallerIdentity
    /// is throttled only where it is named.
    #[arg(long, value_name = "[ACTION=]R", help_heading = THROTTLING)]
    pub(super) rate: Vec<For<Rate>>,
    /// Calls that may come at once after a pause [default: those of one second, 1 at least]
    #[arg(long, value_name = "[ACTION=]B", requires = "rate", help_heading = THROTTLING)]
    pub(super) burst: Vec<For<Burst>>,
    /// The rate is R from this many seconds after the API's first call on; may be repeated
    #[arg(long, value_name = "[ACTION=]R@SECONDS", requires = "rate", help_heading = THROTTLING)]
    pub(super) rate_change: Vec<For<RateChange>>,
    /// Another client, that asks for R calls a second, evenly spaced, and does not repeat throttled ones
    ///
    /// FROM and UNTIL are seconds after the API's first call; without them it asks all the time.
    #[arg(long, value_name = "[ACTION=]R[@FROM[..UNTIL]]", requires = "rate", help_heading = THROTTLING)]
    pub(super) competitor: Vec<For<Competitor>>,
    /// Have calls go wrong by chance: the same calls in the same way for the same number
    ///
    /// What a call meets follows from the number, the action, the user, page or policy, and how often this
    /// very call came before; only throttling storms go by the order in which calls come.
    /// GetCallerIdentity is spared.
    #[arg(long, value_name = "SEED", help_heading = CHAOS)]
    pub(super) chaos: Option<u64>,
    /// What may go wrong, with commas between [default: all of them]
    ///
    /// cut-before and cut-after close the connection before and after the work is done. truncated breaks the
    /// answer off, garbage is no XML; in both, the work is done. service-failure is a 500, and nothing is
    /// done. slow takes up to half a second more. throttling-storms throttle up to twelve calls of an API
    /// one after another, for half a second at most. shifted-pages begin some users too late or too early.
    /// user-deleted takes the user away before a write. stale-reads show the boundary from before a write,
    /// for up to half a second.
    #[arg(long, value_name = "KIND", value_delimiter = ',', requires = "chaos", value_parser = chaos_kind(), help_heading = CHAOS)]
    pub(super) chaos_kinds: Vec<ChaosKind>,
    /// How many of the calls go wrong [default: 10%]
    #[arg(long, value_name = "SHARE", requires = "chaos", help_heading = CHAOS)]
    pub(super) chaos_share: Option<Share>,
    /// How many calls go wrong eight times in a row, instead of five at most [default: 0.5%]
    #[arg(long, value_name = "SHARE", requires = "chaos", help_heading = CHAOS)]
    pub(super) chaos_stubborn: Option<Share>,
}

fn chaos_kind() -> impl TypedValueParser<Value = ChaosKind> {
    PossibleValuesParser::new(ChaosKind::ALL.map(ChaosKind::name))
        .try_map(|name| name.parse::<ChaosKind>())
}

/// A time in which something can be done.
fn timeout(text: &str) -> Result<Duration, String> {
    match time(text) {
        Ok(Duration::ZERO) => Err(format!("nothing is done in no time: {A_TIME}")),
        time => time,
    }
}

const A_TIME: &str = "a time is a whole number with s, m or h behind it, such as 90s or 10m";

fn time(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(char::is_alphabetic);
    let seconds = match &text[number.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => 0,
    };
    match number.parse::<u32>() {
        Ok(count) if seconds > 0 => Ok(Duration::from_secs(u64::from(count) * seconds)),
        _ => Err(A_TIME.to_owned()),
    }
}

fn region(text: &str) -> Result<String, String> {
    let is_region = !text.is_empty()
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_region { Ok(text.to_owned()) } else { Err("a region looks like eu-central-1".to_owned()) }
}

fn url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !text.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err("an endpoint URL begins with http:// or https://".to_owned()),
    }
}
