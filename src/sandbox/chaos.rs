use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::request::Request;
use crate::iam::Share;

/// Random fault injection, reproducible for the same seed.
///
/// The fault of a call depends on the seed, the action, its user, role, page or policy, and the number of earlier
/// attempts of the same call. Only throttling storms depend on the order in which calls arrive.
/// The actions of STS are exempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Chaos {
    /// The seed of the random numbers that select the calls and their faults.
    pub seed: u64,
    /// The kinds of fault to inject.
    pub kinds: BTreeSet<ChaosKind>,
    /// The share of the calls that get a fault. In addition, storms throttle this share of the calls, and this
    /// share of the writes has stale reads.
    pub share: Share,
    /// The share of the calls that fail [`Chaos::STUBBORN_FAILURES`] times in a row, which is more often than
    /// most clients retry. The others fail at most [`Chaos::MAX_CONSECUTIVE_FAILURES`] times in a row.
    pub stubborn: Share,
    /// The maximum delay of a slow response, in addition to the latency.
    pub max_delay: Duration,
    /// The maximum time until reads return a write.
    pub max_staleness: Duration,
}

/// A kind of fault that [`Chaos`] injects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChaosKind {
    /// [`Fault::CutBefore`]
    CutBefore,
    /// [`Fault::CutAfter`]
    CutAfter,
    /// [`Fault::Truncated`]
    Truncated,
    /// [`Fault::Garbage`]
    Garbage,
    /// A [`Fault::Error`]: 500, `ServiceFailure`.
    ServiceFailure,
    /// [`Fault::Slow`]
    Slow,
    /// Up to twelve consecutive calls of one action are all throttled. A storm lasts at most half a second.
    ThrottlingStorms,
    /// [`Fault::Shifted`]
    ShiftedPages,
    /// [`Fault::UserDeleted`]
    UserDeleted,
    /// For some time after a write, reads return the previous boundary.
    StaleReads,
    /// [`Fault::JobFailed`]
    FailedJobs,
}

/// The text is not the name of a [`ChaosKind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown fault `{name}`; the faults are {}", ChaosKind::ALL.map(ChaosKind::name).join(", "))]
pub struct UnknownChaosKind {
    name: String,
}

impl ChaosKind {
    /// All kinds.
    pub const ALL: [ChaosKind; 11] = [
        ChaosKind::CutBefore,
        ChaosKind::CutAfter,
        ChaosKind::Truncated,
        ChaosKind::Garbage,
        ChaosKind::ServiceFailure,
        ChaosKind::Slow,
        ChaosKind::ThrottlingStorms,
        ChaosKind::ShiftedPages,
        ChaosKind::UserDeleted,
        ChaosKind::StaleReads,
        ChaosKind::FailedJobs,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            ChaosKind::CutBefore => "cut-before",
            ChaosKind::CutAfter => "cut-after",
            ChaosKind::Truncated => "truncated",
            ChaosKind::Garbage => "garbage",
            ChaosKind::ServiceFailure => "service-failure",
            ChaosKind::Slow => "slow",
            ChaosKind::ThrottlingStorms => "throttling-storms",
            ChaosKind::ShiftedPages => "shifted-pages",
            ChaosKind::UserDeleted => "user-deleted",
            ChaosKind::StaleReads => "stale-reads",
            ChaosKind::FailedJobs => "failed-jobs",
        }
    }

    /// Whether the response is unusable and a retry may succeed.
    pub(super) fn is_failure(self) -> bool {
        matches!(
            self,
            ChaosKind::CutBefore
                | ChaosKind::CutAfter
                | ChaosKind::Truncated
                | ChaosKind::Garbage
                | ChaosKind::ServiceFailure
        )
    }

    pub(super) fn applies_to(self, request: &Request) -> bool {
        match self {
            ChaosKind::ShiftedPages => request.get("Marker").is_some(),
            ChaosKind::UserDeleted => is_write(request),
            ChaosKind::FailedJobs => request.action == "GenerateServiceLastAccessedDetails",
            ChaosKind::ThrottlingStorms | ChaosKind::StaleReads => false,
            ChaosKind::Slow => true,
            other => other.is_failure(),
        }
    }
}

fn is_write(request: &Request) -> bool {
    request.action.ends_with("PermissionsBoundary")
}

impl FromStr for ChaosKind {
    type Err = UnknownChaosKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = ChaosKind::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| UnknownChaosKind { name: name.to_owned() })
    }
}

impl fmt::Display for ChaosKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The maximum number of users and roles by which a page is shifted.
const MAX_SHIFT: isize = 3;

impl Chaos {
    /// The maximum number of consecutive failures of a call that is not stubborn: the sixth attempt succeeds.
    pub const MAX_CONSECUTIVE_FAILURES: u32 = 5;
    /// The number of failures of a stubborn call before the first success.
    pub const STUBBORN_FAILURES: u64 = 8;

    /// Faults of all kinds for 10% of the calls; 0.5% of the calls are stubborn.
    pub fn new(seed: u64) -> Self {
        Chaos {
            seed,
            kinds: ChaosKind::ALL.into(),
            share: Share::percent(10),
            stubborn: Share::hundredths(50),
            max_delay: Duration::from_millis(500),
            max_staleness: Duration::from_millis(500),
        }
    }

    /// The random numbers of one attempt of a call or of one storm. They depend only on the seed and the arguments.
    pub(super) fn rng(&self, names: [&str; 3], number: u64) -> fastrand::Rng {
        let mut hash = Sha256::new().chain_update(self.seed.to_le_bytes());
        for name in names {
            hash.update(name);
            hash.update([0]);
        }
        let hash: [u8; 32] = hash.chain_update(number.to_le_bytes()).finalize().into();
        let (seed, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
        fastrand::Rng::with_seed(u64::from_le_bytes(*seed))
    }

    pub(super) fn fault(&self, kind: ChaosKind, rng: &mut fastrand::Rng) -> Option<Fault> {
        Some(match kind {
            ChaosKind::CutBefore => Fault::CutBefore,
            ChaosKind::CutAfter => Fault::CutAfter,
            ChaosKind::Truncated => Fault::Truncated,
            ChaosKind::Garbage => Fault::Garbage,
            ChaosKind::ServiceFailure => Fault::error(500, "ServiceFailure", "An error occurred."),
            ChaosKind::Slow => Fault::Slow(self.max_delay.mul_f64(rng.f64())),
            ChaosKind::ShiftedPages => {
                let by = rng.isize(1..=MAX_SHIFT);
                Fault::Shifted(if rng.bool() { by } else { -by })
            }
            ChaosKind::UserDeleted => Fault::UserDeleted,
            ChaosKind::FailedJobs => Fault::JobFailed,
            ChaosKind::ThrottlingStorms | ChaosKind::StaleReads => return None,
        })
    }
}
