//! The use cases of a fleet. In each account, they are those of a single account.

mod access;
mod account;
mod account_run;
mod apply;
mod merge;
mod options;
mod plan;
mod rollback;
mod run_directory;
mod side_by_side;
mod targets;

pub use account_run::OnUnfinished;
pub use apply::{FleetInteraction, FleetReview, apply_fleet};
pub use merge::{MergeOptions, Merged, merge};
pub use options::{FleetApplyOptions, FleetInput};
pub use plan::{FleetMaking, FleetPlanOptions, plan_fleet};
pub use rollback::{FleetRollbackOptions, rollback_fleet};
pub use run_directory::{UnfinishedFleetRun, is_run_directory};
pub use side_by_side::FleetEvents;
pub use targets::{FleetSelection, Omitted};
