//! The guard rails: what a plan must not do without an override.

use std::fmt;

use super::change::Change;
use super::content::Plan;
use super::used::UsedPermission;
use super::widening::Widening;
use crate::config::Provenance;
use crate::iam::{
    BoundaryChange, NamePattern, Principal, PrincipalCounts, PrincipalKind, PrincipalPattern,
    Printable, Share, Threshold,
};

pub use crate::config::{Guard, WideningGuard};

/// Whether a person reviews a plan before it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supervision {
    /// A person is asked for confirmation.
    Attended,
    /// No person is asked: where the file sets no thresholds, the [`DefaultThreshold`]s apply.
    Unattended,
}

/// The threshold of an unattended run if the file sets none: for each kind of principals, a number of them or a share
/// of those in the account, whichever is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultThreshold {
    /// The number that is always allowed.
    pub count: usize,
    /// The share that is always allowed.
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
    /// The plan makes more changes than allowed. If the threshold is a share, there can be one for each kind of
    /// principals.
    TooManyChanges(Excess),
    /// The plan removes more boundaries than allowed, like [`Violation::TooManyChanges`].
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
    /// The plan changes the boundary of the caller: of the user, or of the role that was assumed.
    OwnBoundary {
        /// The caller.
        principal: Principal,
        /// What decided the change.
        provenance: Provenance,
    },
    /// The plan sets a boundary that allows more, or removes one.
    Widening {
        /// The principal.
        principal: Principal,
        /// What decided the change.
        provenance: Provenance,
        /// What the boundary allows; `None` for a removal.
        widening: Option<Widening>,
    },
    /// The plan takes what the principal used, or it is not known what it used.
    TakingUsed {
        /// The principal.
        principal: Principal,
        /// What decided the change.
        provenance: Provenance,
        /// What it used; an error says why this is not known.
        used: Result<UsedPermission, Printable>,
    },
}

impl Violation {
    /// The guard rail, by its key in the files. Several violations can be of the same one: there is one for each protected
    /// principal, for example.
    pub fn guard_rail(&self) -> &'static str {
        match self {
            Violation::TooManyChanges(_) => "max_changes",
            Violation::TooManyRemovals(_) => "max_removals",
            Violation::Protected { principal, .. } => match principal.kind {
                PrincipalKind::User => "protected",
                PrincipalKind::Role => "protected_roles",
            },
            Violation::OwnBoundary { .. } => "allow_own_boundary",
            Violation::Widening { .. } => "widening",
            Violation::TakingUsed { .. } => "taking_used",
        }
    }
}

/// A number above its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// The number in the plan: of the principals of the base, or else of all.
    pub count: usize,
    /// Of removals, the number of those that set a boundary that allows everything.
    pub to_everything: usize,
    /// The number that is allowed.
    pub allowed: usize,
    /// The threshold that allows it.
    pub threshold: EffectiveThreshold,
    /// What a share is computed from; `None` for a threshold that is a number.
    pub base: Option<ShareBase>,
}

/// The principals that a share is computed from: those of one kind. Otherwise, an account with many users and few
/// roles would allow a plan that changes every role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareBase {
    /// The kind of principals.
    pub kind: PrincipalKind,
    /// Their number in the account.
    pub count: AccountCount,
}

/// A threshold and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectiveThreshold {
    /// The file or the command line sets it.
    Set(Threshold),
    /// Nothing sets it, and the run is unattended.
    Default(DefaultThreshold),
}

/// The number of principals of one kind in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountCount {
    /// IAM reported this number.
    Exact(usize),
    /// The account has at least the principals that the plan found in it.
    AtLeast(usize),
}

/// Overrides of the file's guard rails, for one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Replaces the file's threshold for changes.
    pub max_changes: Option<Threshold>,
    /// Replaces the file's threshold for removals.
    pub max_removals: Option<Threshold>,
    /// Protected principals that may be changed.
    pub allow_protected: Vec<Principal>,
    /// Whether the plan may change the caller's own boundary.
    pub allow_own_boundary: bool,
    /// Principals whose boundary may allow more.
    pub allow_widening: Vec<PrincipalPattern>,
    /// Principals that may lose what they used.
    pub allow_taking_used: Vec<PrincipalPattern>,
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
        let changes = changes.into_iter().map(Violation::TooManyChanges);
        let removals = removals.into_iter().map(Violation::TooManyRemovals);
        let mut violations: Vec<Violation> = changes.chain(removals).collect();
        for change in &self.changes {
            let Change { principal, provenance, .. } = change;
            let protected = self.guard.protected(principal.kind);
            if let Some(by) = protected.iter().find(|pattern| pattern.matches(&principal.name))
                && !overrides.allow_protected.contains(principal)
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
            violations.extend(self.widening_violation(change, overrides));
        }
        violations.extend(self.taking_violations(overrides));
        violations
    }

    fn widening_violation(&self, change: &Change, overrides: &Overrides) -> Option<Violation> {
        let Change { principal, provenance, boundary, widening, .. } = change;
        let guard = self.guard.widening;
        let not_compared = || Widening::Unknown("the boundaries were not compared".into());
        let widening = match boundary {
            BoundaryChange::Add { .. } => return None,
            BoundaryChange::Remove { .. } => None,
            BoundaryChange::Change { .. } => Some(widening.clone().unwrap_or_else(not_compared)),
        };
        let is_refused = match &widening {
            None => guard != WideningGuard::Allow,
            Some(widening) => widening.is_refused_by(guard),
        };
        let is_allowed = overrides.allow_widening.iter().any(|it| it.matches(principal));
        (is_refused && !is_allowed).then(|| Violation::Widening {
            principal: principal.clone(),
            provenance: provenance.clone(),
            widening,
        })
    }

    /// A plan of which it was not read what principals used violates the guard rail with each change of a principal that
    /// can lose permissions.
    fn taking_violations(&self, overrides: &Overrides) -> Vec<Violation> {
        if self.guard.taking_used.is_none() {
            return Vec::new();
        }
        let used = self.impact.as_ref().and_then(|impact| impact.used.as_ref());
        let mut violations = Vec::new();
        for Change { principal, provenance, .. } in &self.changes {
            if overrides.allow_taking_used.iter().any(|it| it.matches(principal)) {
                continue;
            }
            let violation = |used| Violation::TakingUsed {
                principal: principal.clone(),
                provenance: provenance.clone(),
                used,
            };
            match used {
                None => violations.push(violation(Err("what it used was not read".into()))),
                Some(used) => {
                    let taken = used.taken.iter().find(|it| it.principal() == *principal);
                    let unknown = used.unknown.iter().find(|(it, _)| it == principal);
                    violations.extend(taken.map(|it| violation(Ok(it.clone()))));
                    violations.extend(unknown.map(|(_, why)| violation(Err(why.clone()))));
                }
            }
        }
        violations
    }

    /// Whether a guard rail depends on the number of principals of this kind in the account, and that number is not
    /// known.
    pub fn is_account_size_needed(&self, kind: PrincipalKind, overrides: &Overrides) -> bool {
        let excesses = self.excesses(self.thresholds(overrides), Supervision::Unattended);
        self.account_count(kind).is_none()
            && excesses
                .iter()
                .flatten()
                .any(|excess| excess.base.is_some_and(|base| base.kind == kind))
    }

    /// Whether the plan exceeds the thresholds of an unattended run, whatever the file sets.
    pub fn is_large(&self) -> bool {
        self.excesses([None, None], Supervision::Unattended).iter().any(|each| !each.is_empty())
    }

    /// The thresholds for changes and for removals that the command line or the file sets.
    pub(super) fn thresholds(&self, overrides: &Overrides) -> [Option<Threshold>; 2] {
        [
            overrides.max_changes.or(self.guard.max_changes),
            overrides.max_removals.or(self.guard.max_removals),
        ]
    }

    /// The excesses of changes and of removals.
    pub(super) fn excesses(
        &self,
        set: [Option<Threshold>; 2],
        supervision: Supervision,
    ) -> [Vec<Excess>; 2] {
        let [max_changes, max_removals] = set;
        let changes = self.changes.iter().map(|change| change.principal.kind);
        let removals = self.changes.iter().filter(|change| change.is_removal());
        let to_everything = removals.clone().filter(|change| change.boundary.to().is_some());
        let to_everything = PrincipalCounts::of(to_everything.map(|change| change.principal.kind));
        let removals = removals.map(|change| change.principal.kind);
        let mut removals = self.excess(
            PrincipalCounts::of(removals),
            max_removals,
            DefaultThreshold::REMOVALS,
            supervision,
        );
        for excess in &mut removals {
            excess.to_everything = match &excess.base {
                Some(base) => to_everything.of_kind(base.kind),
                None => to_everything.total(),
            };
        }
        [
            self.excess(
                PrincipalCounts::of(changes),
                max_changes,
                DefaultThreshold::CHANGES,
                supervision,
            ),
            removals,
        ]
    }

    /// The excesses of `counts` above the threshold that is set, or else above the default of an unattended run.
    fn excess(
        &self,
        counts: PrincipalCounts,
        set: Option<Threshold>,
        default: DefaultThreshold,
        supervision: Supervision,
    ) -> Vec<Excess> {
        let (threshold, at_least, share) = match (set, supervision) {
            (Some(threshold @ Threshold::Count(allowed)), _) => {
                let (threshold, count) = (EffectiveThreshold::Set(threshold), counts.total());
                let excess = Excess { count, to_everything: 0, allowed, threshold, base: None };
                return Vec::from_iter((count > allowed).then_some(excess));
            }
            (Some(threshold @ Threshold::Share(share)), _) => {
                (EffectiveThreshold::Set(threshold), 0, share)
            }
            (None, Supervision::Unattended) => {
                (EffectiveThreshold::Default(default), default.count, default.share)
            }
            (None, Supervision::Attended) => return Vec::new(),
        };
        let excess = |kind| {
            let (count, of_account) = (counts.of_kind(kind), self.known_count(kind));
            let (AccountCount::Exact(number) | AccountCount::AtLeast(number)) = of_account;
            let allowed = share.of(number).max(at_least);
            let base = Some(ShareBase { kind, count: of_account });
            (count > allowed).then_some(Excess {
                count,
                to_everything: 0,
                allowed,
                threshold,
                base,
            })
        };
        PrincipalKind::ALL.into_iter().filter_map(excess).collect()
    }

    /// The number of principals of this kind in the account, as far as it is known.
    fn known_count(&self, kind: PrincipalKind) -> AccountCount {
        match self.account_count(kind) {
            Some(count) => AccountCount::Exact(count),
            None => {
                let changes = self.changes.iter().filter(|change| change.principal.kind == kind);
                AccountCount::AtLeast(changes.count() + self.in_sync.of_kind(kind))
            }
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
