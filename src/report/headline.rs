//! One line about the result of a command, for notifications, and whether the result calls for attention.

use super::merged_runs::MergedRuns;
use super::metrics::{AccountMetrics, Metric};
use super::shard_report::{ReportedAccount, ReportedCounts, ReportedEnd};
use super::view::{self, Body, Section, Severity, counted, grouped};
use crate::apply::{AccountEnd, FleetResult, FleetRun, Summary};
use crate::config::{Comparison, OnUnlisted};
use crate::iam::{AccountId, Printable};
use crate::plan::{FleetOverrides, FleetPlan, FleetSource, Plan, PlanSource, Preflight};

/// The result of a command in one line of at most [`Headline::MAX_LENGTH`] characters.
#[derive(Debug, Clone)]
pub struct Headline {
    /// Whether something calls for attention.
    needs_attention: bool,
    /// What the result is about, such as `account 123456789012 (prod)`.
    subject: String,
    /// What calls for attention: `3 changes`, `2 problems`. The most important is first.
    parts: Vec<String>,
}

impl Headline {
    /// The maximum length of a line, in characters.
    pub const MAX_LENGTH: usize = 120;

    /// The line of a plan. Changes call for attention.
    pub fn of_plan(plan: &Plan) -> Headline {
        let mut parts = changes(&[AccountMetrics::of_plan(plan, None)]);
        parts.extend(violated(view::violated_guard_rails(plan)));
        parts.extend(problems(&[plan]));
        let document = view::plan(plan);
        Headline {
            needs_attention: !plan.changes.is_empty() || has_problem(&document.sections),
            subject: account(plan),
            parts,
        }
    }

    /// The line of the plans of a fleet. Changes call for attention.
    pub fn of_fleet_plan(plan: &FleetPlan) -> Headline {
        let mut parts = changes(&AccountMetrics::of_fleet_plan(plan));
        let plans = plan.accounts.iter().filter_map(|it| it.plan.as_ref().ok());
        let of_accounts: usize = plans.map(view::violated_guard_rails).sum();
        let of_fleet = plan.violations(&FleetOverrides::default()).len();
        parts.extend(violated(of_fleet + of_accounts));
        parts.extend(fleet_problems(plan));
        Headline {
            needs_attention: plan.changes() > 0 || has_problem_in_fleet(plan),
            subject: fleet(plan),
            parts,
        }
    }

    /// The line of a run on an account. Changes that were made do not call for attention.
    pub fn of_run(preflight: &Preflight, summary: &Summary) -> Headline {
        let plan = &preflight.plan;
        let mut parts = outcomes(&[AccountMetrics::of_run(preflight, summary, None)]);
        parts.extend(problems(&[plan]));
        Headline {
            needs_attention: !summary.is_complete()
                || !preflight.is_all_possible()
                || has_problem(&view::review(plan).sections),
            subject: account(plan),
            parts,
        }
    }

    /// The line of a run on a fleet. Changes that were made do not call for attention.
    pub fn of_fleet_run(run: &FleetRun) -> Headline {
        let mut parts = outcomes(&AccountMetrics::of_fleet_run(run));
        let refused = run.accounts.iter().filter(|it| matches!(it.end, AccountEnd::Refused { .. }));
        parts.extend(some(refused.count(), |count| format!("{} refused", counted(count, "plan"))));
        parts.extend(fleet_problems(&run.plan));
        let is_problem = |end: &AccountEnd| match end {
            AccountEnd::Completed { preflight, .. } => {
                has_problem(&view::review(&preflight.plan).sections)
            }
            _ => true,
        };
        Headline {
            needs_attention: !run.is_complete()
                || has_problem_in_fleet(&run.plan)
                || run.accounts.iter().any(|it| is_problem(&it.end)),
            subject: fleet(&run.plan),
            parts,
        }
    }

    /// The line of the runs of the shards of a fleet. Changes that were made do not call for attention.
    pub fn of_merged_runs(runs: &MergedRuns) -> Headline {
        let counts = runs.counts();
        let sum = |count: fn(&ReportedCounts) -> usize| {
            runs.accounts().map(|account| count(&account.counts)).sum::<usize>()
        };
        let missing = runs.missing.len() + runs.not_ended().count();
        // Changes that failed are counted below.
        let is_failed =
            |account: &&ReportedAccount| matches!(account.end, ReportedEnd::Failed { .. });
        let accounts = [
            (runs.accounts().filter(is_failed).count(), "failed"),
            (counts.accounts_refused, "refused"),
            (counts.accounts_not_begun, "not begun"),
        ];
        let accounts = accounts.into_iter().filter_map(|(accounts, word)| {
            some(accounts, |count| format!("{} {word}", counted(count, "account")))
        });
        let changes = outcomes_of(|metric| match metric {
            Metric::Failed => counts.failed,
            Metric::NotAttempted => counts.not_attempted,
            Metric::NotVerified => sum(|counts| counts.not_verified),
            Metric::Conflicts => counts.conflicts,
            Metric::Applied => counts.applied,
            _ => 0,
        });
        let shards =
            some(missing, |count| format!("{} missing or not ended", counted(count, "shard")));
        let problems = some(sum(|counts| counts.problems), |count| counted(count, "problem"));
        let uncovered = some(counts.accounts_not_covered, |count| {
            format!("{} not covered", counted(count, "account"))
        });
        let parts = shards.into_iter().chain(accounts).chain(changes);
        Headline {
            needs_attention: runs.result() != FleetResult::Complete
                || has_problem(&view::merged_runs(runs).document.sections),
            subject: format!("fleet {}", file_name(&runs.fleet.path)),
            parts: parts.chain(problems).chain(uncovered).collect(),
        }
    }

    /// The line of a check of files without errors. Warnings call for attention.
    pub fn of_check(file: &Printable, warnings: usize) -> Headline {
        Headline {
            needs_attention: warnings > 0,
            subject: file_name(file),
            parts: some(warnings, |count| counted(count, "warning")).into_iter().collect(),
        }
    }

    /// The line of a comparison of an account with a file. Differences call for attention.
    pub fn of_comparison(comparison: &Comparison, account: AccountId) -> Headline {
        let Comparison { different, missing, unlisted, .. } = comparison;
        let parts = [
            some(different.len(), |count| format!("{} different", grouped(count))),
            some(missing.len(), |count| format!("{} missing", grouped(count))),
            some(unlisted.len(), |count| format!("{} unlisted with a boundary", grouped(count))),
        ];
        Headline {
            needs_attention: !comparison.is_match(),
            subject: format!("account {account}"),
            parts: parts.into_iter().flatten().collect(),
        }
    }

    /// Whether something calls for attention.
    pub fn needs_attention(&self) -> bool {
        self.needs_attention
    }

    /// The line: `iam-boundaries plan: 3 changes and 2 problems in account 123456789012 (prod)`.
    pub fn line(&self, command: &str) -> String {
        let (what, rest) = match self.parts.split_last() {
            None => ("warnings".to_owned(), String::new()),
            Some((only, [])) => (only.clone(), String::new()),
            Some((last, others)) => (others.join(", "), format!(" and {last}")),
        };
        let line = format!("iam-boundaries {command}: {what}{rest} in {}", self.subject);
        if line.chars().count() <= Self::MAX_LENGTH || self.parts.is_empty() {
            return shortened(&line);
        }
        let fewer = self.parts.split_last().map_or(&[][..], |(_, others)| others);
        Headline { parts: fewer.to_vec(), ..self.clone() }.line(command)
    }

    /// The line of a command that succeeded, and that printed warnings.
    pub fn with_warnings(command: &str, result: Option<&Headline>) -> String {
        let subject = result.map(|result| format!(" in {}", result.subject)).unwrap_or_default();
        shortened(&format!("iam-boundaries {command} succeeded with warnings{subject}"))
    }

    /// The line of an interrupted command.
    pub fn interrupted(command: &str, result: Option<&Headline>) -> String {
        let begin = format!("{command} was interrupted");
        match result {
            None => format!("iam-boundaries {begin}"),
            Some(result) => result.line(&begin),
        }
    }

    /// The line of a command that failed with this message, after `result` if it had one.
    pub fn failed(command: &str, result: Option<&Headline>, message: &str) -> String {
        let first = message.lines().next().unwrap_or_default();
        let subject = match result {
            Some(result) if !first.contains(&*result.subject) => format!(" in {}", result.subject),
            _ => String::new(),
        };
        shortened(&format!("iam-boundaries {command} failed{subject}: {first}"))
    }
}

/// The text, without the words that exceed the length of a line.
fn shortened(text: &str) -> String {
    if text.chars().count() <= Headline::MAX_LENGTH {
        return text.to_owned();
    }
    let fitting: String = text.chars().take(Headline::MAX_LENGTH - 1).collect();
    let words = fitting.rsplit_once(' ').map_or(&*fitting, |(words, _)| words);
    format!("{}…", words.trim_end_matches([',', ';', ':']))
}

fn account(plan: &Plan) -> String {
    match &plan.account_alias {
        Some(alias) => format!("account {} ({alias})", plan.account),
        None => format!("account {}", plan.account),
    }
}

fn fleet(plan: &FleetPlan) -> String {
    let subject = match &plan.source {
        FleetSource::File(file) => format!("fleet {}", file_name(&file.path)),
        FleetSource::Rollback { .. } => "the fleet of the run".to_owned(),
    };
    match plan.shard {
        Some(shard) => format!("{subject}, shard {shard}"),
        None => subject,
    }
}

/// The name without the directories, which can be long.
fn file_name(path: &Printable) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

fn some<T>(count: usize, text: impl FnOnce(usize) -> T) -> Option<T> {
    (count > 0).then(|| text(count))
}

/// The number of violated guard rails.
fn violated(count: usize) -> Option<String> {
    some(count, |count| counted(count, "violated guard rail"))
}

fn changes(accounts: &[AccountMetrics]) -> Vec<String> {
    let total = AccountMetrics::total(accounts, Metric::Changes);
    some(total, |count| counted(count, "change")).into_iter().collect()
}

fn outcomes(accounts: &[AccountMetrics]) -> Vec<String> {
    outcomes_of(|metric| AccountMetrics::total(accounts, metric))
}

/// The outcomes of changes, those that need attention first.
fn outcomes_of(total: impl Fn(Metric) -> usize) -> Vec<String> {
    let outcomes = [
        (Metric::Failed, "failed"),
        (Metric::NotAttempted, "not attempted"),
        (Metric::NotVerified, "not verified"),
        (Metric::Conflicts, "in conflict"),
        (Metric::Applied, "applied"),
    ];
    let parts = outcomes
        .into_iter()
        .filter_map(|(metric, word)| some(total(metric), |count| (count, word)));
    // The first part has the noun.
    let text = |(n, (count, word)): (usize, (usize, &str))| match n {
        0 => format!("{} {word}", counted(count, "change")),
        _ => format!("{} {word}", grouped(count)),
    };
    parts.enumerate().map(text).collect()
}

/// What calls for attention in plans, besides their changes.
fn problems(plans: &[&Plan]) -> Vec<String> {
    let accounts: Vec<AccountMetrics> =
        plans.iter().map(|plan| AccountMetrics::of_plan(plan, None)).collect();
    let total = |metric| AccountMetrics::total(&accounts, metric);
    let unlisted = plans.iter().flat_map(|plan| plan.unlisted.by_kind());
    let unlisted = unlisted.filter_map(|(_, unlisted)| unlisted.as_ref());
    let unlisted = unlisted.filter(|it| it.action != OnUnlisted::Ignore).map(|it| it.count).sum();
    let warnings = plans.iter().map(|plan| {
        let expiring = plan.expiring.iter().filter(|it| it.then.is_none()).count();
        let is_cut = matches!(plan.source, PlanSource::Rollback { run_ended: Some(false), .. });
        let unconfirmed = plan.source.unconfirmed().len();
        plan.warnings.len()
            + plan.no_longer_listed().len()
            + expiring
            + unconfirmed
            + usize::from(is_cut)
    });
    let parts = [
        some(total(Metric::Problems), |count| counted(count, "problem")),
        some(total(Metric::DriftedPolicies), |count| match count {
            1 => "1 drifted policy".to_owned(),
            count => format!("{} drifted policies", grouped(count)),
        }),
        some(unlisted, |count| format!("{} unlisted", grouped(count))),
        some(total(Metric::Missing), |count| format!("{} missing", grouped(count))),
        some(warnings.sum(), |count| counted(count, "warning")),
    ];
    parts.into_iter().flatten().collect()
}

fn fleet_problems(plan: &FleetPlan) -> Vec<String> {
    let failed = plan.accounts.iter().filter(|it| it.plan.is_err()).count();
    let plans: Vec<&Plan> = plan.accounts.iter().filter_map(|it| it.plan.as_ref().ok()).collect();
    let first = [
        some(plan.missing_shards.len(), |count| format!("{} missing", counted(count, "shard"))),
        some(failed, |count| format!("{} not planned", counted(count, "account"))),
    ];
    let uncovered =
        some(plan.uncovered.len(), |count| format!("{} not covered", counted(count, "account")));
    first.into_iter().flatten().chain(problems(&plans)).chain(uncovered).collect()
}

fn has_problem_in_fleet(plan: &FleetPlan) -> bool {
    let document = view::fleet_plan(plan);
    plan.is_incomplete()
        || has_problem(&document.document.sections)
        || document.accounts.iter().any(|it| has_problem(&it.document.sections))
}

/// Whether a section besides the changes is an error or a warning.
fn has_problem(sections: &[Section<'_>]) -> bool {
    sections.iter().any(|section| {
        !matches!(section.body, Body::Changes(_))
            && matches!(section.severity, Severity::Error | Severity::Warning)
    })
}
