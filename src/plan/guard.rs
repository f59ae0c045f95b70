//! The guard rails: what a plan must not do without an override.

use std::fmt;

use super::change::Change;
use super::content::Plan;
use crate::config::Provenance;
use crate::iam::{NamePattern, Principal, PrincipalName, Share, Threshold};

pub use crate::config::Guard;

/// Whether a person reviews a plan before it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supervision {
    /// A person is asked for confirmation.
    Attended,
    /// No person is asked: where the file sets no thresholds, the [`DefaultThreshold`]s apply.
    Unattended,
}

/// The threshold of an unattended run if the file sets none: a number of users or a share of the account's
/// users, whichever is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultThreshold {
    /// The number that is always allowed.
    pub count: usize,
    /// The share of the account's users that is always allowed.
    pub share: Share,
}

impl DefaultThreshold {
    /// For changes of all kinds, removals included.
    pub const CHANGES: DefaultThreshold = DefaultThreshold { count: 10, share: Share::percent(25) };
    /// For removals, which widen what a principal can do.
    pub const REMOVALS: DefaultThreshold = DefaultThreshold { count: 5, share: Share::percent(5) };
}

/// A violation of a guard rail. A plan with one is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The plan makes more changes than allowed.
    TooManyChanges(Excess),
    /// The plan removes more boundaries than allowed.
    TooManyRemovals(Excess),
    /// The plan changes a protected principal.
    Protected {
        /// The principal.
        principal: Principal,
        /// What decided the change.
        provenance: Provenance,
        /// The pattern that protects the principal.
        by: NamePattern,
    },
    /// The plan changes the boundary of the caller.
    OwnBoundary {
        /// The caller.
        principal: Principal,
        /// What decided the change.
        provenance: Provenance,
    },
}

/// A number above its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// The number in the plan.
    pub count: usize,
    /// The number that is allowed.
    pub allowed: usize,
    /// The threshold that allows it.
    pub threshold: EffectiveThreshold,
    /// The users that a share is computed from.
    pub users: UserCount,
}

/// A threshold and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectiveThreshold {
    /// The file or the command line sets it.
    Set(Threshold),
    /// Nothing sets it, and the run is unattended.
    Default(DefaultThreshold),
}

/// The number of users in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCount {
    /// IAM reported this number.
    Exact(usize),
    /// The account has at least the users that the plan found in it.
    AtLeast(usize),
}

/// Overrides of the file's guard rails, for one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Replaces the file's threshold for changes.
    pub max_changes: Option<Threshold>,
    /// Replaces the file's threshold for removals.
    pub max_removals: Option<Threshold>,
    /// Protected users that may be changed.
    pub allow_protected: Vec<PrincipalName>,
    /// Whether the plan may change the caller's own boundary.
    pub allow_own_boundary: bool,
}

impl Plan {
    /// The violations of guard rails. A plan without any may be applied. `caller` is the principal that the
    /// credentials belong to, if it can have a boundary.
    pub fn violations(
        &self,
        caller: Option<&Principal>,
        supervision: Supervision,
        overrides: &Overrides,
    ) -> Vec<Violation> {
        let [changes, removals] = self.excesses(self.thresholds(overrides), supervision);
        let mut violations: Vec<Violation> = changes
            .map(Violation::TooManyChanges)
            .into_iter()
            .chain(removals.map(Violation::TooManyRemovals))
            .collect();
        for Change { principal, provenance, .. } in &self.changes {
            let name = &principal.name;
            if let Some(by) = self.guard.protected.iter().find(|pattern| pattern.matches(name))
                && !overrides.allow_protected.contains(name)
            {
                violations.push(Violation::Protected {
                    principal: principal.clone(),
                    provenance: provenance.clone(),
                    by: by.clone(),
                });
            }
            let is_own = caller.is_some_and(|caller| caller.folded() == principal.folded());
            if is_own && !self.guard.allow_own_boundary && !overrides.allow_own_boundary {
                violations.push(Violation::OwnBoundary {
                    principal: principal.clone(),
                    provenance: provenance.clone(),
                });
            }
        }
        violations
    }

    /// Whether a guard rail depends on the number of users in the account, and that number is not known.
    pub fn is_account_size_needed(&self, overrides: &Overrides) -> bool {
        let excesses = self.excesses(self.thresholds(overrides), Supervision::Unattended);
        self.account_users.is_none()
            && excesses.into_iter().flatten().any(|excess| excess.threshold.is_share())
    }

    /// Whether the plan exceeds the thresholds of an unattended run, whatever the file sets.
    pub fn is_large(&self) -> bool {
        self.excesses([None, None], Supervision::Unattended).iter().any(Option::is_some)
    }

    /// The thresholds for changes and for removals that the command line or the file sets.
    fn thresholds(&self, overrides: &Overrides) -> [Option<Threshold>; 2] {
        [
            overrides.max_changes.or(self.guard.max_changes),
            overrides.max_removals.or(self.guard.max_removals),
        ]
    }

    /// The excess of changes and of removals.
    fn excesses(
        &self,
        set: [Option<Threshold>; 2],
        supervision: Supervision,
    ) -> [Option<Excess>; 2] {
        let [max_changes, max_removals] = set;
        let users = self.user_count();
        let excess = |count: usize, set: Option<Threshold>, default: DefaultThreshold| {
            let threshold = match (set, supervision) {
                (Some(threshold), _) => EffectiveThreshold::Set(threshold),
                (None, Supervision::Unattended) => EffectiveThreshold::Default(default),
                (None, Supervision::Attended) => return None,
            };
            let allowed = threshold.allowed(users);
            (count > allowed).then_some(Excess { count, allowed, threshold, users })
        };
        [
            excess(self.changes.len(), max_changes, DefaultThreshold::CHANGES),
            excess(self.counts().remove, max_removals, DefaultThreshold::REMOVALS),
        ]
    }

    /// The number of users in the account, as far as it is known.
    pub fn user_count(&self) -> UserCount {
        match self.account_users {
            Some(count) => UserCount::Exact(count),
            None => UserCount::AtLeast(self.changes.len() + self.in_sync),
        }
    }
}

impl EffectiveThreshold {
    fn is_share(self) -> bool {
        !matches!(self, EffectiveThreshold::Set(Threshold::Count(_)))
    }

    fn allowed(self, users: UserCount) -> usize {
        let (UserCount::Exact(users) | UserCount::AtLeast(users)) = users;
        match self {
            EffectiveThreshold::Set(Threshold::Count(count)) => count,
            EffectiveThreshold::Set(Threshold::Share(share)) => share.of(users),
            EffectiveThreshold::Default(default) => default.share.of(users).max(default.count),
        }
    }
}

/// `10%`, or `25% or 10`.
impl fmt::Display for EffectiveThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EffectiveThreshold::Set(threshold) => write!(f, "{threshold}"),
            EffectiveThreshold::Default(DefaultThreshold { count, share }) => {
                write!(f, "{share} or {count}")
            }
        }
    }
}
