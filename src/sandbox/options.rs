use std::path::PathBuf;
use std::time::Duration;

use super::chaos::Chaos;
use super::latency::LatencySpread;
use super::organization::Organization;
use super::seed::Seed;
use super::throttle::Throttle;

/// The options of a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 selects a free one.
    pub port: u16,
    /// The initial content of [`ACCOUNT`](super::ACCOUNT).
    pub seed: Seed,
    /// The number of accounts: those of [`account_ids`](super::account_ids). Roles of other accounts cannot be assumed.
    pub accounts: usize,
    /// The organization; `None` if [`ACCOUNT`](super::ACCOUNT) is in none. Its accounts exist in the sandbox, too.
    pub organization: Option<Organization>,
    /// The lifetime of the credentials of `AssumeRole`; `None` for what the request asks for. It can be shorter than the
    /// 15 minutes that AWS requires.
    pub session_time: Option<Duration>,
    /// The latency of each response; with a spread, the median.
    pub latency: Duration,
    /// The spread of the latency.
    pub latency_spread: LatencySpread,
    /// The maximum number of items on a page, from 1 to 1,000. IAM, too, can return fewer items than requested.
    pub page_size: usize,
    /// The rate limits. A call that exceeds its limit does nothing and returns the error `Throttling`.
    pub throttle: Throttle,
    /// The time until reads return a written boundary.
    pub staleness: Duration,
    /// Whether account pages with AWS managed policies also list those that are boundaries and are not attached. IAM's
    /// documentation does not say whether IAM lists them.
    pub lists_boundary_policies: bool,
    /// The time until the job that generates a last accessed report is complete.
    pub job_time: Duration,
    /// Random faults, in addition to [`Sandbox::faults`](super::Sandbox::faults).
    pub chaos: Option<Chaos>,
    /// The file that keeps the accounts between runs; without it, they are only in memory.
    pub state: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            port: 0,
            seed: Seed::Empty,
            accounts: 1,
            organization: None,
            session_time: None,
            latency: Duration::ZERO,
            latency_spread: LatencySpread::default(),
            page_size: 1_000,
            throttle: Throttle::default(),
            staleness: Duration::ZERO,
            lists_boundary_policies: false,
            job_time: Duration::ZERO,
            chaos: None,
            state: None,
        }
    }
}
