//! Carrying a plan out: concurrently, one item's failure apart from the others, each item read back and
//! accounted for.

mod event;
mod hopeless;
mod read_back;
mod rollback;
mod run;

pub use event::{Event, Item, Outcome, ReadBack, StopError, Summary};
pub use rollback::{changed_users, check_journal_scope, rollback};
pub use run::{Limits, Run, apply};

// Events carry what a call ended with, so those who show events find it here.
pub use crate::aws::{ApiError, CallOutcome, ErrorClass, Reading, StopReason};
