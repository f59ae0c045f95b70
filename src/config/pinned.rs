use std::sync::Arc;

use super::Position;
use crate::iam::Printable;
use crate::impact::CanonicalDocument;

/// The document that the default version of a policy must have, from `[boundaries]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedDocument {
    /// The path of the document's file.
    pub path: Printable,
    /// The document.
    pub document: Arc<CanonicalDocument>,
    /// The position in the boundaries file that names the document.
    pub position: Position,
}
