use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ByKind, Located};
use crate::iam::{Days, NamePattern, PrincipalKind, Threshold};

/// The guard rails that a file sets: what a plan must not do without an override.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// The maximum number of principals that a plan changes, removals included; `None` if the file sets none.
    pub max_changes: Option<Threshold>,
    /// The maximum number of principals whose boundary a plan removes; `None` if the file sets none.
    pub max_removals: Option<Threshold>,
    /// Users whose boundary must not be changed.
    pub protected: Vec<NamePattern>,
    /// Roles whose boundary must not be changed.
    pub protected_roles: Vec<NamePattern>,
    /// Whether the user or the role whose credentials run the tool may change its own boundary.
    pub allow_own_boundary: bool,
    /// Whether a plan may set boundaries that allow more than those before.
    pub widening: WideningGuard,
    /// A plan must not take what a principal used in this number of days; `None` if it may.
    pub taking_used: Option<Days>,
}

/// Whether a plan may set boundaries that allow more than those before.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::EnumString,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum WideningGuard {
    /// Yes.
    #[default]
    Allow,
    /// Only if they allow no more of the actions that manage permissions.
    PermissionsManagement,
    /// No.
    Refuse,
}

impl Guard {
    /// The patterns of the principals of this kind whose boundary must not be changed.
    pub fn protected(&self, kind: PrincipalKind) -> &[NamePattern] {
        match kind {
            PrincipalKind::User => &self.protected,
            PrincipalKind::Role => &self.protected_roles,
        }
    }
}

/// The keys of `[guard]` that a file sets.
#[derive(Debug, Clone, Default)]
pub(super) struct GuardKeys {
    pub(super) max_changes: Option<Threshold>,
    pub(super) max_removals: Option<Threshold>,
    pub(super) protected: Option<Vec<Located<NamePattern>>>,
    pub(super) protected_roles: Option<Vec<Located<NamePattern>>>,
    pub(super) allow_own_boundary: Option<bool>,
    pub(super) widening: Option<WideningGuard>,
    pub(super) taking_used: Option<Days>,
}

impl GuardKeys {
    /// These keys, and those of an `earlier` layer that they do not set.
    pub(super) fn over(self, earlier: GuardKeys) -> GuardKeys {
        GuardKeys {
            max_changes: self.max_changes.or(earlier.max_changes),
            max_removals: self.max_removals.or(earlier.max_removals),
            protected: self.protected.or(earlier.protected),
            protected_roles: self.protected_roles.or(earlier.protected_roles),
            allow_own_boundary: self.allow_own_boundary.or(earlier.allow_own_boundary),
            widening: self.widening.or(earlier.widening),
            taking_used: self.taking_used.or(earlier.taking_used),
        }
    }

    /// The guard rails, and the positions of the patterns of protected users and roles.
    pub(super) fn into_guard(self) -> (Guard, ByKind<Vec<Located<NamePattern>>>) {
        let protected = ByKind {
            users: self.protected.unwrap_or_default(),
            roles: self.protected_roles.unwrap_or_default(),
        };
        let patterns = |located: &[Located<NamePattern>]| {
            located.iter().map(|pattern| pattern.value.clone()).collect()
        };
        let guard = Guard {
            max_changes: self.max_changes,
            max_removals: self.max_removals,
            protected: patterns(&protected.users),
            protected_roles: patterns(&protected.roles),
            allow_own_boundary: self.allow_own_boundary.unwrap_or_default(),
            widening: self.widening.unwrap_or_default(),
            taking_used: self.taking_used,
        };
        (guard, protected)
    }
}
