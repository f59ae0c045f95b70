//! The output for people and machines: plans, runs and file checks as text, JSON, Markdown and GitHub Actions
//! workflow commands, and the progress of a run and of long waits.
//!
//! Everything is made from plans, events and diagnostics. `view` chooses the wording, the grouping and the
//! advice once; each format is one file that lays out the view and escapes untrusted text. To add a format, add a variant to
//! [`Format`] and a file with its renderer.

mod bar;
mod comparison;
mod escape;
mod fleet;
mod fleet_lines;
mod fleet_progress;
mod format;
mod github;
mod headline;
mod html;
mod json;
mod json_check;
mod json_comparison;
mod json_explanation;
mod json_fleet;
mod json_impact;
mod markdown;
mod markdown_fleet;
mod merged_runs;
mod metrics;
mod progress;
mod render;
mod reporter;
mod screen;
mod shard_report;
mod style;
mod text;
mod text_fleet;
mod view;
mod wait;
mod wrap;

pub use bar::{BarHandle, ProgressDisplay};
pub use comparison::{ComparedFile, render_comparison, render_update};
pub use fleet::{
    FleetReporter, fleet_reporter, render_fleet_plan, render_fleet_review, render_merged_runs,
};
pub use fleet_progress::FleetProgress;
pub use format::Format;
pub use headline::Headline;
pub use json_comparison::render_comparison_json;
pub use merged_runs::MergedRuns;
pub use metrics::{AccountMetrics, Metrics};
pub use progress::Progress;
pub use render::{
    render_check, render_explanation, render_file_errors, render_fleet_check, render_impact,
    render_plan, render_refused, render_review, run_reporter,
};
pub use reporter::RunReporter;
pub use screen::Screen;
pub use shard_report::ShardReportError;
pub use style::Style;
pub use view::{
    PLAN_MARKER, advice, errors_in_files, fleet_override_help, fleet_statements, guard_rails,
    override_help, statements, summary_counts,
};
pub use wait::WaitDisplay;
