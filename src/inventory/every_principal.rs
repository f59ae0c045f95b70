use std::collections::BTreeMap;
use std::fmt;

use super::ApiError;
use crate::iam::{PolicyArn, Principal, PrincipalCounts, PrincipalKind, Printable};

/// Every principal of an account that can be changed, each with its current boundary.
pub type EveryPrincipal = BTreeMap<Principal, Option<PolicyArn>>;

/// Why the principals of an account could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EveryPrincipalError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// Each reading of the account returned principals that the earlier readings did not return. Existing ones can
    /// be missing.
    #[error("{noun}s were created or deleted during each of {readings} readings of the account")]
    Unstable {
        /// The number of readings.
        readings: usize,
        /// The word for one of the principals that were read.
        noun: &'static str,
    },
    /// IAM listed these principals, but its responses about them cannot be used.
    #[error("cannot read {} of the account:{}", counts(.0), Lines(.0))]
    Unreadable(Vec<UnreadablePrincipal>),
}

/// A principal that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadablePrincipal {
    /// What the principal is.
    pub kind: PrincipalKind,
    /// The name as IAM returned it. It may be invalid.
    pub name: Printable,
    /// What is not known, and why.
    pub why: Printable,
}

fn counts(each: &[UnreadablePrincipal]) -> PrincipalCounts {
    PrincipalCounts::of(each.iter().map(|one| one.kind))
}

struct Lines<'a>(&'a [UnreadablePrincipal]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |one: &UnreadablePrincipal, f: &mut fmt::Formatter<'_>| {
            write!(f, "\n  {} {:?}: {}", one.kind.noun(), one.name, one.why)
        };
        self.0.iter().try_for_each(|one| line(one, f))
    }
}
