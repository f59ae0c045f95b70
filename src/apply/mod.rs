//! Applies a plan concurrently. One failed change does not stop the others. Each change that IAM may have made
//! is verified by reading the principal again, and each change has exactly one outcome.

mod event;
mod fleet;
mod pending;
mod run;
mod systemic_failure;
mod verify;

pub use event::{Event, Item, StopError, Summary, Verification};
pub use fleet::{
    AccountEnd, AccountResult, AccountRun, FleetEvent, FleetResult, FleetRun, FleetRunHeader,
    FleetStage, NotBegun,
};
pub use run::{Run, RunOptions, apply};
