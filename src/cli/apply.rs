use std::cell::RefCell;
use std::io;

use super::approval::approve;
use super::args::{ApplyArgs, Args, Format};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::saved;
use super::session::Session;
use super::signals::stop_on_signal;
use super::time_limit::TimeLimit;
use crate::apply::{Event, Limits, Run, Summary, apply};
use crate::live::{Bounds, RetryPolicy, StopReason, StopSwitch};
use crate::plan::{Plan, Recheck};
use crate::report::{
    ApplyGithub, ApplyJson, ApplyMarkdown, ApplyText, Listener, ProgressDisplay, plan_text,
    summary_counts,
};

pub(super) async fn run(
    args: &Args,
    command: &ApplyArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut time = TimeLimit::new(command.timeout);
    let session = match &command.plan {
        None => time.within(Session::open(args, None, command.format, output)).await?,
        Some(path) => time.within(Session::open_saved(args, saved::read(args, path)?)).await?,
    };
    let plan = &session.plan;
    if command.format == Format::Text {
        output.result(&plan_text(plan, output.out))?;
    }
    if !plan.changes.is_empty() && !command.auto_approve {
        approve(plan, command.format, output).await?;
    }
    if plan.changes.is_empty() && command.format == Format::Text {
        // The plan has said it all.
        return Ok(exit_of_problems(plan));
    }
    // After the question, which may have stood unanswered for hours.
    let recheck = time.within(session.recheck(!command.auto_approve)).await?;
    let mut listener: Box<dyn Listener> = match command.format {
        Format::Text => Box::new(ApplyText::new(&recheck, output.out, io::stdout())),
        Format::Json => Box::new(ApplyJson::new(&recheck, io::stdout())),
        Format::Markdown => Box::new(ApplyMarkdown::new(&recheck, io::stdout())),
        Format::Github => Box::new(ApplyGithub::new(&recheck, io::stdout())),
    };
    let switch = StopSwitch::new();
    let is_refused = command.strict && !recheck.conflicts.is_empty();
    if is_refused {
        // Each item is accounted for all the same.
        switch.press(StopReason::Error);
    }
    let signals = tokio::spawn(stop_on_signal(switch.clone(), *output));
    let deadline = tokio::spawn(time.press(switch.clone()));
    let (summary, written) =
        carry_out(&session, &recheck.plan, command, &switch, listener.as_mut()).await;
    deadline.abort();
    signals.abort();
    if let Err(error) = written {
        return Err(unwritten(&error, &summary));
    }
    if is_refused {
        return Err(refused(&recheck));
    }
    Ok(if summary.stopped == Some(StopReason::Interrupted) {
        Exit::Interrupted
    } else if !summary.is_complete() || !recheck.conflicts.is_empty() {
        Exit::SomeFailed
    } else {
        exit_of_problems(plan)
    })
}

fn exit_of_problems(plan: &Plan) -> Exit {
    if plan.problems.is_empty() { Exit::Done } else { Exit::SomeFailed }
}

/// Applies `plan`, with its events going to `listener` and its progress to standard error.
async fn carry_out(
    session: &Session,
    plan: &Plan,
    command: &ApplyArgs,
    switch: &StopSwitch,
    listener: &mut dyn Listener,
) -> (Summary, io::Result<()>) {
    let bounds = Bounds { in_flight: command.concurrency.get(), calls: plan.changes.len() };
    let writer = session.account.writer(bounds, command.max_rate, RetryPolicy::default());
    let limits = Limits { concurrency: command.concurrency, read_back: command.read_back };
    let run = Run { plan, account: &session.account, writer: &writer, limits, switch };
    let progress = RefCell::new(ProgressDisplay::new());
    let mut written = Ok(());
    let tell = |event: Event| {
        let mut progress = progress.borrow_mut();
        progress.on(&event);
        if written.is_ok() {
            written = progress.aside(|| listener.on(&event));
        }
    };
    let summary = {
        let run = apply(run, tell);
        tokio::pin!(run);
        let mut ticks = tokio::time::interval(ProgressDisplay::TICK);
        loop {
            tokio::select! {
                summary = &mut run => break summary,
                _ = ticks.tick() => progress.borrow_mut().tick(),
            }
        }
    };
    (summary, written)
}

/// The work is done or not as the counts say; but who was to read each item's account has not got it.
fn unwritten(error: &io::Error, summary: &Summary) -> Failure {
    let counts = summary_counts(summary);
    Failure::new(format!("the account of this run could not be written: {error}; {counts}"))
        .advise("run plan to see what is left")
        .with_exit(Exit::SomeFailed)
}

fn refused(recheck: &Recheck) -> Failure {
    let conflicts = recheck.conflicts.len();
    Failure::new(format!("nothing was changed: {conflicts} of the plan's users are in conflict"))
        .advise("plan again; without --strict, apply leaves these alone and changes the others")
        .with_exit(Exit::Refused)
}
