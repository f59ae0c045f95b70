use crate::iam::{NamePattern, Threshold};

/// The guard rails that a file sets: what a plan must not do without an override.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// The maximum number of users that a plan changes, removals included; `None` if the file sets none.
    pub max_changes: Option<Threshold>,
    /// The maximum number of users whose boundary a plan removes; `None` if the file sets none.
    pub max_removals: Option<Threshold>,
    /// Users whose boundary must not be changed.
    pub protected: Vec<NamePattern>,
    /// Whether the user whose credentials run the tool may change its own boundary.
    pub allow_own_boundary: bool,
}
