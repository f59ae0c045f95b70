use crate::iam::{NamePattern, Threshold};

/// The guard rails that a file sets: what no plan of it may do without a further word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// The most users that a plan may change, removals included; none where the file is silent.
    pub max_changes: Option<Threshold>,
    /// The most users who may lose their boundary; none where the file is silent.
    pub max_removals: Option<Threshold>,
    /// Users whose boundary is never touched.
    pub protected: Vec<NamePattern>,
    /// Whether the user who runs the tool may change the own boundary.
    pub allow_own_boundary: bool,
}
