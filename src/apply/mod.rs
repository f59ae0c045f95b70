//! Carrying a plan out: concurrently, one item's failure apart from the others, each item accounted for.

mod event;
pub mod journal;
mod rollback;
mod run;

pub use event::{Event, Item, Summary};
pub use rollback::{changed_users, check_journal_scope, rollback};
pub use run::{Limits, apply};

// Events carry what a call ended with, so those who show events find it here.
pub use crate::live::{CallError, ErrorClass, Outcome, StopReason};
