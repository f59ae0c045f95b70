//! The definition of the command line. `--help`, the completions and the manual pages are generated from it.

mod apply;
mod check;
mod completions;
mod example;
mod fleet;
mod format;
mod global;
mod guard;
mod impact;
mod import;
mod man;
mod metrics;
mod no_file;
mod permissions;
mod plan;
mod report;
mod rollback;
mod sandbox;
mod schema;
mod scoped;
mod selection;
mod show;
mod unknown_option;
mod value;

pub(super) use apply::ApplyArgs;
pub(super) use check::CheckArgs;
pub(super) use completions::CompletionsArgs;
pub(super) use example::Example;
pub(super) use fleet::{FleetApplyArgs, FleetArgs, ShardArgs};
pub(super) use format::Format;
pub(super) use global::{Args, Color, Command};
pub(super) use guard::{LimitArgs, OverrideArgs};
pub(super) use impact::ImpactArgs;
pub(super) use import::{CheckFormat, ImportArgs, ImportMode};
pub(super) use man::ManArgs;
pub(super) use metrics::MetricsArgs;
use no_file::NoFile;
pub(super) use permissions::{FleetPermissionsArgs, GithubArgs, GitlabArgs, PermissionsCommand};
pub(super) use plan::{PlanArgs, PlanOutput};
pub(super) use report::{MergeArgs, ReportCommand};
pub(super) use rollback::RollbackArgs;
pub(super) use sandbox::{SandboxCommand, ServeArgs};
pub(super) use schema::{SchemaArgs, SchemaOf};
pub(super) use scoped::{Scope, Scoped};
pub(super) use selection::SelectionArgs;
pub(super) use show::ShowArgs;
pub(super) use unknown_option::with_useful_tip;

/// The examples of a command, by the name of its manual page; none if there is no such command.
pub(super) fn examples(page: &str) -> Option<&'static [Example]> {
    Some(match page {
        "iam-boundaries" => global::EXAMPLES,
        "iam-boundaries-check" => check::EXAMPLES,
        "iam-boundaries-plan" => plan::EXAMPLES,
        "iam-boundaries-show" => show::EXAMPLES,
        "iam-boundaries-apply" => apply::EXAMPLES,
        "iam-boundaries-rollback" => rollback::EXAMPLES,
        "iam-boundaries-report" => report::EXAMPLES,
        "iam-boundaries-report-merge" => report::MERGE_EXAMPLES,
        "iam-boundaries-impact" => impact::EXAMPLES,
        "iam-boundaries-permissions" => permissions::EXAMPLES,
        "iam-boundaries-permissions-plan" => permissions::PLAN_EXAMPLES,
        "iam-boundaries-permissions-apply" => permissions::APPLY_EXAMPLES,
        "iam-boundaries-permissions-impact" => permissions::IMPACT_EXAMPLES,
        "iam-boundaries-permissions-fleet" => permissions::FLEET_EXAMPLES,
        "iam-boundaries-permissions-trust-github" => permissions::GITHUB_EXAMPLES,
        "iam-boundaries-permissions-trust-gitlab" => permissions::GITLAB_EXAMPLES,
        "iam-boundaries-permissions-scp" => permissions::SCP_EXAMPLES,
        "iam-boundaries-import" => import::EXAMPLES,
        "iam-boundaries-schema" => schema::EXAMPLES,
        "iam-boundaries-completions" => completions::EXAMPLES,
        "iam-boundaries-man" => man::EXAMPLES,
        "iam-boundaries-sandbox" => sandbox::EXAMPLES,
        "iam-boundaries-sandbox-serve" => sandbox::SERVE_EXAMPLES,
        "iam-boundaries-sandbox-reset" => sandbox::RESET_EXAMPLES,
        _ => return None,
    })
}
