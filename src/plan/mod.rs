//! The difference between the files and the account, and the saved plan.
//!
//! This module has no clock, no network access and no file access.

mod base;
mod change;
mod content;
mod difference;
mod guard;
mod policies;
mod preflight;
mod rollback;
pub mod saved;
mod scope;
mod source;

pub use change::{Change, Origin, Problem, ProblemKind};
pub use content::{Counts, Plan};
pub use guard::{
    AccountCount, DefaultThreshold, EffectiveThreshold, Excess, Guard, Overrides, ShareBase,
    Supervision, Violation,
};
pub use preflight::{Preflight, Refused, Verdict};
pub use rollback::{changed_principals, rollback};
pub use scope::{ScopeError, check_account, check_journal_scope, check_plan_scope, check_scope};
pub use source::{Base, PlanSource, SourceFile};
