//! Runs on a fleet as JSON Lines: those of each account, with its ID and name, and a summary of the fleet at the end.

use std::io::{self, Write};

use serde::Serialize;

use super::json::{ErrorJson, write_line};
use super::view::{Totals, advice, fleet_override_help, fleet_statements, reason_code};
use crate::apply::{AccountEnd, AccountRun, FleetRun};
use crate::iam::{AccountId, AccountName, Digest};
use crate::plan::AccountProblem;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FleetLine<'a> {
    /// The plans violate guard rails of the fleet: nothing is changed in any account.
    FleetRefused { why: Vec<String>, advice: String },
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
    JournalError { account: AccountId, account_name: &'a AccountName, message: String },
    /// The fleet does not cover an account of the organization.
    AccountNotCovered { account: AccountId, account_name: &'a str },
    FleetSummary {
        digest: Digest,
        accounts: usize,
        accounts_complete: usize,
        accounts_failed: usize,
        accounts_refused: usize,
        accounts_not_begun: usize,
        accounts_not_covered: usize,
        applied: usize,
        failed: usize,
        not_attempted: usize,
        conflicts: usize,
        calls: usize,
        throttled_calls: usize,
    },
}

/// Writes the line of an account in which no run ended; nothing for another.
pub(super) fn write_account(to: &mut impl Write, run: &AccountRun) -> io::Result<()> {
    let (account, account_name) = (run.account.id, &run.account.name);
    let line = match &run.end {
        AccountEnd::Failed(problem) => {
            let error = match problem {
                AccountProblem::Call(error) => Some(error),
                AccountProblem::Other(_) => None,
            };
            FleetLine::AccountProblem {
                account,
                account_name,
                code: problem.code(),
                message: problem.to_string(),
                error: error.map(ErrorJson::of),
                advice: error.and_then(advice),
            }
        }
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

/// Writes the last lines.
pub(super) fn write_end(to: &mut impl Write, run: &FleetRun) -> io::Result<()> {
    if !run.violations.is_empty() {
        let why = fleet_statements(&run.violations);
        let advice = fleet_override_help(&run.violations);
        write_line(to, &FleetLine::FleetRefused { why, advice })?;
    }
    for it in &run.plan.uncovered {
        let (account, account_name) = (it.id, &*it.name);
        write_line(to, &FleetLine::AccountNotCovered { account, account_name })?;
    }
    let totals = Totals::of(run);
    let count = |is: fn(&AccountEnd) -> bool| run.accounts.iter().filter(|it| is(&it.end)).count();
    write_line(
        to,
        &FleetLine::FleetSummary {
            digest: run.plan.part_of.unwrap_or_else(|| run.plan.digest()),
            accounts: run.accounts.len(),
            accounts_complete: run.accounts.iter().filter(|it| it.is_complete()).count(),
            accounts_failed: run.accounts.iter().filter(|it| it.is_failed()).count(),
            accounts_refused: count(|end| matches!(end, AccountEnd::Refused { .. })),
            accounts_not_begun: count(|end| matches!(end, AccountEnd::NotBegun { .. })),
            accounts_not_covered: run.plan.uncovered.len(),
            applied: totals.applied,
            failed: totals.failed,
            not_attempted: totals.not_attempted,
            conflicts: totals.conflicts,
            calls: totals.calls,
            throttled_calls: totals.throttled,
        },
    )
}
