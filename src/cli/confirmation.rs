use std::io::{self, IsTerminal};

use super::output::Output;
use crate::ops::Declined;
use crate::plan::{FleetPlan, Plan, Violation};

/// Asks for confirmation: `yes`, or the number of changes for a large plan.
///
/// # Errors
/// Returns [`Declined`] if the answer is not the expected one, or if standard input is not a terminal.
pub(super) async fn confirm(plan: &Plan, output: &Output) -> Result<(), Declined> {
    if !io::stdin().is_terminal() {
        return Err(Declined::NotATerminal);
    }
    let changes = plan.changes.len();
    let (instruction, expected) = match plan.is_large() {
        true => ("Type the number of changes to continue:", changes.to_string()),
        false => ("Type \"yes\" to continue:", "yes".to_owned()),
    };
    // The number has no commas, because a large plan is confirmed by typing it.
    let noun = if changes == 1 { "change" } else { "changes" };
    let account = match &plan.account_alias {
        Some(alias) => format!("{} ({alias})", plan.account),
        None => plan.account.to_string(),
    };
    let question = format!("This plan makes {changes} {noun} to account {account}. {instruction}");
    ask(&question, expected, output).await
}

/// Asks for confirmation of the plans of a fleet, like [`confirm`]. The plans of accounts that `refused` has violations
/// of are not applied.
///
/// # Errors
/// Those of [`confirm`].
pub(super) async fn confirm_fleet(
    plan: &FleetPlan,
    refused: &[Vec<Violation>],
    output: &Output,
) -> Result<(), Declined> {
    let is_refused = |n: usize| refused.get(n).is_some_and(|violations| !violations.is_empty());
    let plans = plan.accounts.iter().enumerate().filter(|(n, _)| !is_refused(*n));
    let plans: Vec<&Plan> = plans.filter_map(|(_, account)| account.changed()).collect();
    let changes: usize = plans.iter().map(|plan| plan.changes.len()).sum();
    if changes == 0 {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Declined::NotATerminal);
    }
    let (instruction, expected) = match plans.iter().any(|plan| plan.is_large()) {
        true => ("Type the number of changes to continue:", changes.to_string()),
        false => ("Type \"yes\" to continue:", "yes".to_owned()),
    };
    let noun = if changes == 1 { "change" } else { "changes" };
    let accounts = if plans.len() == 1 { "account" } else { "accounts" };
    let question =
        format!("This plan makes {changes} {noun} in {} {accounts}. {instruction}", plans.len());
    ask(&question, expected, output).await
}

/// Asks, and compares the answer with the expected one.
async fn ask(question: &str, expected: String, output: &Output) -> Result<(), Declined> {
    // What was typed before the question is shown answers no question.
    discard_input();
    output.prompt(question);
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = answer.await.map_err(io::Error::other).flatten()?;
    if answer.trim() == expected { Ok(()) } else { Err(Declined::Answer { expected }) }
}

/// Discards what was typed at the terminal of standard input and not read yet.
fn discard_input() {
    #[cfg(unix)]
    {
        use rustix::termios::{QueueSelector, tcflush};
        // Fails only if standard input is no terminal.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    }
}
