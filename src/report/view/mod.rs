//! One view of plans, runs and file checks: plain values that every renderer reads.
//!
//! This module chooses the grouping, the wording and the advice once. A renderer chooses the layout and escapes
//! untrusted text.

mod advice;
mod blame;
mod check;
mod coverage;
mod coverage_view;
mod document;
mod explanation;
mod fleet;
mod fleet_run;
mod guard;
mod impact;
mod merged_runs;
mod plan;
mod problem;
mod refused;
mod run;
mod same;
mod text;
mod words;

pub use advice::advice;
pub use check::errors_in_files;
pub use document::PLAN_MARKER;
pub use fleet::{fleet_override_help, fleet_statements};
pub(super) use guard::{GUARD_RAIL, violated_guard_rails};
pub use guard::{guard_rails, override_help, statements};
pub use words::summary_counts;

pub(super) use advice::{advice_on_account, advice_on_failed, advice_on_stop};
pub(super) use check::{ListedCounts, check, check_fleet, file_errors};
pub(super) use coverage_view::{CoverageGroup, CoverageState, CoverageView};
pub(super) use document::{
    Body, Boundary, ChangeKind, ChangeView, Closing, CountsRow, Difference, Document, FleetAccount,
    FleetDocument, FleetRow, Place, RUN_MARKER, Row, Section, Severity, Tone,
};
pub(super) use explanation::explanation;
pub(super) use fleet::{fleet_plan, fleet_review};
pub(super) use fleet_run::{FleetEvents, FleetRunView, Totals, reason_code};
pub(super) use impact::impact;
pub(super) use merged_runs::merged_runs;
pub(super) use plan::{change_view, plan, review};
pub(super) use problem::{problem_help, problem_statement};
pub(super) use refused::refused;
pub(super) use run::{Attempted, Run, attempted};
pub(super) use same::named_rows;
pub(super) use text::{Span, Text};
pub(super) use words::{add_counts, counted, counted_more, counted_rows, grouped, principals};
