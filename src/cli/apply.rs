use std::cell::RefCell;
use std::io::{self, IsTerminal};

use super::args::{ApplyArgs, Args, Format};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::session::Session;
use super::time_limit::TimeLimit;
use crate::apply::{self, Event, Limits, Summary};
use crate::live::{Bounds, RetryPolicy, StopReason, StopSwitch};
use crate::plan::Plan;
use crate::report::{ApplyJson, ApplyText, Listener, ProgressDisplay, plan_text};

pub(super) async fn run(
    args: &Args,
    command: &ApplyArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut time = TimeLimit::new(command.timeout);
    let session = time.within(Session::open(args)).await?;
    let plan = &session.plan;
    if command.format == Format::Text {
        output.result(&plan_text(plan, output.out))?;
    }
    if !plan.changes.is_empty() && !command.auto_approve {
        approve(plan, command.format, output).await?;
    }
    let mut listener: Box<dyn Listener> = match command.format {
        // The plan has said it all.
        Format::Text if plan.changes.is_empty() => return Ok(exit_of_problems(plan)),
        Format::Text => Box::new(ApplyText::new(plan, output.out, io::stdout())),
        Format::Json => Box::new(ApplyJson::new(plan, io::stdout())),
    };
    let switch = StopSwitch::new();
    let signals = tokio::spawn(stop_on_signal(switch.clone(), *output));
    let deadline = tokio::spawn(time.press(switch.clone()));
    let (summary, written) = carry_out(&session, command, &switch, listener.as_mut()).await;
    deadline.abort();
    signals.abort();
    if let Err(error) = written {
        return Err(unwritten(&error, &summary));
    }
    Ok(if summary.stopped == Some(StopReason::Interrupted) {
        Exit::Interrupted
    } else if !summary.is_complete() {
        Exit::SomeFailed
    } else {
        exit_of_problems(plan)
    })
}

fn exit_of_problems(plan: &Plan) -> Exit {
    if plan.problems.is_empty() { Exit::Done } else { Exit::SomeFailed }
}

/// Applies the plan, with its events going to `listener` and its progress to standard error.
async fn carry_out(
    session: &Session,
    command: &ApplyArgs,
    switch: &StopSwitch,
    listener: &mut dyn Listener,
) -> (Summary, io::Result<()>) {
    let bounds = Bounds { in_flight: command.concurrency.get(), calls: session.plan.changes.len() };
    let writer = session.account.writer(bounds, command.max_rate, RetryPolicy::default());
    let limits = Limits { concurrency: command.concurrency };
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
        let run = apply::apply(&session.plan, &writer, limits, switch, tell);
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
    let Summary { applied, failed, not_attempted, .. } = summary;
    Failure::new(format!(
        "the account of this run could not be written: {error}; {applied} applied, {failed} failed, \
         {not_attempted} not attempted"
    ))
    .advise("run plan to see what is left")
    .with_exit(Exit::SomeFailed)
}

/// Asks whether to go on; anything but `yes` is an error that stops the command.
async fn approve(plan: &Plan, format: Format, output: &Output) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new("nothing was changed: there is no terminal to ask at")
            .advise("read the plan, and then apply it with --auto-approve"));
    }
    if format == Format::Json {
        output.remark(&plan_text(plan, output.err));
    }
    output.remark(&format!(
        "\nDo you want to make these {} changes to account {}? Only yes is taken as a yes.",
        plan.changes.len(),
        plan.account
    ));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = answer
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| Failure::new(format!("cannot read the answer: {error}")))?;
    if answer.trim() == "yes" {
        Ok(())
    } else {
        Err(Failure::new("nothing was changed: the answer was not yes"))
    }
}

/// The first signal asks for the stop, the second ends the process at once.
async fn stop_on_signal(switch: StopSwitch, output: Output) {
    if let Err(error) = interrupted().await {
        // Without the handler, a signal ends the process as it would any other.
        tracing::warn!("cannot watch for signals: {error}");
        return std::future::pending().await;
    }
    switch.press(StopReason::Interrupted);
    output.remark("\nStopping: what is under way is finished first. Once more ends it at once.");
    tokio::spawn(async {
        if interrupted().await.is_ok() {
            std::process::exit(130);
        }
    });
}

/// Waits for Ctrl-C, or for what asks a process to end.
pub(super) async fn interrupted() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
