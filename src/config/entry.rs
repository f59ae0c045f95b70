use super::Position;
use crate::iam::{DateOrTime, PolicyRef, Printable, Timestamp};

/// An entry of `[users]` or `[roles]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The boundary that the principal must have; `None` if it must have none.
    pub boundary: Option<PolicyRef>,
    /// Why the principal has this boundary; `None` if the file does not say it.
    pub reason: Option<Printable>,
    /// When the entry expires; `None` if it does not.
    pub expiration: Option<Expiration>,
    /// What a plan says if the principal does not exist; `None` for what `[missing]` says.
    pub missing: Option<OnMissing>,
    /// The position of the principal's name.
    pub position: Position,
}

/// The end of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiration {
    /// The moment from which the entry is expired.
    pub until: DateOrTime,
    /// What applies from then on.
    pub then: Then,
}

/// What applies to a principal whose entry is expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// It must have this boundary; `None` if it must have none.
    Boundary(Option<PolicyRef>),
    /// The file does not say it: someone has to decide.
    Problem,
}

/// What a plan says about unlisted principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnlisted {
    /// Nothing but their number.
    Ignore,
    /// A warning.
    Warn,
    /// An error: the exit code is 3.
    Error,
}

/// What a plan says about a listed principal that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMissing {
    /// A warning, which does not change the exit code.
    Warn,
    /// A problem: the exit code is 3.
    Error,
}

impl Entry {
    /// The expiration of the entry, if it is expired at this time.
    pub fn expired(&self, now: Timestamp) -> Option<&Expiration> {
        self.expiration.as_ref().filter(|expiration| expiration.until.moment() <= now)
    }
}
