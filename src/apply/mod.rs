//! Carrying a plan out: concurrently, one item's failure apart from the others, each item read back and
//! accounted for.

mod event;
mod hopeless;
mod read_back;
mod rollback;
mod run;

pub use event::{Class, Event, Item, ReadBack, StopError, Summary};
pub use rollback::{changed_users, check_journal_scope, rollback};
pub use run::{Limits, Run, apply};

// Events carry what a call ended with, so those who show events find it here.
pub use crate::aws::{CallError, ErrorClass, Outcome, Reading, StopReason};
