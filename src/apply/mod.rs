//! Carrying a plan out: concurrently, one item's failure apart from the others, each item read back and
//! accounted for.

mod event;
mod hopeless;
mod read_back;
mod run;

pub use event::{Class, Event, Item, ReadBack, Summary};
pub use run::{Limits, Run, apply};

// Events carry what a call ended with, so those who show events find it here.
pub use crate::live::{CallError, ErrorClass, Outcome, Reading, StopReason};
