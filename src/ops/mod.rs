//! The use cases: one function each, from options to an outcome or a typed error. This module knows no command
//! line, no terminal and no exit code.

mod apply;
mod blame;
mod check;
mod error;
mod explain;
mod fleet;
mod fleet_error;
mod from_csv;
mod impact;
mod import;
mod input;
mod io_reason;
mod out_file;
mod permissions;
mod plan;
mod policy_documents;
mod policy_file;
mod rollback;
mod saved_plan;
mod saved_plan_error;
mod selection;
mod session;
mod time_limit;
mod update;

pub use apply::{ApplyInput, ApplyOptions, ApplyOutcome, EventSink, Interaction, Review, apply};
pub use check::{check, check_fleet};
pub use error::{Declined, Error};
pub use explain::{ExplainOptions, explain};
pub use fleet::{
    FleetApplyOptions, FleetEvents, FleetInput, FleetInteraction, FleetMaking, FleetPlanOptions,
    FleetReview, FleetRollbackOptions, FleetSelection, MergeOptions, Merged, Omitted, OnUnfinished,
    UnfinishedFleetRun, apply_fleet, is_run_directory, merge, plan_fleet, rollback_fleet,
};
pub use fleet_error::FleetError;
pub use from_csv::{FromCsv, FromCsvOptions, from_csv};
pub use impact::{ImpactOptions, impact};
pub use import::{ImportOptions, Imported, import};
pub use permissions::{Permissions, PermissionsOptions, fleet_permissions, permissions};
pub use plan::{Making, PlanOptions, plan};
pub use policy_file::{PolicyFileError, PolicyFileReason};
pub use rollback::{RollbackOptions, rollback};
pub use saved_plan::{SavedPlan, read_plan, write_fleet_plan, write_plan};
pub use saved_plan_error::{ReadPlanError, WritePlanError};
pub use selection::Selection;
pub use session::ImpactScope;
pub use time_limit::OnWait;
pub use update::{CompareOptions, Compared, UpdateOptions, compare, update};
