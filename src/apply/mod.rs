//! Applying a plan: concurrently, so that one failed change does not stop the others. Each change is verified
//! by reading it back, and has exactly one outcome.

mod event;
mod run;
mod systemic_failure;
mod verify;

pub use event::{Event, Item, StopError, Summary, Verification};
pub use run::{Run, RunOptions, apply};
