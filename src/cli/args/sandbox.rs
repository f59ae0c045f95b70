use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::example::{self, Example};
use super::scoped::Scoped;
use super::value::whole;
use crate::iam::{Rate, Share};
use crate::sandbox::{
    Burst, ChaosKind, Competitor, LatencySpread, LimitModel, RateChange, TimeSpan,
};

/// The heading of the options that limit the sandbox's request rate.
const THROTTLING: &str = "Throttling";
/// The heading of the options that inject faults.
const FAULTS: &str = "Fault injection";

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Serve an account with 5,000 users, and list them with the AWS CLI",
        commands: &[
            "iam-boundaries sandbox serve --port 4599 --users 5000",
            "aws --endpoint-url http://127.0.0.1:4599 iam list-users",
        ],
    },
    Example {
        purpose: "Reset the account that --sandbox uses",
        commands: &["iam-boundaries sandbox reset"],
    },
];

pub(super) const SERVE_EXAMPLES: &[Example] = &[
    Example {
        purpose: "Serve an account with 5,000 users, and list them with the AWS CLI",
        commands: &[
            "iam-boundaries sandbox serve --port 4599 --users 5000",
            "aws --endpoint-url http://127.0.0.1:4599 iam list-users",
        ],
    },
    Example {
        purpose: "Serve 200 accounts with 1,000 users each, and list them",
        commands: &[
            "iam-boundaries sandbox serve --accounts 200 --users 1000",
            "aws --endpoint-url http://127.0.0.1:4599 organizations list-accounts",
        ],
    },
    Example {
        purpose: "Accept 50 requests per second to each API, but 20 to GetUser (burst: 40)",
        commands: &[
            "iam-boundaries sandbox serve --rate 50 \\",
            "    --rate GetUser=20 --burst GetUser=40",
        ],
    },
    Example {
        purpose: "Lower the rate to 5 after 30 seconds and restore it after 2 minutes",
        commands: &[
            "iam-boundaries sandbox serve --rate 50 \\",
            "    --rate-change 5@30 --rate-change 50@120",
        ],
    },
    Example {
        purpose: "Simulate another client that uses half of the rate for 30 seconds",
        commands: &["iam-boundaries sandbox serve --rate 50 --competitor 25@10..40"],
    },
    Example {
        purpose: "Accept 250 requests per 5 seconds to each API, and 80 writes per second",
        commands: &[
            "iam-boundaries sandbox serve --rate 50 --rate writes=80 \\",
            "    --limit-model fixed-window:5 --limit-model writes=per-second",
        ],
    },
    Example {
        purpose: "Inject faults of every kind",
        commands: &["iam-boundaries sandbox serve --chaos 7"],
    },
    Example {
        purpose: "Inject two kinds of faults, into a third of the requests",
        commands: &[
            "iam-boundaries sandbox serve --chaos 7 --chaos-share 33% \\",
            "    --chaos-kinds cut-after,stale-reads",
        ],
    },
];

pub(super) const RESET_EXAMPLES: &[Example] = &[Example {
    purpose: "Reset the sandbox, and show the plan of a new one",
    commands: &["iam-boundaries sandbox reset", "iam-boundaries --sandbox plan"],
}];

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SandboxCommand {
    Serve(Box<ServeArgs>),
    /// Delete the state of the sandbox that --sandbox uses
    #[command(after_help = example::help(RESET_EXAMPLES))]
    Reset,
}

/// Serve a sandbox to any AWS client until interrupted
///
/// The state is kept in memory. At the end, prints the number of requests and of throttled requests for
/// each action.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(SERVE_EXAMPLES))]
pub(in crate::cli) struct ServeArgs {
    /// Port on 127.0.0.1; 0 selects a free port
    #[arg(long, value_name = "P", default_value = "4599", value_parser = whole::<u16, 0, 65_535>)]
    pub(in crate::cli) port: u16,
    /// Number of accounts, which are an organization of AWS Organizations if there are several
    ///
    /// The accounts are 123456789012, which manages the organization, and 200000000001, 200000000002 and so on.
    /// Each has the same users and roles. AssumeRole returns credentials for any role of each account.
    #[arg(long, value_name = "N", default_value = "1", value_parser = whole::<u16, 1, 5_000>)]
    pub(in crate::cli) accounts: u16,
    /// Number of users in each account [default: the sample company of --sandbox, or 0 with --roles]
    #[arg(long, value_name = "N", value_parser = whole::<u32, 0, 1_000_000>)]
    pub(in crate::cli) users: Option<u32>,
    /// Number of roles in each account [default: the sample company of --sandbox, or 0 with --users]
    #[arg(long, value_name = "N", value_parser = whole::<u32, 0, 1_000_000>)]
    pub(in crate::cli) roles: Option<u32>,
    /// Latency of each response, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = whole::<u64, 0, 600_000>)]
    pub(in crate::cli) latency: u64,
    /// Spread of the latency: sigma of a log-normal distribution with the median --latency [default: 0]
    #[arg(long, value_name = "SIGMA", requires = "latency")]
    pub(in crate::cli) latency_spread: Option<LatencySpread>,
    /// Maximum number of items in a page
    #[arg(long, value_name = "N", default_value = "1000", value_parser = whole::<u16, 1, 1_000>)]
    pub(in crate::cli) page_size: u16,
    /// Delay until reads return a written boundary, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = whole::<u64, 0, 600_000>)]
    pub(in crate::cli) staleness: u64,
    /// Lifetime of the credentials that AssumeRole returns, in seconds [default: as requested]
    #[arg(long, value_name = "SECONDS", value_parser = whole::<u64, 1, 43_200>)]
    pub(in crate::cli) session_time: Option<u64>,
    /// Duration of the jobs that generate last accessed reports, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = whole::<u64, 0, 600_000>)]
    pub(in crate::cli) job_time: u64,
    /// Requests per second that each API accepts; can be repeated
    ///
    /// With ACTION, the rate applies to that action only and takes precedence over a rate without ACTION.
    /// The same applies to the other throttling options. GetCallerIdentity and AssumeRole are throttled only if
    /// they are named.
    ///
    /// In place of an action, writes=R limits all writes of an account together, in addition to the limits
    /// of their actions. There is no such limit if no option names it.
    #[arg(long, value_name = "[ACTION=]R", help_heading = THROTTLING)]
    pub(in crate::cli) rate: Vec<Scoped<Rate>>,
    /// How requests are counted: per-second, continuous, fixed-window or sliding-window [default: per-second]
    ///
    /// per-second is a token bucket that is refilled once a second, as AWS describes the limits of IAM.
    /// per-second@P refills it first P seconds after the first request to the API; by default, after 0.5.
    ///
    /// continuous is a token bucket that is refilled continuously.
    ///
    /// fixed-window[:S] accepts S times the rate in each window of S seconds; by default, of 1 second.
    /// fixed-window:S@P ends the first window P seconds after the first request; by default, after half of S.
    ///
    /// sliding-window[:S] accepts S times the rate in any S seconds; by default, in any second.
    #[arg(long, value_name = "[ACTION=]MODEL", requires = "rate", help_heading = THROTTLING)]
    pub(in crate::cli) limit_model: Vec<Scoped<LimitModel>>,
    /// Capacity of the token bucket, in requests [default: the rate, at least 1]
    #[arg(long, value_name = "[ACTION=]B", requires = "rate", help_heading = THROTTLING)]
    pub(in crate::cli) burst: Vec<Scoped<Burst>>,
    /// Change the rate to R, SECONDS after the first request to the API; can be repeated
    #[arg(long, value_name = "[ACTION=]R@SECONDS", requires = "rate", help_heading = THROTTLING)]
    pub(in crate::cli) rate_change: Vec<Scoped<RateChange>>,
    /// Simulate another client that sends R requests per second and does not retry
    ///
    /// The requests are evenly spaced. FROM and UNTIL are seconds after the first request to the API.
    /// Without them, the client sends requests all the time.
    #[arg(long, value_name = "[ACTION=]R[@FROM[..UNTIL]]", requires = "rate", help_heading = THROTTLING)]
    pub(in crate::cli) competitor: Vec<Scoped<Competitor>>,
    /// Throttle every request between two times, in seconds after the first request; can be repeated
    #[arg(long, value_name = "[ACTION=]FROM..UNTIL", requires = "rate", help_heading = THROTTLING)]
    pub(in crate::cli) throttle_all: Vec<Scoped<TimeSpan>>,
    /// Inject random faults, reproducibly for the same seed
    ///
    /// The seed, the action, the user, role, page or policy, and the number of earlier identical requests
    /// determine the fault of a request. Only throttling storms depend on the order of requests.
    /// GetCallerIdentity and AssumeRole have no faults.
    #[arg(long, value_name = "SEED", value_parser = whole::<u64, 0, { u64::MAX }>, help_heading = FAULTS)]
    pub(in crate::cli) chaos: Option<u64>,
    /// Kinds of faults to inject, separated by commas [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',', requires = "chaos", value_parser = chaos_kind(), help_heading = FAULTS)]
    pub(in crate::cli) chaos_kinds: Vec<ChaosKind>,
    /// Share of requests that get a fault [default: 10%]
    #[arg(long, value_name = "SHARE", requires = "chaos", help_heading = FAULTS)]
    pub(in crate::cli) chaos_share: Option<Share>,
    /// Share of requests that fail eight times in a row, instead of at most five [default: 0.5%]
    #[arg(long, value_name = "SHARE", requires = "chaos", help_heading = FAULTS)]
    pub(in crate::cli) chaos_stubborn: Option<Share>,
}

fn chaos_kind() -> impl TypedValueParser<Value = ChaosKind> {
    let values = ChaosKind::ALL
        .map(|kind| clap::builder::PossibleValue::new(kind.name()).help(description(kind)));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<ChaosKind>())
}

fn description(kind: ChaosKind) -> &'static str {
    match kind {
        ChaosKind::CutBefore => "Close the connection before the request is processed",
        ChaosKind::CutAfter => "Close the connection after the request is processed",
        ChaosKind::Truncated => "Process the request, and send part of the response",
        ChaosKind::Garbage => "Process the request, and send a response that is not XML",
        ChaosKind::ServiceFailure => "Return ServiceFailure (HTTP 500), and process nothing",
        ChaosKind::Slow => "Delay the response by up to 500 milliseconds",
        ChaosKind::ThrottlingStorms => {
            "Throttle up to 12 consecutive requests to an API, for at most 500 milliseconds"
        }
        ChaosKind::ShiftedPages => "Start pages some users and roles too early or too late",
        ChaosKind::UserDeleted => "Delete the user or role before a write",
        ChaosKind::FailedJobs => "Fail the job that generates a last accessed report",
        ChaosKind::StaleReads => "Return the previous boundary for up to 500 milliseconds",
    }
}
