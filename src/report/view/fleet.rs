//! The plans of a fleet: a table with a row for each account, what concerns the fleet, and the accounts one by one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::advice_on_account;
use super::coverage_view::of_plan;
use super::document::{FleetAccount, FleetDocument, FleetRow};
use super::plan::plan as account_plan;
use super::words::{counted, grouped, names, plural};
use super::{
    Closing, CountsRow, CoverageView, Document, PLAN_MARKER, Section, Severity, Text, Tone,
};
use crate::iam::{Shard, Threshold};
use crate::inventory::ApiError;
use crate::plan::{
    AccountPlan, AccountProblem, Counts, FleetAccountRef, FleetOverrides, FleetPlan, FleetSource,
    FleetTotals, FleetViolation, Plan, Severity as ProblemSeverity, Uncovered,
};

/// The maximum number of accounts that a statement names; the others are counted.
pub(super) const MAX_ACCOUNTS: usize = 20;

/// The plans of a fleet, with the guard rails that they violate.
pub(in crate::report) fn fleet_plan(plan: &FleetPlan) -> FleetDocument<'_> {
    let mut document = fleet_review(plan);
    let violations = plan.violations(&FleetOverrides::default());
    let section = violations_section(&violations, "apply refuses the plans of all accounts");
    document.document.sections.splice(0..0, section);
    if !violations.is_empty() {
        let violated = counted(violations.len(), "guard rail");
        document.document.title = document
            .document
            .title
            .and("; ")
            .and_sentence(format!("{violated} of the fleet violated"));
    }
    document
}

/// The plans of a fleet without violations of its guard rails: a run checks them with its own overrides.
pub(in crate::report) fn fleet_review(plan: &FleetPlan) -> FleetDocument<'_> {
    let totals = plan.totals();
    let mut accounts: Vec<&AccountPlan> = plan.accounts.iter().collect();
    accounts.sort_by_key(|it| at_stake(it));
    let details: Vec<FleetAccount<'_>> = accounts
        .iter()
        .filter_map(|it| {
            let document = account_plan(it.plan.as_ref().ok()?);
            (!document.is_silent()).then_some(FleetAccount { account: &it.account, document })
        })
        .collect();
    let mut detailed = details.iter().map(|it| it.account.id).peekable();
    let rows: Vec<FleetRow> = accounts
        .iter()
        .filter_map(|it| row(it, detailed.next_if_eq(&it.account.id).is_some()))
        .collect();
    let failed = plan.accounts.iter();
    let failed = failed.filter_map(|it| Some((&it.account, it.plan.as_ref().err()?)));
    let sections = missing_section(&plan.missing_shards).into_iter();
    let sections = sections.chain(failed_sections(failed));
    let sections = sections.chain(uncovered_section(plan.uncovered.iter()));
    let Counts { add, change, remove } = totals.counts;
    let plans = plan.accounts.iter().filter_map(|it| it.plan.as_ref().ok());
    let coverage: Vec<CoverageView> = plans.map(of_plan).collect();
    let document = Document {
        marker: PLAN_MARKER,
        severity: match plan.is_incomplete() {
            true => Severity::Error,
            false => Severity::Notice,
        },
        title: title(plan).and_sentence(result(plan)),
        introduction: None,
        counts: match plan.changes() == 0 && plan.is_incomplete() {
            // No number is known of plans that could not be made.
            true => Vec::new(),
            false => vec![CountsRow { label: "All", add, change, remove }],
        },
        sections: sections.collect(),
        closing: Some(closing(plan)),
        account: None,
        digest: Some(digest(plan)),
        coverage: Some(CoverageView::sum(&coverage)),
    };
    let columns = &["add", "change", "remove", "unlisted", "problems"];
    FleetDocument { document, columns, rows, accounts: details }
}

/// The result in the title. What cannot be planned is a part of it: that nothing changes would not be known.
fn result(plan: &FleetPlan) -> String {
    let FleetTotals { failed, problems, incomplete, changed, .. } = plan.totals();
    let mut parts = match plan.changes() {
        0 if failed + incomplete > 0 => Vec::new(),
        0 if plan.is_incomplete() => vec!["nothing to change in the other shards".to_owned()],
        0 => vec!["nothing to change".to_owned()],
        changes => {
            vec![format!("{} in {}", counted(changes, "change"), counted(changed, "account"))]
        }
    };
    for (count, noun) in [(failed, "account"), (problems, "principal")] {
        if count > 0 {
            parts.push(format!("{} cannot be planned", counted(count, noun)));
        }
    }
    if incomplete > 0 && problems == 0 {
        parts.push(format!("incomplete in {}", counted(incomplete, "account")));
    }
    parts.join("; ")
}

/// `Permissions boundaries of the fleet fleet.toml, shard 1/4: `.
pub(super) fn title(plan: &FleetPlan) -> Text<'_> {
    let title = match &plan.source {
        FleetSource::File(file) => {
            Text::ours("Permissions boundaries of fleet ").and_name(file.path.as_str())
        }
        FleetSource::Rollback { run, .. } => {
            Text::ours("Permissions boundaries of the fleet of run ").and_name(run.as_str())
        }
    };
    let title = match plan.shard {
        Some(shard) => title.and(", shard ").and_sentence(shard.to_string()),
        None => title,
    };
    match &*plan.missing_shards {
        [] => title.and(": "),
        missing => title.and_sentence(format!(" without {}: ", shards(missing))),
    }
}

/// `shard 2/4`, `shards 2/4 and 3/4` or, if there are more than a few, `12 of 40 shards`.
pub(super) fn shards(missing: &[Shard]) -> String {
    match missing {
        [one] => format!("shard {one}"),
        [one, other] => format!("shards {one} and {other}"),
        _ => {
            let of = missing.first().map_or(0, |shard| shard.count().into());
            format!("{} of {}", grouped(missing.len()), counted(of, "shard"))
        }
    }
}

/// The shards whose plans are missing from merged ones.
pub(super) fn missing_section(missing: &[Shard]) -> Option<Section<'static>> {
    let of: usize = missing.first()?.count().into();
    let count = missing.len();
    let heading = format!(
        "{} of {} {} missing",
        grouped(count),
        counted(of, "shard"),
        plural(count, "is", "are")
    );
    let missing = names(missing.iter().map(|it| format!("shard {it}")), MAX_ACCOUNTS, "shard");
    let statement = missing.and(": nothing is known about the accounts");
    let help = "run the command again for each missing shard, and merge the results of all shards";
    Some(Section {
        label: "missing",
        noun: "shard",
        help: Some(Text::ours(help)),
        ..Section::of_statements(Text::sentence(heading), Severity::Error, vec![statement])
    })
}

/// The digest of the whole plan, also for a part of it: a reviewer compares it.
pub(super) fn digest(plan: &FleetPlan) -> (&'static str, crate::iam::Digest) {
    match plan.part_of {
        Some(whole) => ("Digest of the whole plan", whole),
        None => ("Digest", plan.digest()),
    }
}

/// The order of the accounts: those that cannot be planned first, then those with most at stake.
fn at_stake(planned: &AccountPlan) -> impl Ord + use<> {
    let counts = planned.plan.as_ref().map(Plan::counts).unwrap_or_default();
    let problems = problems(planned);
    (
        planned.plan.is_ok(),
        Reverse(counts.remove),
        Reverse(counts.change),
        Reverse(counts.add),
        Reverse(problems),
        Reverse(planned.unlisted()),
        planned.account.name.clone(),
        planned.account.id,
    )
}

fn problems(planned: &AccountPlan) -> usize {
    let of_plan =
        |plan: &Plan| plan.problems_of(ProblemSeverity::Error).count() + plan.drifted.len();
    planned.plan.as_ref().map_or(0, of_plan)
}

/// The row of an account; `None` if it matches the files, and nothing else is to be said about it.
fn row(planned: &AccountPlan, has_details: bool) -> Option<FleetRow> {
    let account = &planned.account;
    let Ok(plan) = &planned.plan else {
        return Some(FleetRow {
            label: account.label(),
            cells: Vec::new(),
            note: "cannot be planned",
        });
    };
    let Counts { add, change, remove } = plan.counts();
    let cells = vec![add, change, remove, planned.unlisted(), problems(planned)];
    let is_shown = add + change + remove + problems(planned) > 0 || planned.has_unlisted();
    (is_shown || has_details).then(|| FleetRow { label: account.label(), cells, note: "" })
}

/// The accounts without a plan, a section for those with the same advice, in which they are grouped by the problem.
pub(super) fn failed_sections<'a>(
    failed: impl Iterator<Item = (&'a FleetAccountRef, &'a AccountProblem)>,
) -> impl Iterator<Item = Section<'a>> {
    type Groups<'a> = BTreeMap<(String, String), Vec<(&'a FleetAccountRef, &'a AccountProblem)>>;
    let mut advised: BTreeMap<Option<String>, Groups<'a>> = BTreeMap::new();
    for (account, problem) in failed {
        let groups = advised.entry(advice_on_account(problem)).or_default();
        let key = (problem.code().to_owned(), said_of_each(account, problem));
        groups.entry(key).or_default().push((account, problem));
    }
    let statement = |group: &Vec<(&'a FleetAccountRef, &'a AccountProblem)>| {
        let labels = group.iter().map(|(account, _)| account.label());
        let accounts = names(labels, MAX_ACCOUNTS, "account");
        let problem = match group[..] {
            [(_, problem)] => problem.to_string(),
            [(account, problem), ..] => said_of_each(account, problem),
            [] => String::new(),
        };
        accounts.and(": ").and_quote(problem)
    };
    advised.into_iter().map(move |(advice, groups)| {
        let count: usize = groups.values().map(Vec::len).sum();
        let heading = format!("{} cannot be planned", counted(count, "account"));
        let section = Section::of_statements(
            Text::sentence(heading),
            Severity::Error,
            groups.values().map(statement).collect(),
        );
        Section {
            label: "cannot be planned",
            noun: "account",
            help: advice.map(Text::sentence),
            ..section
        }
    })
}

/// What is true of each account with the same problem: the problem without the account's ID and the ID of the request.
fn said_of_each(account: &FleetAccountRef, problem: &AccountProblem) -> String {
    let said = match problem {
        AccountProblem::Call(error) => ApiError { request_id: None, ..error.clone() }.to_string(),
        other => other.to_string(),
    };
    said.replace(account.id.as_str(), "ACCOUNT")
}

pub(super) fn uncovered_section<'a>(
    uncovered: impl Iterator<Item = &'a Uncovered>,
) -> Option<Section<'a>> {
    let labels: Vec<String> = uncovered.map(|it| format!("{} ({})", it.name, it.id)).collect();
    if labels.is_empty() {
        return None;
    }
    let count = labels.len();
    let heading = format!(
        "{} of the organization {} not covered by the fleet",
        counted(count, "account"),
        plural(count, "is", "are")
    );
    let section = Section::of_statements(
        Text::sentence(heading),
        Severity::Warning,
        vec![names(labels, MAX_ACCOUNTS, "account")],
    );
    let help = "add each to [accounts] or its organizational unit to units, or list it in except";
    Some(Section { label: "not covered", noun: "account", help: Some(Text::ours(help)), ..section })
}

/// The violations of the guard rails of a fleet, and what results from them.
pub(super) fn violations_section(
    violations: &[FleetViolation],
    result: &str,
) -> Option<Section<'static>> {
    if violations.is_empty() {
        return None;
    }
    let heading = plural(violations.len(), "Guard rail violated", "Guard rails violated");
    let section = Section::of_statements(
        Text::sentence(format!("{heading}; {result}")),
        Severity::Error,
        violations.iter().map(|it| Text::sentence(statement(it))).collect(),
    );
    let help = Some(Text::sentence(fleet_override_help(violations)));
    Some(Section { label: "guard rail violated", noun: "violation", help, ..section })
}

/// The violations of the guard rails of a fleet, each as a clause without a period.
pub fn fleet_statements(violations: &[FleetViolation]) -> Vec<String> {
    violations.iter().map(statement).collect()
}

fn statement(violation: &FleetViolation) -> String {
    let limit = |allowed, threshold, of: usize, noun: &str| match threshold {
        Threshold::Count(_) => grouped(allowed),
        Threshold::Share(share) => {
            format!("{} ({share} of {})", grouped(allowed), counted(of, noun))
        }
    };
    match *violation {
        FleetViolation::TooManyChanges { count, allowed, threshold, of } => format!(
            "{} in the fleet, and max_changes allows {}",
            counted(count, "change"),
            limit(allowed, threshold, of, "principal")
        ),
        FleetViolation::TooManyAccounts { count, allowed, threshold, of } => format!(
            "{} with changes in the fleet, and max_accounts_changed allows {}",
            counted(count, "account"),
            limit(allowed, threshold, of, "account")
        ),
    }
}

/// How to override the guard rails of a fleet.
pub fn fleet_override_help(violations: &[FleetViolation]) -> String {
    let options = violations.iter().map(|violation| match violation {
        FleetViolation::TooManyChanges { count, .. } => format!("--max-fleet-changes {count}"),
        FleetViolation::TooManyAccounts { count, .. } => format!("--max-accounts-changed {count}"),
    });
    let options: Vec<String> = options.collect();
    format!(
        "if the changes are intended, run apply with {}; otherwise, correct the files",
        options.join(" and ")
    )
}

fn closing(plan: &FleetPlan) -> Closing<'_> {
    let totals = plan.totals();
    let accounts = counted(totals.accounts, "account");
    let mut parts = Vec::new();
    let label = match plan.changes() {
        0 if totals.accounts == 0 && plan.missing_shards.is_empty() => {
            let what = match (plan.shard, plan.part_of) {
                (Some(_), _) => Text::ours("no account of the fleet belongs to this part"),
                (None, Some(_)) => Text::ours("no account of the plan is selected"),
                (None, None) => Text::ours("no selected account belongs to this part"),
            };
            parts.push((Tone::Good, what));
            return Closing { label: "Nothing to plan", parts };
        }
        0 => {
            let matching = totals.accounts - totals.failed - totals.incomplete;
            let what = match &plan.source {
                FleetSource::File(_) => plural(matching, "matches the files", "match the files"),
                FleetSource::Rollback { .. } => plural(
                    matching,
                    "has the boundaries from before the run",
                    "have the boundaries from before the run",
                ),
            };
            let all = format!("{} of {accounts} {what}", grouped(matching));
            let is_all = matching == totals.accounts && plan.missing_shards.is_empty();
            let tone = if is_all { Tone::Good } else { Tone::Neutral };
            parts.push((tone, Text::sentence(all)));
            match (&plan.source, is_all) {
                (_, false) => "Incomplete",
                (FleetSource::File(_), true) => "In sync",
                (FleetSource::Rollback { .. }, true) => "Nothing to roll back",
            }
        }
        _ => {
            let Counts { add, change, remove } = totals.counts;
            let [add, change, remove] = [add, change, remove].map(grouped);
            let counts = format!(
                "{add} to add, {change} to change, {remove} to remove in {} of {accounts}",
                grouped(totals.changed)
            );
            parts.push((Tone::Neutral, Text::sentence(counts)));
            "Plan"
        }
    };
    if !plan.missing_shards.is_empty() {
        let missing = format!("{} missing", shards(&plan.missing_shards));
        parts.push((Tone::Bad, Text::sentence(missing)));
    }
    if totals.failed < totals.accounts {
        parts.push((Tone::Neutral, Text::sentence(format!("{} in sync", totals.in_sync))));
    }
    if totals.failed > 0 {
        let failed = format!("{} cannot be planned", counted(totals.failed, "account"));
        parts.push((Tone::Bad, Text::sentence(failed)));
    }
    if totals.problems > 0 {
        let problems = format!("{} cannot be planned", counted(totals.problems, "principal"));
        parts.push((Tone::Bad, Text::sentence(problems)));
    }
    if totals.unlisted > 0 {
        let unlisted = format!("{} unlisted", grouped(totals.unlisted));
        let tone = match plan.accounts.iter().any(AccountPlan::has_unlisted) {
            true => Tone::Careful,
            false => Tone::Neutral,
        };
        parts.push((tone, Text::sentence(unlisted)));
    }
    if !plan.uncovered.is_empty() {
        let uncovered = format!("{} not covered", counted(plan.uncovered.len(), "account"));
        parts.push((Tone::Careful, Text::sentence(uncovered)));
    }
    Closing { label, parts }
}
