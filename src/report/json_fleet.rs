//! Runs on a fleet as JSON Lines: those of each account, with its ID and name, and a summary of the fleet at the end.

use std::io::{self, Write};

use serde::Serialize;

use super::fleet_lines::{FleetCountsJson, FleetFileJson, StartedJson, SummaryJson};
use super::json::{ErrorJson, write_line};
use super::merged_runs::MergedRuns;
use super::view::{Totals, advice_on_account, fleet_override_help, fleet_statements, reason_code};
use crate::apply::{AccountEnd, AccountRun, FleetRun, FleetRunHeader};
use crate::config::SourceFile;
use crate::iam::{AccountId, AccountName, Digest, DigestBuilder, Shard};
use crate::plan::FleetSource;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FleetLine<'a> {
    FleetStarted(StartedJson),
    /// The plans violate guard rails of the fleet: nothing is changed in any account.
    FleetRefused {
        shard: Option<Shard>,
        why: Vec<String>,
        advice: String,
    },
    /// Nothing was done in the account.
    AccountProblem {
        account: AccountId,
        account_name: &'a AccountName,
        code: &'a str,
        message: String,
        error: Option<ErrorJson<'a>>,
        advice: Option<String>,
    },
    /// The account was not begun.
    AccountNotBegun {
        account: AccountId,
        account_name: &'a AccountName,
        not_attempted: usize,
        reason: &'static str,
    },
    /// The journal of the account does not record the end of its run.
    JournalError {
        account: AccountId,
        account_name: &'a AccountName,
        message: String,
    },
    /// The fleet does not cover an account of the organization.
    AccountNotCovered {
        account: AccountId,
        account_name: &'a str,
    },
    FleetSummary(SummaryJson),
}

/// Writes the line of an account in which no run ended; nothing for another.
pub(super) fn write_account(to: &mut impl Write, run: &AccountRun) -> io::Result<()> {
    let (account, account_name) = (run.account.id, &run.account.name);
    let line = match &run.end {
        AccountEnd::Failed(problem) => FleetLine::AccountProblem {
            account,
            account_name,
            code: problem.code(),
            message: problem.to_string(),
            error: problem.call().map(ErrorJson::of),
            advice: advice_on_account(problem),
        },
        AccountEnd::NotBegun { changes, why } => FleetLine::AccountNotBegun {
            account,
            account_name,
            not_attempted: *changes,
            reason: reason_code(*why),
        },
        AccountEnd::Completed { journal: Err(error), .. } => {
            FleetLine::JournalError { account, account_name, message: error.to_string() }
        }
        AccountEnd::Completed { .. } | AccountEnd::Refused { .. } => return Ok(()),
    };
    write_line(to, &line)
}

/// Writes the first line.
pub(super) fn write_begin(to: &mut impl Write, header: &FleetRunHeader) -> io::Result<()> {
    let FleetRunHeader { source, shard, accounts } = header.clone();
    let fleet = match source {
        FleetSource::File(SourceFile { path, digest }) => Some(FleetFileJson { path, digest }),
        FleetSource::Rollback { .. } => None,
    };
    write_line(to, &FleetLine::FleetStarted(StartedJson { fleet, shard, accounts }))
}

/// Writes the last lines.
pub(super) fn write_end(to: &mut HashedLines<impl Write>, run: &FleetRun) -> io::Result<()> {
    let shard = run.plan.shard;
    if !run.violations.is_empty() {
        let why = fleet_statements(&run.violations);
        let advice = fleet_override_help(&run.violations);
        write_line(to, &FleetLine::FleetRefused { shard, why, advice })?;
    }
    for it in &run.plan.uncovered {
        let (account, account_name) = (it.id, &*it.name);
        write_line(to, &FleetLine::AccountNotCovered { account, account_name })?;
    }
    let totals = Totals::of(run);
    let mut counts = FleetCountsJson {
        accounts: run.plan.accounts.len(),
        accounts_not_covered: run.plan.uncovered.len(),
        applied: totals.applied,
        failed: totals.failed,
        not_attempted: totals.not_attempted,
        conflicts: totals.conflicts,
        calls: totals.calls,
        throttled_calls: totals.throttled,
        ..FleetCountsJson::default()
    };
    run.accounts.iter().for_each(|account| counts.count(account.result()));
    let summary = SummaryJson {
        digest: Some(run.plan.part_of.unwrap_or_else(|| run.plan.digest())),
        result: run.result(),
        shard,
        missing_shards: run.plan.missing_shards.clone(),
        shards_not_ended: Vec::new(),
        counts,
        lines: to.digest(),
    };
    write_line(to, &FleetLine::FleetSummary(summary))
}

/// Merged reports: the lines of all, between one first line and one summary.
pub(super) fn merged(runs: &MergedRuns) -> String {
    let mut lines = HashedLines::new(Vec::new());
    // Writing to memory cannot fail.
    let _ = write_merged(&mut lines, runs);
    String::from_utf8(lines.to).expect("JSON is UTF-8")
}

fn write_merged(to: &mut HashedLines<Vec<u8>>, runs: &MergedRuns) -> io::Result<()> {
    let counts = runs.counts();
    let (fleet, accounts) = (Some(runs.fleet.clone()), counts.accounts);
    write_line(to, &FleetLine::FleetStarted(StartedJson { fleet, shard: None, accounts }))?;
    for line in runs.reports.iter().flat_map(|report| &report.lines) {
        to.write_all(line.as_bytes())?;
    }
    let summary = SummaryJson {
        digest: None,
        result: runs.result(),
        shard: None,
        missing_shards: runs.missing.clone(),
        shards_not_ended: runs.not_ended().map(|report| report.shard).collect(),
        counts,
        lines: to.digest(),
    };
    write_line(to, &FleetLine::FleetSummary(summary))
}

/// A writer that computes the digest of what it writes.
pub(super) struct HashedLines<W> {
    digest: DigestBuilder,
    to: W,
}

impl<W: Write> HashedLines<W> {
    pub(super) fn new(to: W) -> Self {
        HashedLines { digest: DigestBuilder::default(), to }
    }

    /// The digest of everything that was written.
    pub(super) fn digest(&self) -> Digest {
        self.digest.digest()
    }
}

impl<W: Write> Write for HashedLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
