//! The result of a command in the
//! [text format of Prometheus](https://prometheus.io/docs/instrumenting/exposition_formats/), for the textfile collector of
//! the node exporter.

use std::fmt::Write;
use std::time::Duration;

use strum::VariantArray;

use crate::apply::{AccountEnd, FleetRun, Summary};
use crate::iam::{AccountId, AccountName, PrincipalKind, Timestamp};
use crate::plan::{Change, Counts, FleetPlan, Origin, Plan, Preflight, Severity};

/// What a command did, as numbers.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// The command: `plan`, `apply` or `rollback`.
    pub command: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// When the command ended.
    pub ended: Timestamp,
    /// The duration of the command.
    pub duration: Duration,
    /// When the command succeeded last; `None` if that is not known.
    pub last_success: Option<f64>,
    /// The accounts, as far as their results are known.
    pub accounts: Vec<AccountMetrics>,
}

/// The numbers of one account.
#[derive(Debug, Clone)]
pub struct AccountMetrics {
    account: AccountId,
    /// Its name in a fleet.
    name: Option<AccountName>,
    /// Each metric that is about the account, with its labels and its value.
    samples: Vec<(Metric, String, usize)>,
}

/// The metrics of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub(super) enum Metric {
    Changes,
    InSync,
    Problems,
    Missing,
    DriftedPolicies,
    Unlisted,
    UnlistedWithoutBoundary,
    AccountFailed,
    Applied,
    Failed,
    NotAttempted,
    NotVerified,
    Conflicts,
    Calls,
    ThrottledCalls,
}

impl Metric {
    /// Its name without the prefix, and what it says.
    fn described(self) -> (&'static str, &'static str) {
        match self {
            Metric::Changes => ("changes", "Changes in the plan, by action and origin."),
            Metric::InSync => ("in_sync", "Principals that match the files."),
            Metric::Problems => ("problems", "Listed principals that cannot be planned."),
            Metric::Missing => ("missing", "Listed principals that do not exist, as warnings."),
            Metric::DriftedPolicies => ("drifted_policies", "Pinned policies that differ."),
            Metric::Unlisted => ("unlisted", "Principals in no entry and no rule."),
            Metric::UnlistedWithoutBoundary => {
                ("unlisted_without_boundary", "Unlisted principals without any boundary.")
            }
            Metric::AccountFailed => (
                "account_failed",
                "1 if the account could not be planned or its run could not begin.",
            ),
            Metric::Applied => ("applied", "Changes that were made."),
            Metric::Failed => ("failed", "Changes that failed or were not found by verification."),
            Metric::NotAttempted => ("not_attempted", "Changes that were not attempted."),
            Metric::NotVerified => ("not_verified", "Changes that could not be verified."),
            Metric::Conflicts => ("conflicts", "Changes in conflict with the account."),
            Metric::Calls => ("calls", "Calls to write, retries included."),
            Metric::ThrottledCalls => ("throttled_calls", "Calls that IAM throttled."),
        }
    }
}

impl AccountMetrics {
    /// The sum of a metric over accounts.
    pub(super) fn total(accounts: &[AccountMetrics], metric: Metric) -> usize {
        let samples = accounts.iter().flat_map(|account| &account.samples);
        samples.filter(|(of, ..)| *of == metric).map(|(.., value)| value).sum()
    }

    /// The numbers of a plan.
    pub fn of_plan(plan: &Plan, name: Option<&AccountName>) -> AccountMetrics {
        let mut samples = Vec::new();
        let origins = match plan.source.base() {
            None => vec![(None, "unknown")],
            Some(_) => {
                vec![(Some(Origin::ThisChange), "this_change"), (Some(Origin::Drift), "drift")]
            }
        };
        for (origin, word) in origins {
            let of_origin = |change: &&Change| change.origin == origin;
            let counts = Counts::of(plan.changes.iter().filter(of_origin));
            for (action, count) in
                [("add", counts.add), ("change", counts.change), ("remove", counts.remove)]
            {
                let labels = format!(r#",action="{action}",origin="{word}""#);
                samples.push((Metric::Changes, labels, count));
            }
        }
        for kind in PrincipalKind::ALL {
            let labels = format!(r#",kind="{}""#, kind.noun());
            samples.push((Metric::InSync, labels.clone(), plan.in_sync.of_kind(kind)));
            if let Some(unlisted) = plan.unlisted.of(kind) {
                samples.push((Metric::Unlisted, labels.clone(), unlisted.count));
                if let Some(without) = unlisted.without_boundary {
                    samples.push((Metric::UnlistedWithoutBoundary, labels, without));
                }
            }
        }
        for (metric, count) in [
            (Metric::Problems, plan.problems_of(Severity::Error).count()),
            (Metric::Missing, plan.problems_of(Severity::Warning).count()),
            (Metric::DriftedPolicies, plan.drifted.len()),
            (Metric::AccountFailed, 0),
        ] {
            samples.push((metric, String::new(), count));
        }
        AccountMetrics { account: plan.account, name: name.cloned(), samples }
    }

    /// The numbers of a run.
    pub fn of_run(
        preflight: &Preflight,
        summary: &Summary,
        name: Option<&AccountName>,
    ) -> AccountMetrics {
        let mut metrics = AccountMetrics::of_plan(&preflight.plan, name);
        let of_calls = |calls: u64| usize::try_from(calls).unwrap_or(usize::MAX);
        let counts = [
            (Metric::Applied, summary.applied),
            (Metric::Failed, summary.failed + summary.not_as_written),
            (Metric::NotAttempted, summary.not_attempted),
            (Metric::NotVerified, summary.not_verified),
            (Metric::Conflicts, summary.all_conflicts(preflight)),
            (Metric::Calls, of_calls(summary.calls.made)),
            (Metric::ThrottledCalls, of_calls(summary.calls.throttled)),
        ];
        metrics.samples.extend(counts.map(|(metric, count)| (metric, String::new(), count)));
        metrics
    }

    fn failed(account: AccountId, name: &AccountName) -> AccountMetrics {
        let samples = vec![(Metric::AccountFailed, String::new(), 1)];
        AccountMetrics { account, name: Some(name.clone()), samples }
    }

    /// The numbers of the plans of a fleet.
    pub fn of_fleet_plan(plan: &FleetPlan) -> Vec<AccountMetrics> {
        let of = |it: &crate::plan::AccountPlan| match &it.plan {
            Ok(plan) => AccountMetrics::of_plan(plan, Some(&it.account.name)),
            Err(_) => AccountMetrics::failed(it.account.id, &it.account.name),
        };
        plan.accounts.iter().map(of).collect()
    }

    /// The numbers of a run on a fleet.
    pub fn of_fleet_run(run: &FleetRun) -> Vec<AccountMetrics> {
        if run.accounts.is_empty() {
            return AccountMetrics::of_fleet_plan(&run.plan);
        }
        let of = |it: &std::sync::Arc<crate::apply::AccountRun>| {
            let (id, name) = (it.account.id, &it.account.name);
            match &it.end {
                AccountEnd::Completed { preflight, summary, .. } => {
                    AccountMetrics::of_run(preflight, summary, Some(name))
                }
                AccountEnd::Refused { preflight, .. } => {
                    let not_attempted = preflight.plan.changes.len();
                    let summary = Summary { not_attempted, ..Summary::default() };
                    AccountMetrics::of_run(preflight, &summary, Some(name))
                }
                AccountEnd::NotBegun { changes, .. } => AccountMetrics {
                    account: id,
                    name: Some(name.clone()),
                    samples: vec![(Metric::NotAttempted, String::new(), *changes)],
                },
                AccountEnd::Failed(_) => AccountMetrics::failed(id, name),
            }
        };
        run.accounts.iter().map(of).collect()
    }
}

const PREFIX: &str = "iam_boundaries_";
const LAST_SUCCESS: &str = "last_success_timestamp_seconds";

impl Metrics {
    /// The metrics as text. Samples of one metric are together, as the format requires.
    pub fn render(&self) -> String {
        let Metrics { command, exit_code, ended, duration, last_success, accounts } = self;
        let mut text = String::new();
        let command = format!(r#"command="{command}""#);
        let seconds = (duration.as_secs_f64() * 1e3).round() / 1e3;
        let ended = ended.unix_seconds() as f64;
        for (name, help, value) in [
            ("last_run_timestamp_seconds", "When the command ended.", Some(ended)),
            (LAST_SUCCESS, "When the command succeeded last.", *last_success),
            ("last_run_duration_seconds", "The duration of the command.", Some(seconds)),
            ("last_run_exit_code", "The exit code of the command.", Some(f64::from(*exit_code))),
        ] {
            if let Some(value) = value {
                head(&mut text, name, help);
                line(&mut text, name, &command, value);
            }
        }
        for metric in Metric::VARIANTS {
            let (name, help) = metric.described();
            let samples = accounts.iter().flat_map(|account| {
                let of_metric = account.samples.iter().filter(|(of, _, _)| of == metric);
                of_metric.map(move |(_, labels, value)| (account, labels, *value))
            });
            let mut samples = samples.peekable();
            if samples.peek().is_some() {
                head(&mut text, name, help);
            }
            for (AccountMetrics { account, name: of_fleet, .. }, labels, value) in samples {
                let of_fleet = of_fleet.as_ref().map(AccountName::as_str).unwrap_or_default();
                let of_fleet = label_value(of_fleet);
                let labels = format!(r#"{command},account="{account}",name="{of_fleet}"{labels}"#);
                line(&mut text, name, &labels, value as f64);
            }
        }
        text
    }

    /// When the command succeeded last, as the text of an earlier run says.
    pub fn last_success_in(text: &str, command: &str) -> Option<f64> {
        let begin = format!(r#"{PREFIX}{LAST_SUCCESS}{{command="{command}"}} "#);
        text.lines().find_map(|line| line.strip_prefix(&begin)?.trim().parse().ok())
    }
}

fn head(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} gauge");
}

fn line(text: &mut String, name: &str, labels: &str, value: f64) {
    let _ = writeln!(text, "{PREFIX}{name}{{{labels}}} {value}");
}

/// The value of a label: the format escapes the backslash, the quotation mark and the line feed. A name has no other
/// character that must not be in a label.
fn label_value(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}
