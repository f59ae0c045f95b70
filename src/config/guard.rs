use crate::iam::{Limit, UserPattern};

/// The guard rails that a file sets: what no plan of it may do without a further word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// The most users that a plan may change, removals included; none where the file is silent.
    pub max_changes: Option<Limit>,
    /// The most users who may lose their boundary; none where the file is silent.
    pub max_removals: Option<Limit>,
    /// Users whose boundary is never touched.
    pub protected: Vec<UserPattern>,
    /// Whether the user who runs the tool may change the own boundary.
    pub allow_own_boundary: bool,
}
