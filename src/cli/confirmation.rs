use std::io::{self, IsTerminal};

use super::output::Output;
use crate::ops::Declined;
use crate::plan::Plan;

/// Asks for confirmation: `yes`, or the number of changes for a large plan.
///
/// # Errors
/// [`Declined`] when another answer is given, or nobody can be asked.
pub(super) async fn confirm(plan: &Plan, output: &Output) -> Result<(), Declined> {
    if !io::stdin().is_terminal() {
        return Err(Declined::NotATerminal);
    }
    let changes = plan.changes.len();
    let (question, expected) = if plan.is_large() {
        let question = format!(
            "This plan makes {changes} changes to account {}. Type the number of changes to continue:",
            plan.account
        );
        (question, changes.to_string())
    } else {
        let question = format!(
            "This plan makes {changes} changes to account {}. Type \"yes\" to continue:",
            plan.account
        );
        (question, "yes".to_owned())
    };
    output.prompt(&question);
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = answer.await.map_err(io::Error::other).flatten()?;
    if answer.trim() == expected { Ok(()) } else { Err(Declined::Answer { expected }) }
}
