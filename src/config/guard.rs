use crate::iam::{NamePattern, PrincipalKind, Threshold};

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
