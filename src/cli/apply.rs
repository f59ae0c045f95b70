use std::cell::RefCell;
use std::io;

use super::approval::approve;
use super::args::{ApplyArgs, Args, Format};
use super::claim::{self, Claim};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::saved;
use super::session::{Opened, Session};
use super::signals::stop_on_signal;
use super::time_limit::TimeLimit;
use crate::apply::{Event, Limits, Run, Summary, apply};
use crate::aws::{Bounds, RetryPolicy, StopReason, StopSwitch, Writer};
use crate::plan::{Plan, Recheck, Supervision, Violation};
use crate::report::{
    ProgressDisplay, RunReporter, override_help, render_plan, render_problems, run_reporter,
    statements, summary_counts,
};

pub(super) async fn run(
    args: &Args,
    command: &ApplyArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut time = TimeLimit::new(command.timeout);
    if let Some(journal) = &command.journal {
        claim::is_new(journal)?;
    }
    let opened = match &command.plan {
        None => time.within(Opened::file(args, None, None, command.format, output)).await?,
        Some(path) => time.within(Opened::saved(args, saved::read(args, path)?)).await?,
    };
    let mut claim = Claim::stake(args, opened.account(), output)?;
    if !command.auto_approve {
        claim.let_go();
    }
    let session = time.within(opened.plan()).await?;
    let plan = &session.plan;
    if command.format == Format::Text {
        output.result(&render_plan(plan, command.format.into(), output.out))?;
    }
    let attendance =
        if command.auto_approve { Supervision::Unattended } else { Supervision::Attended };
    let violations =
        time.within(session.violations(attendance, &command.guard.overrides())).await?;
    let is_allowed = violations.is_empty();
    if command.format == Format::Text && !is_allowed {
        // The plan is on the screen: each of its items is as it was.
        return Err(guarded(plan, &violations));
    }
    if is_allowed && !plan.changes.is_empty() && !command.auto_approve {
        approve(plan, command.format, output).await?;
    }
    claim.renew(output)?;
    if plan.changes.is_empty() && command.format == Format::Text {
        claim.has_nothing_to_do();
        // The plan has said it all.
        return Ok(exit_of_problems(plan));
    }
    let recheck = if is_allowed {
        // After the question, which may have stood unanswered for hours.
        time.within(session.recheck(!command.auto_approve)).await?
    } else {
        Recheck::refused(plan.clone(), violations.clone())
    };
    let mut reporter = run_reporter(&recheck, command.format.into(), output.out, io::stdout());
    if command.format == Format::Text {
        // A policy may have gone since the plan was made.
        let known = plan.problems.len();
        if recheck.plan.problems.len() > known {
            output.result(&render_problems(&recheck.plan, output.out))?;
        }
    }
    let switch = StopSwitch::new();
    let is_strict = command.strict && !recheck.conflicts.is_empty();
    let journal = if is_strict || !is_allowed {
        // Each item is accounted for all the same.
        switch.press(StopReason::Refused);
        None
    } else {
        claim.begin(&recheck, session.account.identity(), command.journal.as_deref())?
    };
    let signals = tokio::spawn(stop_on_signal(switch.clone(), *output));
    let deadline = tokio::spawn(time.press(switch.clone()));
    let run = Run {
        plan: &recheck.plan,
        account: &session.account,
        writer: &writer(&session, &recheck.plan, command),
        limits: Limits { concurrency: command.concurrency, read_back: command.read_back },
        switch: &switch,
        journal: journal.as_ref(),
    };
    let (summary, written) = carry_out(run, reporter.as_mut()).await;
    deadline.abort();
    signals.abort();
    let recorded = match journal {
        Some(journal) => claim.end(journal, &summary, output).await,
        None => Ok(()),
    };
    if let Err(error) = written {
        return Err(unwritten(&error, &summary));
    }
    recorded?;
    if !is_allowed {
        return Err(guarded(plan, &violations));
    }
    if is_strict {
        return Err(refused(&recheck));
    }
    Ok(if summary.stopped == Some(StopReason::Interrupted) {
        Exit::Interrupted
    } else if !summary.is_complete() || !recheck.conflicts.is_empty() {
        Exit::SomeFailed
    } else {
        exit_of_problems(&recheck.plan)
    })
}

fn exit_of_problems(plan: &Plan) -> Exit {
    if plan.problems.is_empty() { Exit::Done } else { Exit::SomeFailed }
}

fn writer(session: &Session, plan: &Plan, command: &ApplyArgs) -> Writer {
    let bounds = Bounds { in_flight: command.concurrency.get(), calls: plan.changes.len() };
    session.account.writer(bounds, command.max_rate, RetryPolicy::default())
}

/// Applies a plan, with its events going to `reporter` and its progress to standard error.
async fn carry_out(run: Run<'_>, reporter: &mut dyn RunReporter) -> (Summary, io::Result<()>) {
    let progress = RefCell::new(ProgressDisplay::new());
    let mut written = Ok(());
    let tell = |event: Event| {
        let mut progress = progress.borrow_mut();
        progress.on(&event);
        if written.is_ok() {
            written = progress.aside(|| reporter.on(&event));
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

fn guarded(plan: &Plan, violations: &[Violation]) -> Failure {
    let why = statements(plan, violations).join("\n  ");
    Failure::new(format!("nothing was changed: guard rails refuse this plan\n  {why}"))
        .advise(override_help(plan, violations))
        .with_exit(Exit::Refused)
}

fn refused(recheck: &Recheck) -> Failure {
    let conflicts = recheck.conflicts.len();
    Failure::new(format!("nothing was changed: {conflicts} of the plan's users are in conflict"))
        .advise("plan again; without --strict, apply leaves these alone and changes the others")
        .with_exit(Exit::Refused)
}
