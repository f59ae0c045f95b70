use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Fault;
use super::request::Request;
use crate::iam::Share;

/// Faults that come by chance, always the same ones for the same seed.
///
/// Whether and how a call goes wrong follows from the seed, its action, the user, page or policy that it
/// is about, and how often this very call came before: not from the order in which calls arrive. Only
/// throttling storms count calls as they come. STS's `GetCallerIdentity` is spared.
#[derive(Debug, Clone, PartialEq)]
pub struct Chaos {
    /// Another seed gives other faults.
    pub seed: u64,
    /// What may go wrong.
    pub kinds: BTreeSet<ChaosKind>,
    /// How many of the calls go wrong, each in one of the ways that it can. Storms and stale reads come
    /// beside: this share of the calls is in a storm, and of the writes seen late.
    pub share: Share,
    /// How many calls go wrong [`Chaos::STUBBORN_TIMES`] times in a row, which is more than most callers
    /// try. The others never do so more than [`Chaos::IN_A_ROW`] times.
    pub stubborn: Share,
    /// The longest that a slow answer takes beyond the latency.
    pub slowest: Duration,
    /// The longest that a write is not seen by reads.
    pub stalest: Duration,
}

/// A way in which calls go wrong by chance.
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
    /// Stretches of up to twelve consecutive calls of one action that are all throttled. Whoever waits for
    /// half a second has waited for their end.
    ThrottlingStorms,
    /// [`Fault::Shifted`]
    ShiftedPages,
    /// [`Fault::UserDeleted`]
    UserDeleted,
    /// For a while after a write, reads show the boundary from before.
    StaleReads,
}

/// A text that names no [`ChaosKind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault `{name}`; there are {}", ChaosKind::ALL.map(ChaosKind::name).join(", "))]
pub struct UnknownChaosKind {
    name: String,
}

impl ChaosKind {
    /// Every one.
    pub const ALL: [ChaosKind; 10] = [
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
    ];

    /// As the command line names it.
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
        }
    }

    /// Whether the caller gets no answer that it can use, but may get one if it tries again.
    pub(super) fn fails(self) -> bool {
        matches!(
            self,
            ChaosKind::CutBefore
                | ChaosKind::CutAfter
                | ChaosKind::Truncated
                | ChaosKind::Garbage
                | ChaosKind::ServiceFailure
        )
    }

    pub(super) fn can_meet(self, request: &Request) -> bool {
        match self {
            ChaosKind::ShiftedPages => request.get("Marker").is_some(),
            ChaosKind::UserDeleted => is_write(request),
            ChaosKind::ThrottlingStorms | ChaosKind::StaleReads => false,
            ChaosKind::Slow => true,
            other => other.fails(),
        }
    }
}

fn is_write(request: &Request) -> bool {
    ["PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"]
        .contains(&request.action.as_str())
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

/// Users by which a page is shifted, at most.
const FARTHEST_SHIFT: isize = 3;

impl Chaos {
    /// How often a call goes wrong in a row, at most, unless it is a stubborn one: six attempts suffice.
    pub const IN_A_ROW: u32 = 5;
    /// How often a stubborn call goes wrong when it comes for the first time.
    pub const STUBBORN_TIMES: u64 = 8;

    /// Every kind, for a tenth of the calls; of two hundred calls, one is stubborn.
    pub fn new(seed: u64) -> Self {
        Chaos {
            seed,
            kinds: ChaosKind::ALL.into(),
            share: Share::percent(10),
            stubborn: Share::hundredths(50),
            slowest: Duration::from_millis(500),
            stalest: Duration::from_millis(500),
        }
    }

    /// The chance of one call, or of what else these name.
    pub(super) fn rng(&self, names: [&str; 3], number: u64) -> fastrand::Rng {
        let mut hash = Sha256::new().chain_update(self.seed.to_le_bytes());
        for name in names {
            hash.update(name);
            hash.update([0]);
        }
        let hash: [u8; 32] = hash.chain_update(number.to_le_bytes()).finalize().into();
        let (seed, _) = hash.split_first_chunk().expect("a hash is longer");
        fastrand::Rng::with_seed(u64::from_le_bytes(*seed))
    }

    pub(super) fn fault(&self, kind: ChaosKind, rng: &mut fastrand::Rng) -> Option<Fault> {
        Some(match kind {
            ChaosKind::CutBefore => Fault::CutBefore,
            ChaosKind::CutAfter => Fault::CutAfter,
            ChaosKind::Truncated => Fault::Truncated,
            ChaosKind::Garbage => Fault::Garbage,
            ChaosKind::ServiceFailure => Fault::error(500, "ServiceFailure", "An error occurred."),
            ChaosKind::Slow => Fault::Slow(self.slowest.mul_f64(rng.f64())),
            ChaosKind::ShiftedPages => {
                let by = rng.isize(1..=FARTHEST_SHIFT);
                Fault::Shifted(if rng.bool() { by } else { -by })
            }
            ChaosKind::UserDeleted => Fault::UserDeleted,
            ChaosKind::ThrottlingStorms | ChaosKind::StaleReads => return None,
        })
    }
}
