//! The run report of a part of a fleet, read from its JSON Lines.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fleet_lines::{FleetCountsJson, StartedJson, SummaryJson};
use crate::apply::{AccountResult, FleetResult};
use crate::iam::{
    AccountId, AccountName, Digest, DigestBuilder, PrincipalKind, Printable, Shard, serde_message,
};
use crate::plan::{MergeError, Uncovered};

/// Why run reports cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardReportError {
    /// It is another document.
    #[error("{0} is not a saved plan and not the run report of a fleet")]
    NotAReport(Printable),
    /// It is the run report of a single account.
    #[error("{0} is the run report of one account, not of a part of a fleet")]
    OneAccount(Printable),
    /// A line is not one that a run writes.
    #[error("{file} is damaged at line {line}: {why}")]
    Damaged {
        /// The file.
        file: Printable,
        /// The line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// The lines are not those that were written.
    #[error(
        "{file} was changed after it was written: it states the digest {written} of its lines, but they have the \
         digest {actual}"
    )]
    Edited {
        /// The file.
        file: Printable,
        /// The digest of its lines.
        actual: Digest,
        /// The digest that it states.
        written: Digest,
    },
    /// No file has a report.
    #[error("{}: no run has begun, so there is nothing to merge", files(.0))]
    Empty(Vec<Printable>),
    /// The reports are not those of the parts of one fleet.
    #[error(transparent)]
    Merge(#[from] MergeError),
}

fn files(files: &[Printable]) -> String {
    match files {
        [one] => format!("{one} is empty"),
        [first, ..] => format!("all files are empty, such as {first}"),
        [] => "there are no files".to_owned(),
    }
}

/// The run report of a part of a fleet.
#[derive(Debug)]
pub(super) struct ShardReport {
    pub(super) file: Printable,
    pub(super) started: StartedJson,
    pub(super) shard: Shard,
    /// The lines between the first and the summary.
    pub(super) lines: Vec<String>,
    /// What the lines say about each account.
    pub(super) accounts: BTreeMap<AccountId, ReportedAccount>,
    /// The accounts of the organization that the fleet does not cover.
    pub(super) uncovered: Vec<Uncovered>,
    /// The violations of the guard rails of the fleet.
    pub(super) refused: Vec<Printable>,
    /// The last line; `None` if the run did not end.
    pub(super) summary: Option<SummaryJson>,
}

/// What the lines of a report say about an account.
#[derive(Debug)]
pub(super) struct ReportedAccount {
    pub(super) name: AccountName,
    pub(super) counts: ReportedCounts,
    /// The changes that were not made or not verified, and the principals that cannot be planned.
    pub(super) failures: Vec<ReportedFailure>,
    pub(super) end: ReportedEnd,
    /// Why the journal does not record the end of the run; `None` if it does.
    pub(super) journal_error: Option<Printable>,
}

/// The numbers of an account.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReportedCounts {
    pub(super) applied: usize,
    /// Failed changes, and those that verification did not find.
    pub(super) failed: usize,
    pub(super) not_attempted: usize,
    pub(super) conflicts: usize,
    pub(super) problems: usize,
    /// The changes that could not be verified.
    pub(super) not_verified: usize,
}

/// How the run in an account ended.
#[derive(Debug)]
pub(super) enum ReportedEnd {
    /// The report does not say.
    Open,
    /// With a summary.
    Completed,
    /// Guard rails or conflicts refused the plan.
    Refused,
    /// It was not begun: the reason, for machines.
    NotBegun(Printable),
    /// Nothing was done: the problem.
    Failed(ErrorLine),
}

/// A change that was not made, or a principal that cannot be planned.
#[derive(Debug)]
pub(super) struct ReportedFailure {
    pub(super) kind: PrincipalKind,
    pub(super) name: Printable,
    /// The outcome, for machines; `problem` for a principal that cannot be planned.
    pub(super) outcome: Printable,
    /// The error, if there is one.
    pub(super) error: Option<ErrorLine>,
}

/// The lines of a report, as far as merging needs them. Other fields are ignored: the lines are copied as they are.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    FleetStarted(StartedJson),
    FleetRefused {
        why: Vec<Printable>,
    },
    Refused {
        #[serde(flatten)]
        account: LineAccount,
    },
    Problem {
        #[serde(flatten)]
        account: LineAccount,
        kind: PrincipalKind,
        name: Printable,
        severity: Printable,
        #[serde(flatten)]
        error: ErrorLine,
    },
    Item {
        #[serde(flatten)]
        account: LineAccount,
        kind: PrincipalKind,
        name: Printable,
        outcome: Printable,
        error: Option<ErrorLine>,
    },
    Stopped {
        #[serde(flatten)]
        account: LineAccount,
    },
    Summary {
        #[serde(flatten)]
        account: LineAccount,
        applied: usize,
        not_as_written: usize,
        failed: usize,
        not_attempted: usize,
        not_read_back: usize,
        conflicts: usize,
        blocked: usize,
        problems: usize,
        stopped_by: Option<Printable>,
    },
    AccountProblem {
        #[serde(flatten)]
        account: LineAccount,
        #[serde(flatten)]
        error: ErrorLine,
    },
    AccountNotBegun {
        #[serde(flatten)]
        account: LineAccount,
        not_attempted: usize,
        reason: Printable,
    },
    JournalError {
        #[serde(flatten)]
        account: LineAccount,
        message: Printable,
    },
    AccountNotCovered {
        account: AccountId,
        account_name: Printable,
    },
    FleetSummary(SummaryJson),
}

#[derive(Deserialize)]
struct LineAccount {
    account: AccountId,
    account_name: AccountName,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ErrorLine {
    pub(super) code: Printable,
    pub(super) message: Printable,
    /// What to do, if the run says so.
    pub(super) advice: Option<Printable>,
}

/// The first line, whatever it is of.
#[derive(Deserialize)]
struct FirstLine {
    r#type: String,
    account: Option<IgnoredAny>,
}

impl ReportedAccount {
    /// The result of the account if its run did not end, as far as the lines show it: never success.
    fn known_result(&self) -> Option<AccountResult> {
        let ReportedCounts { failed, not_attempted, conflicts, not_verified, .. } = self.counts;
        let is_undone = [failed, not_attempted, conflicts, not_verified] != [0; 4];
        match self.end {
            ReportedEnd::Failed(_) => Some(AccountResult::Failed),
            ReportedEnd::Refused => Some(AccountResult::Refused),
            ReportedEnd::NotBegun(_) => Some(AccountResult::NotBegun),
            ReportedEnd::Open | ReportedEnd::Completed => {
                (is_undone || self.journal_error.is_some()).then_some(AccountResult::Failed)
            }
        }
    }
}

impl ShardReport {
    /// Reads a report. `None` if its run did not begin: it is empty, or ends within its first line.
    pub(super) fn read(
        file: Printable,
        text: &[u8],
    ) -> Result<Option<ShardReport>, ShardReportError> {
        let Ok(text) = std::str::from_utf8(text) else {
            return Err(ShardReportError::NotAReport(file));
        };
        // A line without its end was not written completely.
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let Some(first) = lines.next() else {
            let is_begun = text.is_empty() || text.starts_with('{');
            return is_begun.then_some(None).ok_or(ShardReportError::NotAReport(file));
        };
        let started = match serde_json::from_str(first) {
            Ok(Line::FleetStarted(started)) => started,
            Ok(_) => return Err(damaged(file, 1, "the beginning of the report is missing")),
            Err(_) => return Err(of_other_first_line(file, first)),
        };
        let Some(shard) = started.shard.filter(|_| started.fleet.is_some()) else {
            return Err(MergeError::NotOfAShard { file }.into());
        };
        let mut report = ShardReport {
            file,
            started,
            shard,
            lines: Vec::new(),
            accounts: BTreeMap::new(),
            uncovered: Vec::new(),
            refused: Vec::new(),
            summary: None,
        };
        let mut digest = DigestBuilder::default();
        digest.update(first);
        for (index, text) in lines.enumerate() {
            let number = index + 2;
            let line: Line = serde_json::from_str(text)
                .map_err(|error| damaged(report.file.clone(), number, serde_message(&error)))?;
            if report.summary.is_some() {
                let why = "a line follows the summary of the fleet";
                return Err(damaged(report.file, number, why));
            }
            if let Line::FleetSummary(summary) = line {
                let (actual, written) = (digest.digest(), summary.lines);
                if actual != written {
                    return Err(ShardReportError::Edited { file: report.file, actual, written });
                }
                if let Some(why) = report.contradiction(&summary) {
                    return Err(damaged(report.file, number, why));
                }
                report.summary = Some(summary);
                continue;
            }
            digest.update(text);
            report.lines.push(text.to_owned());
            report.add(line).map_err(|error| match error {
                Misplaced::Line => damaged(report.file.clone(), number, "the line is misplaced"),
                Misplaced::Account(account) => {
                    let (file, shard) = (report.file.clone(), report.shard);
                    MergeError::OtherShard { file, shard, account }.into()
                }
            })?;
        }
        Ok(Some(report))
    }

    /// The numbers of a run that did not end, as far as the lines show them.
    pub(super) fn counts(&self) -> FleetCountsJson {
        let accounts = self.accounts.values();
        let mut counts =
            FleetCountsJson { accounts: self.started.accounts, ..FleetCountsJson::default() };
        for account in accounts {
            let of_account = &account.counts;
            counts.applied = counts.applied.saturating_add(of_account.applied);
            counts.failed = counts.failed.saturating_add(of_account.failed);
            counts.not_attempted = counts.not_attempted.saturating_add(of_account.not_attempted);
            counts.conflicts = counts.conflicts.saturating_add(of_account.conflicts);
            account.known_result().into_iter().for_each(|result| counts.count(result));
        }
        // A damaged report can have lines of more accounts than its run.
        counts.accounts_not_ended = counts.accounts.saturating_sub(counts.counted());
        counts
    }

    fn add(&mut self, line: Line) -> Result<(), Misplaced> {
        match line {
            Line::FleetStarted(_) | Line::FleetSummary(_) => return Err(Misplaced::Line),
            Line::FleetRefused { why } => self.refused.extend(why),
            Line::Refused { account } => self.account(account)?.end = ReportedEnd::Refused,
            Line::Problem { account, kind, name, severity, error } => {
                let account = self.account(account)?;
                if severity == "error" {
                    account.counts.problems += 1;
                    let (outcome, error) = (Printable::new("problem"), Some(error));
                    account.failures.push(ReportedFailure { kind, name, outcome, error });
                }
            }
            Line::Item { account, kind, name, outcome, error } => {
                let account = self.account(account)?;
                let counts = &mut account.counts;
                let is_failure = match outcome.as_str() {
                    "applied" => {
                        counts.applied += 1;
                        false
                    }
                    "failed" | "not_as_written" => {
                        counts.failed += 1;
                        true
                    }
                    "conflict" => {
                        counts.conflicts += 1;
                        true
                    }
                    "blocked" => {
                        counts.problems += 1;
                        true
                    }
                    "not_attempted" => {
                        counts.not_attempted += 1;
                        false
                    }
                    _ => false,
                };
                if is_failure {
                    account.failures.push(ReportedFailure { kind, name, outcome, error });
                }
            }
            Line::Stopped { account } => drop(self.account(account)?),
            Line::Summary {
                account,
                applied,
                not_as_written,
                failed,
                not_attempted,
                not_read_back,
                conflicts,
                blocked,
                problems,
                stopped_by,
            } => {
                let account = self.account(account)?;
                account.counts = ReportedCounts {
                    applied,
                    failed: failed.saturating_add(not_as_written),
                    not_attempted,
                    conflicts,
                    problems: problems.saturating_add(blocked),
                    not_verified: not_read_back,
                };
                account.end = match stopped_by.as_deref() {
                    Some("refused") => ReportedEnd::Refused,
                    _ => ReportedEnd::Completed,
                };
            }
            Line::AccountProblem { account, error } => {
                self.account(account)?.end = ReportedEnd::Failed(error);
            }
            Line::AccountNotBegun { account, not_attempted, reason } => {
                let account = self.account(account)?;
                account.counts.not_attempted = not_attempted;
                account.end = ReportedEnd::NotBegun(reason);
            }
            Line::JournalError { account, message } => {
                self.account(account)?.journal_error = Some(message);
            }
            Line::AccountNotCovered { account, account_name } => {
                if !self.shard.contains(account) {
                    return Err(Misplaced::Account(account));
                }
                self.uncovered.push(Uncovered { id: account, name: account_name });
            }
        }
        Ok(())
    }

    /// What a summary says that no run with these lines says.
    fn contradiction(&self, summary: &SummaryJson) -> Option<&'static str> {
        let counts = &summary.counts;
        let is_complete = counts.accounts_complete == counts.accounts
            && counts.failed + counts.not_attempted + counts.conflicts == 0
            && self.refused.is_empty();
        let of_lines = self.counts();
        let is_of_lines = counts.accounts == of_lines.accounts
            && counts.applied == of_lines.applied
            && counts.failed == of_lines.failed
            && counts.accounts == counts.counted();
        if summary.shard != Some(self.shard) {
            Some("the summary is of another shard")
        } else if !is_of_lines {
            Some("the numbers of the summary are not those of the lines")
        } else if summary.result == FleetResult::Complete && !is_complete {
            Some("the summary says complete, and its numbers do not")
        } else {
            None
        }
    }

    fn account(&mut self, line: LineAccount) -> Result<&mut ReportedAccount, Misplaced> {
        let LineAccount { account, account_name } = line;
        if !self.shard.contains(account) {
            return Err(Misplaced::Account(account));
        }
        let new = || ReportedAccount {
            name: account_name,
            counts: ReportedCounts::default(),
            failures: Vec::new(),
            end: ReportedEnd::Open,
            journal_error: None,
        };
        Ok(self.accounts.entry(account).or_insert_with(new))
    }
}

/// Why a line cannot be where it is.
enum Misplaced {
    Line,
    /// The account belongs to another part.
    Account(AccountId),
}

fn damaged(file: Printable, line: usize, why: impl Into<String>) -> ShardReportError {
    ShardReportError::Damaged { file, line, why: why.into() }
}

fn of_other_first_line(file: Printable, line: &str) -> ShardReportError {
    match serde_json::from_str::<FirstLine>(line) {
        Ok(FirstLine { r#type, account: Some(_) })
            if ["refused", "problem", "item", "stopped", "summary"].contains(&&*r#type) =>
        {
            ShardReportError::OneAccount(file)
        }
        Ok(FirstLine { r#type, .. }) if r#type.starts_with("fleet_") => {
            damaged(file, 1, "it is not the first line of a report")
        }
        _ => ShardReportError::NotAReport(file),
    }
}
