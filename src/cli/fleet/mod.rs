//! The commands on the accounts of a fleet.

mod apply;
mod check;
mod plan;
mod progress;
mod reporter;
mod unfinished;

pub(super) use apply::{apply_files, apply_saved, exit};
pub(super) use check::check;
pub(super) use plan::{part, plan, rollback, saved};
