use std::path::PathBuf;
use std::time::Duration;

use super::chaos::Chaos;
use super::seed::Seed;
use super::throttle::Throttle;

/// The options of a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 selects a free one.
    pub port: u16,
    /// The initial content of [`ACCOUNT`](super::ACCOUNT).
    pub seed: Seed,
    /// The latency of each response.
    pub latency: Duration,
    /// The most items on a page, from 1 to 1,000. A page of IAM may also have fewer items than requested.
    pub page_size: usize,
    /// The rate limits. A call above its limit does nothing and is answered with `Throttling`.
    pub throttle: Throttle,
    /// How long reads return a user's boundary from before a write.
    pub staleness: Duration,
    /// Random faults, in addition to [`Sandbox::faults`](super::Sandbox::faults).
    pub chaos: Option<Chaos>,
    /// The file that keeps the accounts between runs; without it, they are in memory only.
    pub state: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            port: 0,
            seed: Seed::Empty,
            latency: Duration::ZERO,
            page_size: 1_000,
            throttle: Throttle::default(),
            staleness: Duration::ZERO,
            chaos: None,
            state: None,
        }
    }
}
