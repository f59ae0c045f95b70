use std::collections::BTreeMap;
use std::fmt;

use super::{ApiError, Inventory, Reading};
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
    /// IAM returns no principals of a kind, but counts some: an empty response is not trusted.
    #[error("{0}")]
    FewerThanCounted(Printable),
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

impl UnreadablePrincipal {
    /// A principal with a valid name.
    pub fn of(principal: &Principal, why: &str) -> Self {
        let name = Printable::exact(principal.name.as_str());
        UnreadablePrincipal { kind: principal.kind, name, why: why.into() }
    }
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

impl Inventory {
    /// The boundary of every principal that can be changed: of all that were read, without roles that AWS manages.
    ///
    /// # Errors
    /// If a principal was not found or could not be read. The result is never incomplete.
    pub fn every_principal(&self) -> Result<EveryPrincipal, EveryPrincipalError> {
        let mut every = EveryPrincipal::new();
        let mut unreadable = Vec::new();
        for (principal, reading) in self.iter() {
            let why = match reading {
                Reading::Found { boundary, .. } => {
                    every.insert(principal.clone(), boundary.clone());
                    continue;
                }
                Reading::Unmodifiable { .. } => continue,
                Reading::NotFound { .. } => format!(
                    "IAM listed the {} and then did not find it: it may have been deleted meanwhile",
                    principal.kind.noun()
                ),
                Reading::Unreadable(error) => error.to_string(),
            };
            unreadable.push(UnreadablePrincipal::of(principal, &why));
        }
        match unreadable.is_empty() {
            true => Ok(every),
            false => Err(EveryPrincipalError::Unreadable(unreadable)),
        }
    }
}
