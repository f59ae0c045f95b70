use super::PolicyArn;

/// A change of one principal's permissions boundary. The old and the new boundary are always different.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BoundaryChange {
    /// The principal has no boundary and gets one.
    Add {
        /// The new boundary.
        to: PolicyArn,
    },
    /// The principal has a boundary and gets another.
    Change {
        /// The current boundary.
        from: PolicyArn,
        /// The new boundary.
        to: PolicyArn,
    },
    /// The principal has a boundary and loses it.
    Remove {
        /// The current boundary.
        from: PolicyArn,
    },
}

impl BoundaryChange {
    /// The change from one boundary to another; `None` if they are equal.
    pub fn between(from: Option<&PolicyArn>, to: Option<&PolicyArn>) -> Option<BoundaryChange> {
        match (from.cloned(), to.cloned()) {
            (None, None) => None,
            (None, Some(to)) => Some(BoundaryChange::Add { to }),
            (Some(from), None) => Some(BoundaryChange::Remove { from }),
            (Some(from), Some(to)) if from == to => None,
            (Some(from), Some(to)) => Some(BoundaryChange::Change { from, to }),
        }
    }

    /// The current boundary; `None` if the principal has none.
    pub fn from(&self) -> Option<&PolicyArn> {
        match self {
            BoundaryChange::Add { .. } => None,
            BoundaryChange::Change { from, .. } | BoundaryChange::Remove { from } => Some(from),
        }
    }

    /// The new boundary; `None` if the boundary is removed.
    pub fn to(&self) -> Option<&PolicyArn> {
        match self {
            BoundaryChange::Add { to } | BoundaryChange::Change { to, .. } => Some(to),
            BoundaryChange::Remove { .. } => None,
        }
    }

    /// The change in one word, as machine-readable formats have it.
    pub fn word(&self) -> &'static str {
        match self {
            BoundaryChange::Add { .. } => "add",
            BoundaryChange::Change { .. } => "change",
            BoundaryChange::Remove { .. } => "remove",
        }
    }

    /// The sign that Terraform uses for such a change.
    pub fn sign(&self) -> char {
        match self {
            BoundaryChange::Add { .. } => '+',
            BoundaryChange::Change { .. } => '~',
            BoundaryChange::Remove { .. } => '-',
        }
    }
}
