//! The plans of the accounts of a fleet.

mod content;
mod guard;
mod merge;
mod problem;

pub use content::{AccountPlan, FleetAccountRef, FleetPlan, FleetSource, FleetTotals, Uncovered};
pub use guard::{FleetOverrides, FleetViolation};
pub use merge::{MergeError, missing_shards};
pub use problem::{AccountProblem, AccountProblemCode};
