use std::collections::BTreeMap;
use std::fmt;

use super::ApiError;
use crate::iam::{PolicyArn, Principal, Printable};

/// Every principal of an account, each with its current boundary.
pub type EveryPrincipal = BTreeMap<Principal, Option<PolicyArn>>;

/// Why the principals of an account could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EveryPrincipalError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// Each reading of the account's users returned users that the earlier readings did not return. Existing
    /// users can be missing.
    #[error("users were created or deleted during each of {0} readings of the account")]
    Unstable(usize),
    /// IAM listed these principals, but its responses about them cannot be used.
    #[error("cannot read {} of the account's users:{}", .0.len(), Lines(.0))]
    Unreadable(Vec<UnreadablePrincipal>),
}

/// A principal that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadablePrincipal {
    /// The name as IAM returned it. It may be invalid.
    pub name: Printable,
    /// What is not known, and why.
    pub why: Printable,
}

struct Lines<'a>(&'a [UnreadablePrincipal]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |one: &UnreadablePrincipal, f: &mut fmt::Formatter<'_>| {
            write!(f, "\n  {:?}: {}", one.name, one.why)
        };
        self.0.iter().try_for_each(|one| line(one, f))
    }
}
