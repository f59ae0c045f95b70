//! The merged run reports of the parts of a fleet.

use std::collections::BTreeMap;

use super::super::merged_runs::MergedRuns;
use super::super::shard_report::{
    ErrorLine, ReportedAccount, ReportedEnd, ReportedFailure, ShardReport,
};
use super::document::{FleetDocument, FleetRow};
use super::fleet::{shards, uncovered_section};
use super::fleet_run::{
    COLUMNS, JOURNAL_INCOMPLETE, NOT_BEGUN_HELP, Totals, closing, journals_section, reason_of_code,
    severity, word,
};
use super::words::{counted, counted_more, names};
use super::{Document, RUN_MARKER, Section, Severity, Text, Tone};
use crate::iam::{AccountId, PrincipalKind, Shard};

/// The maximum number of names in a statement; the others are counted.
const MAX_NAMES: usize = 20;
/// The maximum number of statements about failures; the others are counted.
const MAX_FAILURES: usize = 50;

/// The report of the runs of all parts.
pub(in crate::report) fn merged_runs(runs: &MergedRuns) -> FleetDocument<'_> {
    let result = runs.result();
    let counts = runs.counts();
    let totals = Totals {
        applied: counts.applied,
        failed: counts.failed,
        not_attempted: counts.not_attempted,
        conflicts: counts.conflicts,
        calls: counts.calls,
        throttled: counts.throttled_calls,
    };
    let mut closing = closing(result, &totals, counts.accounts_complete, counts.accounts);
    let unknown: Vec<Shard> =
        runs.missing.iter().copied().chain(runs.not_ended().map(|report| report.shard)).collect();
    if !unknown.is_empty() {
        let unknown = format!("{} missing or not ended", shards(&unknown));
        closing.parts.insert(1, (Tone::Bad, Text::sentence(unknown)));
    }
    let title = Text::ours("Permissions boundaries of fleet ")
        .and_name(runs.fleet.path.as_str())
        .and_sentence(format!(", {} merged: ", counted(runs.reports.len(), "shard")))
        .and(word(result));
    let accounts = runs.reports.iter().flat_map(|report| &report.accounts);
    let mut accounts: Vec<Account<'_>> = accounts.map(|(id, account)| (*id, account)).collect();
    accounts.sort_by_key(|(id, account)| (&account.name, *id));
    let mut sections: Vec<Section<'_>> =
        shards_section(runs).into_iter().chain(refused_section(&runs.reports)).collect();
    sections.extend(failed_sections(&accounts));
    sections.extend(failures_sections(&accounts));
    sections.extend(not_begun_section(&accounts));
    sections.extend(journals_section(
        accounts
            .iter()
            .filter_map(|it| Some((label(it), it.1.journal_error.as_ref()?.to_string()))),
    ));
    sections.extend(uncovered_section(runs.reports.iter().flat_map(|report| &report.uncovered)));
    let document = Document {
        marker: RUN_MARKER,
        severity: severity(result),
        title,
        introduction: None,
        counts: Vec::new(),
        sections,
        closing: Some(closing),
        account: None,
        digest: None,
        coverage: None,
    };
    let rows = accounts.iter().filter_map(row).collect();
    FleetDocument { document, columns: COLUMNS, rows, accounts: Vec::new() }
}

/// An account with its ID.
type Account<'a> = (AccountId, &'a ReportedAccount);

/// `payments-prod (111111111111)`.
fn label((id, account): &Account<'_>) -> String {
    format!("{} ({id})", account.name)
}

fn row(account: &Account<'_>) -> Option<FleetRow> {
    let (_, reported) = account;
    let counts = &reported.counts;
    let numbers = vec![
        counts.applied,
        counts.failed,
        counts.not_attempted,
        counts.conflicts,
        counts.problems,
    ];
    let (cells, note) = match &reported.end {
        ReportedEnd::Open => (numbers, "did not end"),
        ReportedEnd::Completed if reported.journal_error.is_some() => (numbers, JOURNAL_INCOMPLETE),
        ReportedEnd::Completed if counts.not_verified > 0 => (numbers, "not verified"),
        ReportedEnd::Completed => (numbers, ""),
        ReportedEnd::Refused => (numbers, "refused"),
        ReportedEnd::NotBegun(_) if counts.not_attempted == 0 => return None,
        ReportedEnd::NotBegun(_) => (numbers, "not begun"),
        ReportedEnd::Failed(_) => (Vec::new(), "nothing was done"),
    };
    let is_shown = !note.is_empty() || cells.iter().any(|cell| *cell > 0);
    is_shown.then(|| FleetRow { label: label(account), cells, note })
}

/// The parts about which nothing or not everything is known.
fn shards_section(runs: &MergedRuns) -> Option<Section<'_>> {
    let mut statements = Vec::new();
    if !runs.missing.is_empty() {
        let missing = runs.missing.iter().map(|shard| format!("shard {shard}"));
        let of = names(missing, MAX_NAMES, "shard");
        statements.push(of.and(": no report, so nothing is known about the accounts"));
    }
    for report in runs.not_ended() {
        let began = format!("shard {}: the run did not end; the report in ", report.shard);
        let rest = " has no summary, and changes can be missing from it";
        statements.push(Text::sentence(began).and_name(report.file.as_str()).and(rest));
    }
    for file in &runs.empty {
        let file = Text::name(file.as_str());
        statements.push(file.and(" is empty: the run did not begin"));
    }
    if statements.is_empty() {
        return None;
    }
    let heading = Text::ours("Not the whole fleet");
    let help = "run apply again for each of these shards: changes that are made are not made again";
    Some(Section {
        label: "missing",
        noun: "statement",
        help: Some(Text::ours(help)),
        ..Section::of_statements(heading, Severity::Error, statements)
    })
}

/// The violations of the guard rails of the fleet.
fn refused_section(reports: &[ShardReport]) -> Option<Section<'_>> {
    let of_report = |report: &'_ ShardReport| {
        let shard = report.shard;
        let statement =
            move |why: &str| Text::sentence(format!("shard {shard}: ")).and_quote(why.to_owned());
        report.refused.iter().map(move |why| statement(why)).collect::<Vec<_>>()
    };
    let statements: Vec<Text<'_>> = reports.iter().flat_map(of_report).collect();
    let heading = "Guard rails violated; nothing was changed in these shards";
    (!statements.is_empty())
        .then(|| Section::of_statements(Text::ours(heading), Severity::Error, statements))
}

/// The accounts with the same problem, and its error.
type Problems<'a> = (Vec<String>, Cause<'a>);

/// The accounts in which nothing was done, grouped by the code of the problem and the advice.
fn failed_sections<'a>(accounts: &[Account<'a>]) -> Vec<Section<'a>> {
    let mut groups: BTreeMap<(&'a str, Option<&'a str>), Problems<'a>> = BTreeMap::new();
    for account in accounts {
        if let ReportedEnd::Failed(error) = &account.1.end {
            let key = (&*error.code, error.advice.as_deref());
            let (accounts, cause) =
                groups.entry(key).or_insert_with(|| (Vec::new(), Cause::new(error)));
            accounts.push(label(account));
            cause.add(error);
        }
    }
    let statements = groups.into_iter().map(|((_, advice), (accounts, cause))| {
        (advice, cause.of(names(accounts, MAX_NAMES, "account")))
    });
    advised("Accounts in which nothing was done", statements)
}

/// A section for the statements with the same advice. Those without advice come last.
fn advised<'a>(
    heading: &'static str,
    statements: impl Iterator<Item = (Option<&'a str>, Text<'a>)>,
) -> Vec<Section<'a>> {
    let mut sections: BTreeMap<(bool, Option<&'a str>), Vec<Text<'a>>> = BTreeMap::new();
    for (advice, statement) in statements {
        sections.entry((advice.is_none(), advice)).or_default().push(statement);
    }
    let section = |((_, advice), statements): ((bool, Option<&'a str>), Vec<Text<'a>>)| Section {
        help: advice.map(Text::quote),
        ..Section::of_statements(Text::ours(heading), Severity::Error, statements)
    };
    sections.into_iter().map(section).collect()
}

/// The error with one code of several accounts or principals.
struct Cause<'a> {
    code: &'a str,
    /// The message of the first.
    message: &'a str,
    /// Whether it is the message of all.
    is_common: bool,
}

impl<'a> Cause<'a> {
    fn new(error: &'a ErrorLine) -> Self {
        Cause { code: &error.code, message: &error.message, is_common: true }
    }

    fn add(&mut self, error: &ErrorLine) {
        self.is_common &= *error.message == *self.message;
    }

    /// The statement about `who`.
    fn of(&self, who: Text<'a>) -> Text<'a> {
        let who = who.and(": ");
        match self.is_common {
            true => who.and_quote(self.message),
            false => who.and_quote(self.code).and(", for example: ").and_quote(self.message),
        }
    }
}

/// What principals with the same failure have in common: the outcome, and the code and the advice of the error.
type FailureKey<'a> = (&'a str, &'a str, Option<&'a str>);
/// The principals with the same failure, and its error.
type Failures<'a> = (Vec<String>, Option<Cause<'a>>);

/// The changes that were not made and the principals that cannot be planned, grouped by what they have in common.
fn failures_sections<'a>(accounts: &[Account<'a>]) -> Vec<Section<'a>> {
    let mut groups: BTreeMap<FailureKey<'a>, Failures<'a>> = BTreeMap::new();
    for account in accounts {
        for failure in &account.1.failures {
            let ReportedFailure { kind, name, outcome, error } = failure;
            let error = error.as_ref();
            let code = error.map_or("", |error| &error.code);
            let advice = error.and_then(|error| error.advice.as_deref());
            let (principals, common) = groups
                .entry((outcome, code, advice))
                .or_insert_with(|| (Vec::new(), error.map(Cause::new)));
            let role = if *kind == PrincipalKind::Role { "role/" } else { "" };
            principals.push(format!("{role}{name} of {}", label(account)));
            if let (Some(common), Some(error)) = (common, error) {
                common.add(error);
            }
        }
    }
    let more = groups.len().saturating_sub(MAX_FAILURES);
    let groups = groups.into_iter().take(MAX_FAILURES);
    let statements = groups.map(|((outcome, _, advice), (principals, cause))| {
        let principals = names(principals, MAX_NAMES, "principal");
        let text = Text::ours(outcome_words(outcome)).and(": ").and_text(principals);
        let text = match cause {
            Some(cause) => cause.of(text),
            None => text,
        };
        (advice, text)
    });
    let others = (more > 0).then(|| {
        let others = counted_more(more, "cause");
        (None, Text::sentence(format!("{others}: the JSON lines have them")))
    });
    advised("Users and roles that are not as the files say", statements.chain(others))
}

fn outcome_words(outcome: &str) -> &'static str {
    match outcome {
        "failed" => "failed",
        "not_as_written" => "verification did not find the change",
        "conflict" => "in conflict: the boundary is not the one that the plan shows",
        "blocked" => "blocked",
        _ => "cannot be planned",
    }
}

/// The accounts that were not begun, by the reason.
fn not_begun_section<'a>(accounts: &[Account<'a>]) -> Option<Section<'a>> {
    let mut groups: BTreeMap<&'a str, Vec<String>> = BTreeMap::new();
    for account in accounts {
        if let ReportedEnd::NotBegun(reason) = &account.1.end {
            groups.entry(reason).or_default().push(label(account));
        }
    }
    let statement = |(code, accounts): (&'a str, Vec<String>)| {
        let reason = reason_of_code(code).map_or_else(|| Text::quote(code), Text::ours);
        reason.and(": ").and_text(names(accounts, MAX_NAMES, "account"))
    };
    let statements: Vec<Text<'a>> = groups.into_iter().map(statement).collect();
    let heading = Text::ours("Accounts that were not begun");
    (!statements.is_empty()).then(|| Section {
        help: Some(Text::ours(NOT_BEGUN_HELP)),
        ..Section::of_statements(heading, Severity::Error, statements)
    })
}
