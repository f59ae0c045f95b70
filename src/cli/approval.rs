use std::io::{self, IsTerminal};

use super::args::Format;
use super::exit::Failure;
use super::output::Output;
use crate::plan::Plan;
use crate::report::render_plan;

/// Asks whether to go on; anything but `yes`, or the number of changes of a large plan, is an error that
/// stops the command.
pub(super) async fn approve(plan: &Plan, format: Format, output: &Output) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new("nothing was changed: there is no terminal to ask at")
            .advise("read the plan, and then apply it with --auto-approve"));
    }
    if format != Format::Text {
        output.remark(&render_plan(plan, Format::Text.into(), output.err));
    }
    let changes = plan.changes.len();
    let (question, wanted) = if plan.is_large() {
        let question = format!(
            "This is a large plan. To make these {changes} changes to account {}, type their number.",
            plan.account
        );
        (question, changes.to_string())
    } else {
        let question = format!(
            "Do you want to make these {changes} changes to account {}? Only yes is taken as a yes.",
            plan.account
        );
        (question, "yes".to_owned())
    };
    output.remark(&format!("\n{question}"));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = answer
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| Failure::new(format!("cannot read the answer: {error}")))?;
    if answer.trim() == wanted {
        Ok(())
    } else {
        Err(Failure::new(format!("nothing was changed: the answer was not {wanted}")))
    }
}
