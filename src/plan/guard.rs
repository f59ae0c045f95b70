//! The guard rails: what a plan must not do without a further word.

use std::fmt;

use super::{Change, Plan};
use crate::iam::{NamePattern, PrincipalName, Share, Threshold};

pub use crate::config::Guard;

/// Who looks at a plan before it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supervision {
    /// A person, who is asked.
    Attended,
    /// Nobody: where the file sets no limits, [`Standard`] ones hold.
    Unattended,
}

/// The limits of an unattended run whose file sets none: a share of the account's users, or a few users,
/// whichever is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standard {
    /// So many are never too many.
    pub count: usize,
    /// Such a share of the account's users is not too many.
    pub share: Share,
}

impl Standard {
    /// For changes of all kinds, removals included.
    pub const CHANGES: Standard = Standard { count: 10, share: Share::percent(25) };
    /// For removals, which give users more power.
    pub const REMOVALS: Standard = Standard { count: 5, share: Share::percent(5) };
}

/// A guard rail that stands against a plan: then nothing of it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// It changes more users than it may.
    TooManyChanges(Excess),
    /// It takes the boundary away from more users than it may.
    TooManyRemovals(Excess),
    /// It changes a protected user.
    Protected {
        /// The user.
        user: PrincipalName,
        /// The line of the file that lists the user, from 1.
        line: usize,
        /// What protects the user.
        by: NamePattern,
    },
    /// It changes the boundary of the user whose credentials carry it out.
    OwnBoundary {
        /// The user.
        user: PrincipalName,
        /// The line of the file that lists the user, from 1.
        line: usize,
    },
}

/// A number above its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// How many there are.
    pub count: usize,
    /// How many there may be.
    pub allowed: usize,
    /// What allows so many.
    pub limit: Bound,
    /// The users that a share is of.
    pub users: AccountUsers,
}

/// A limit, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The file or the command line sets it.
    Set(Threshold),
    /// Nothing sets it, and nobody looks.
    Standard(Standard),
}

/// How many users the account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountUsers {
    /// So many.
    Counted(usize),
    /// At least so many: those that the plan has found there.
    AtLeast(usize),
}

/// Words that allow for one run what the file's guard rails do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// In place of the file's limit on changes.
    pub max_changes: Option<Threshold>,
    /// In place of the file's limit on removals.
    pub max_removals: Option<Threshold>,
    /// Users who may be changed although they are protected.
    pub allow_protected: Vec<PrincipalName>,
    /// Whether the user who runs the tool may change the own boundary.
    pub allow_own_boundary: bool,
}

impl Plan {
    /// The guard rails that stand against this plan; none, and it may be carried out. `caller` is the user
    /// whose credentials carry it out, if it is a user's.
    pub fn violations(
        &self,
        caller: Option<&PrincipalName>,
        attendance: Supervision,
        overrides: &Overrides,
    ) -> Vec<Violation> {
        let [changes, removals] = self.excesses(self.limits(overrides), attendance);
        let mut violations: Vec<Violation> = changes
            .map(Violation::TooManyChanges)
            .into_iter()
            .chain(removals.map(Violation::TooManyRemovals))
            .collect();
        for change in &self.changes {
            let Change { user, line, .. } = change;
            if let Some(by) = self.guard.protected.iter().find(|pattern| pattern.matches(user))
                && !overrides.allow_protected.contains(user)
            {
                violations.push(Violation::Protected {
                    user: user.clone(),
                    line: *line,
                    by: by.clone(),
                });
            }
            let is_own = caller.is_some_and(|caller| caller.folded() == user.folded());
            if is_own && !self.guard.allow_own_boundary && !overrides.allow_own_boundary {
                violations.push(Violation::OwnBoundary { user: user.clone(), line: *line });
            }
        }
        violations
    }

    /// Whether it matters how many users the account has, and that is not known: some limit that is a
    /// share of them stands against the plan as far as is known.
    pub fn wants_account_users(&self, overrides: &Overrides) -> bool {
        let excesses = self.excesses(self.limits(overrides), Supervision::Unattended);
        self.account_users.is_none()
            && excesses.into_iter().flatten().any(|excess| excess.limit.is_share())
    }

    /// Whether a person should look twice: it would be too much for a run that nobody watches.
    pub fn is_large(&self) -> bool {
        self.excesses([None, None], Supervision::Unattended).iter().any(Option::is_some)
    }

    /// What limits changes, and removals.
    fn limits(&self, overrides: &Overrides) -> [Option<Threshold>; 2] {
        [
            overrides.max_changes.or(self.guard.max_changes),
            overrides.max_removals.or(self.guard.max_removals),
        ]
    }

    /// Too many changes, and too many removals.
    fn excesses(
        &self,
        limits: [Option<Threshold>; 2],
        attendance: Supervision,
    ) -> [Option<Excess>; 2] {
        let [max_changes, max_removals] = limits;
        let users = self.account_users();
        let excess = |count: usize, set: Option<Threshold>, standard: Standard| {
            let limit = match (set, attendance) {
                (Some(limit), _) => Bound::Set(limit),
                (None, Supervision::Unattended) => Bound::Standard(standard),
                (None, Supervision::Attended) => return None,
            };
            let allowed = limit.allowed(users);
            (count > allowed).then_some(Excess { count, allowed, limit, users })
        };
        [
            excess(self.changes.len(), max_changes, Standard::CHANGES),
            excess(self.counts().remove, max_removals, Standard::REMOVALS),
        ]
    }

    /// How many users the account has, as far as is known.
    pub fn account_users(&self) -> AccountUsers {
        match self.account_users {
            Some(count) => AccountUsers::Counted(count),
            None => AccountUsers::AtLeast(self.changes.len() + self.in_sync),
        }
    }
}

impl Bound {
    fn is_share(self) -> bool {
        !matches!(self, Bound::Set(Threshold::Count(_)))
    }

    fn allowed(self, users: AccountUsers) -> usize {
        let (AccountUsers::Counted(users) | AccountUsers::AtLeast(users)) = users;
        match self {
            Bound::Set(Threshold::Count(count)) => count,
            Bound::Set(Threshold::Share(share)) => share.of(users),
            Bound::Standard(Standard { count, share }) => share.of(users).max(count),
        }
    }
}

/// `10%`, or `25% or 10`.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Set(limit) => write!(f, "{limit}"),
            Bound::Standard(Standard { count, share }) => write!(f, "{share} or {count}"),
        }
    }
}
