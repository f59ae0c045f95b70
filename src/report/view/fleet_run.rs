//! A run on a fleet.

use std::collections::BTreeMap;

use super::document::{FleetAccount, FleetDocument, FleetRow};
use super::fleet::{
    MAX_ACCOUNTS, digest, failed_sections, missing_section, title, uncovered_section,
    violations_section,
};
use super::refused::refused;
use super::run::Run;
use super::words::{counted, grouped, names};
use super::{Closing, CoverageView, Document, RUN_MARKER, Section, Severity, Text, Tone};
use crate::apply::{AccountEnd, AccountRun, Event, FleetResult, FleetRun, NotBegun};
use crate::iam::AccountId;
use crate::inventory::StopReason;
use crate::plan::{Preflight, Severity as ProblemSeverity};

/// What a row says about an account whose journal does not record the end of its run.
pub(super) const JOURNAL_INCOMPLETE: &str = "journal incomplete";

/// What to do about accounts that were not begun.
pub(super) const NOT_BEGUN_HELP: &str =
    "run the command again: accounts that are complete are not changed";

/// The numbers of each account.
pub(super) const COLUMNS: &[&str] =
    &["applied", "failed", "not attempted", "conflicts", "problems"];

/// The final events of the runs in the accounts of a fleet, from which their reports are made.
pub(in crate::report) type FleetEvents = BTreeMap<AccountId, Vec<Event>>;

/// The runs in the accounts of a fleet, after the end of all.
pub(in crate::report) struct FleetRunView<'a> {
    run: &'a FleetRun,
    accounts: Vec<(&'a AccountRun, Option<Run<'a>>)>,
}

impl<'a> FleetRunView<'a> {
    pub(in crate::report) fn new(run: &'a FleetRun, events: &FleetEvents) -> Self {
        let accounts = run.accounts.iter().map(|account| {
            let of_run = match &account.end {
                AccountEnd::Completed { preflight, .. } => {
                    let mut view = Run::new(preflight);
                    let events = events.get(&account.account.id);
                    events.into_iter().flatten().for_each(|event| view.on(event));
                    Some(view)
                }
                _ => None,
            };
            (&**account, of_run)
        });
        FleetRunView { run, accounts: accounts.collect() }
    }

    /// The report of the whole run.
    pub(in crate::report) fn document(&self) -> FleetDocument<'_> {
        let run = self.run;
        let result = run.result();
        let failed = run.accounts.iter().filter_map(|it| match &it.end {
            AccountEnd::Failed(problem) => Some((&it.account, problem)),
            _ => None,
        });
        let mut sections: Vec<Section<'_>> =
            violations_section(&run.violations, "nothing was changed").into_iter().collect();
        sections.extend(missing_section(&run.plan.missing_shards));
        sections.extend(failed_sections(failed).map(|section| Section {
            heading: section.heading.map(|_| Text::ours("Accounts in which nothing was done")),
            ..section
        }));
        sections.extend(not_begun_section(run));
        let journals = run.accounts.iter().filter_map(|it| match &it.end {
            AccountEnd::Completed { journal: Err(error), .. } => {
                Some((it.account.label(), error.to_string()))
            }
            _ => None,
        });
        sections.extend(journals_section(journals));
        sections.extend(uncovered_section(run.plan.uncovered.iter()));
        let mut accounts: Vec<FleetAccount<'_>> = self.ended().collect();
        let coverage =
            CoverageView::sum(accounts.iter().filter_map(|it| it.document.coverage.as_ref()));
        accounts.retain(|it| !it.document.is_silent());
        let document = Document {
            marker: RUN_MARKER,
            severity: severity(result),
            title: title(&run.plan).and(word(result)),
            introduction: None,
            counts: Vec::new(),
            sections,
            closing: Some(self.closing(result)),
            account: None,
            digest: Some(("Plan digest", digest(&run.plan).1)),
            coverage: Some(coverage),
        };
        let mut detailed = accounts.iter().map(|it| it.account.id).peekable();
        let rows = run.accounts.iter();
        let rows =
            rows.filter_map(|it| row(it, detailed.next_if_eq(&it.account.id).is_some())).collect();
        FleetDocument { document, columns: COLUMNS, rows, accounts }
    }

    /// The runs that ended.
    fn ended(&self) -> impl Iterator<Item = FleetAccount<'_>> {
        self.accounts.iter().filter_map(|(account, view)| {
            let document = match (&account.end, view) {
                (AccountEnd::Completed { summary, .. }, Some(view)) => view.document(summary),
                (AccountEnd::Refused { preflight, why }, _) => refused(preflight, why),
                _ => return None,
            };
            Some(FleetAccount { account: &account.account, document })
        })
    }

    fn closing(&self, result: FleetResult) -> Closing<'static> {
        let run = self.run;
        let totals = Totals::of(run);
        let complete = run.accounts.iter().filter(|it| it.is_complete()).count();
        closing(result, &totals, complete, run.accounts.len())
    }
}

/// How a run ended, in a title.
pub(super) fn word(result: FleetResult) -> &'static str {
    match result {
        FleetResult::Complete => "complete",
        FleetResult::Incomplete => "incomplete",
        FleetResult::Refused => "refused",
        FleetResult::Interrupted => "interrupted",
    }
}

pub(super) fn severity(result: FleetResult) -> Severity {
    match result {
        FleetResult::Complete => Severity::Notice,
        FleetResult::Incomplete | FleetResult::Refused | FleetResult::Interrupted => {
            Severity::Error
        }
    }
}

/// The closing line of a run with this result, in which `complete` of `accounts` are complete.
pub(super) fn closing(
    result: FleetResult,
    totals: &Totals,
    complete: usize,
    accounts: usize,
) -> Closing<'static> {
    let (label, tone) = match result {
        FleetResult::Complete => ("Apply complete", Tone::Good),
        FleetResult::Refused => ("Refused", Tone::Bad),
        FleetResult::Interrupted => ("Interrupted", Tone::Bad),
        FleetResult::Incomplete => ("Incomplete", Tone::Bad),
    };
    let accounts = format!("{} of {} complete", grouped(complete), counted(accounts, "account"));
    let mut counts = format!("{} applied", grouped(totals.applied));
    for (count, what) in [
        (totals.failed, "failed"),
        (totals.not_attempted, "not attempted"),
        (totals.conflicts, "in conflict"),
    ] {
        if count > 0 {
            counts += &format!(", {} {what}", grouped(count));
        }
    }
    let mut calls = counted(totals.calls, "call");
    if totals.throttled > 0 {
        calls += &format!(" ({} throttled)", grouped(totals.throttled));
    }
    let parts = vec![
        (tone, Text::sentence(counts)),
        (Tone::Neutral, Text::sentence(accounts)),
        (Tone::Neutral, Text::sentence(calls)),
    ];
    Closing { label, parts }
}

/// The numbers of the runs in all accounts together.
#[derive(Default)]
pub(in crate::report) struct Totals {
    pub(in crate::report) applied: usize,
    /// Failed changes, and those that verification did not find.
    pub(in crate::report) failed: usize,
    pub(in crate::report) not_attempted: usize,
    pub(in crate::report) conflicts: usize,
    pub(in crate::report) calls: usize,
    pub(in crate::report) throttled: usize,
}

impl Totals {
    pub(in crate::report) fn of(run: &FleetRun) -> Totals {
        let mut totals = Totals::default();
        // The accounts of a run are in the order of its plan.
        for (account, planned) in run.accounts.iter().zip(&run.plan.accounts) {
            match &account.end {
                AccountEnd::Completed { preflight, summary, .. } => {
                    totals.applied += summary.applied;
                    totals.failed += summary.failed + summary.not_as_written;
                    totals.not_attempted += summary.not_attempted;
                    totals.conflicts += summary.all_conflicts(preflight);
                    totals.calls += usize::try_from(summary.calls.made).unwrap_or(usize::MAX);
                    totals.throttled +=
                        usize::try_from(summary.calls.throttled).unwrap_or(usize::MAX);
                }
                AccountEnd::Refused { preflight, .. } => {
                    totals.not_attempted += preflight.ready().count();
                    totals.conflicts += preflight.conflicts().count();
                }
                AccountEnd::NotBegun { changes, .. } => totals.not_attempted += changes,
                AccountEnd::Failed(_) => {
                    totals.not_attempted += planned.changed().map_or(0, |plan| plan.changes.len());
                }
            }
        }
        totals
    }
}

/// The row of an account; `None` if nothing was to be done in it.
fn row(run: &AccountRun, has_details: bool) -> Option<FleetRow> {
    let account = &run.account;
    let problems = |preflight: &Preflight| {
        preflight.plan.problems_of(ProblemSeverity::Error).count() + preflight.blocked().count()
    };
    let (cells, note) = match &run.end {
        AccountEnd::Completed { preflight, summary, journal } => {
            let cells = vec![
                summary.applied,
                summary.failed + summary.not_as_written,
                summary.not_attempted,
                summary.all_conflicts(preflight),
                problems(preflight),
            ];
            let note = match (journal.is_err(), summary.not_verified > 0) {
                (true, _) => JOURNAL_INCOMPLETE,
                (false, true) => "not verified",
                (false, false) => "",
            };
            (cells, note)
        }
        AccountEnd::Refused { preflight, .. } => {
            let (ready, conflicts) = (preflight.ready().count(), preflight.conflicts().count());
            (vec![0, 0, ready, conflicts, problems(preflight)], "refused")
        }
        AccountEnd::NotBegun { changes, .. } => (vec![0, 0, *changes, 0, 0], "not begun"),
        AccountEnd::Failed(_) => (Vec::new(), "nothing was done"),
    };
    let is_shown = has_details || !note.is_empty() || cells.iter().any(|cell| *cell > 0);
    is_shown.then(|| FleetRow { label: account.label(), cells, note })
}

/// The accounts that were not begun, by the reason.
fn not_begun_section(run: &FleetRun) -> Option<Section<'_>> {
    let mut groups: Vec<(NotBegun, Vec<&AccountRun>)> = Vec::new();
    for account in &run.accounts {
        let AccountEnd::NotBegun { why, .. } = account.end else { continue };
        match groups.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, accounts)) => accounts.push(account),
            None => groups.push((why, vec![account])),
        }
    }
    if groups.is_empty() {
        return None;
    }
    let statement = |(why, accounts): &(NotBegun, Vec<&AccountRun>)| {
        let labels = accounts.iter().map(|it| it.account.label());
        let accounts = names(labels, MAX_ACCOUNTS, "account");
        Text::sentence(reason(*why)).and(": ").and_text(accounts)
    };
    let statements = groups.iter().map(statement).collect();
    let heading = Text::ours("Accounts that were not begun");
    let section = Section::of_statements(heading, Severity::Error, statements);
    let help = Some(Text::ours(NOT_BEGUN_HELP));
    Some(Section { label: "not begun", noun: "account", help, ..section })
}

/// The journals that do not record the end of their runs: the account of each, and the reason.
pub(super) fn journals_section(
    errors: impl Iterator<Item = (String, String)>,
) -> Option<Section<'static>> {
    let statement = |(label, error): (String, String)| Text::name(label).and(": ").and_quote(error);
    let statements: Vec<Text<'static>> = errors.map(statement).collect();
    if statements.is_empty() {
        return None;
    }
    let heading = Text::ours("Journals that are not complete");
    let section = Section::of_statements(heading, Severity::Error, statements);
    let help = "these runs cannot be rolled back from their journals; free disk space, and keep other processes away \
                from the journals";
    let help = Some(Text::ours(help));
    Some(Section { label: JOURNAL_INCOMPLETE, noun: "account", help, ..section })
}

/// Why accounts were not begun, for machines.
pub(in crate::report) fn reason_code(why: NotBegun) -> &'static str {
    match why {
        NotBegun::Stopped(StopReason::Interrupted) => "interrupted",
        NotBegun::Stopped(StopReason::Deadline) => "deadline",
        NotBegun::Stopped(StopReason::Error | StopReason::Journal) => "error",
        NotBegun::First => "first",
        NotBegun::TooManyFailed => "max_accounts_failed",
        NotBegun::GuardRail => "guard_rail",
    }
}

fn reason(why: NotBegun) -> &'static str {
    match why {
        NotBegun::Stopped(StopReason::Interrupted) => "the run was interrupted",
        NotBegun::Stopped(StopReason::Deadline) => "the time limit of --timeout was reached",
        NotBegun::Stopped(StopReason::Error | StopReason::Journal) => "the run was stopped",
        NotBegun::First => "an account of --first is not complete",
        NotBegun::TooManyFailed => "max_accounts_failed was reached",
        NotBegun::GuardRail => "the changes would violate a guard rail of the fleet",
    }
}

/// The reason with this code; `None` if there is none.
pub(super) fn reason_of_code(code: &str) -> Option<&'static str> {
    let reasons = [
        NotBegun::Stopped(StopReason::Interrupted),
        NotBegun::Stopped(StopReason::Deadline),
        NotBegun::Stopped(StopReason::Error),
        NotBegun::First,
        NotBegun::TooManyFailed,
        NotBegun::GuardRail,
    ];
    reasons.into_iter().find(|why| reason_code(*why) == code).map(reason)
}
