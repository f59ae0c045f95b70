//! What a change of a permissions boundary gives and takes: policy documents, the catalog of actions, and the
//! comparison of what is allowed before and after. This module is pure.

mod access;
mod action_set;
mod actions;
mod canonical;
mod catalog;
mod compared;
mod comparison;
mod document;
mod folding;
mod permissions;
mod summary;
mod tally;

pub use access::{Access, Extent};
pub use action_set::ActionSet;
pub use actions::{Action, Actions};
pub use canonical::CanonicalDocument;
pub use catalog::{AccessLevel, Catalog};
pub use compared::{ComparedDocuments, Named};
pub use comparison::{Comparison, Direction, Step};
pub use document::{Document, DocumentError};
pub use folding::{Folded, folded};
pub use permissions::Permissions;
pub use summary::{Summary, Tally};
pub use tally::{ServiceTally, services};
