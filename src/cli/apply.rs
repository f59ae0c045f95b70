use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tokio::task::JoinHandle;

use super::access::{
    access, one_account, reject_file, reject_option_of_fleet, reject_with_fleet, state,
};
use super::args::{ApplyArgs, Args, Format};
use super::check::write_to_review;
use super::confirmation::confirm;
use super::exit_code::Exit;
use super::failure::Failure;
use super::fleet;
use super::metrics::MetricsFile;
use super::output::Output;
use super::reporter::Reporter;
use super::signals::stop_on_signal;
use super::unfinished;
use crate::apply::Summary;
use crate::aws::{RetryPolicy, StopSwitch};
use crate::iam::{Printable, grouped};
use crate::inventory::{StopReason, Wait};
use crate::journal::JournalError;
use crate::ops::{
    self, ApplyInput, ApplyOptions, ApplyOutcome, Declined, EventSink, Interaction, Review,
    SavedPlan,
};
use crate::plan::{Preflight, Refused, Supervision};
use crate::report::{
    AccountMetrics, Headline, WaitDisplay, guard_rails, override_help, render_refused,
    render_review, statements, summary_counts,
};
use crate::state::UnfinishedRun;

pub(super) async fn run(
    args: &Args,
    command: &ApplyArgs,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    let input = match &command.plan {
        None => {
            if let Some(fleet) = &args.fleet {
                reject_with_fleet(args, None, "")?;
                return fleet::apply_files(args, fleet, command, output, metrics).await;
            }
            ApplyInput::Files(command.selection.of(args.files()))
        }
        Some(path) => {
            let help = "omit -f: a saved plan does not need the boundaries file";
            reject_file(args, "a saved plan", help)?;
            if args.fleet.is_some() {
                return Err(Failure::new("--fleet cannot be used with a saved plan").help(
                    "omit --fleet: a saved plan has the credentials of each account; --account selects accounts",
                ));
            }
            if command.selection.is_set() {
                let message = "a saved plan cannot be limited to principals";
                let help = "omit --only and --expiring-within, or omit the plan to apply the boundaries file";
                return Err(Failure::new(message).help(help));
            }
            match ops::read_plan(path).map_err(Failure::nothing_changed)? {
                SavedPlan::Account(plan) => ApplyInput::Planned(plan),
                SavedPlan::Fleet(plan) => {
                    return fleet::apply_saved(args, *plan, path, command, output, metrics).await;
                }
            }
        }
    };
    reject_option_of_fleet(command.fleet.set_option())?;
    reject_option_of_fleet(command.of_fleet.set_option())?;
    reject_option_of_fleet(command.shard.shard.map(|_| "--shard"))?;
    let account = one_account(args)?;
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let options = ApplyOptions {
        access,
        account,
        input,
        overrides: command.guard.overrides(),
        supervision: match command.auto_approve {
            true => Supervision::Unattended,
            false => Supervision::Attended,
        },
        is_strict: command.strict,
        concurrency: command.concurrency,
        max_rate: command.max_rate,
        retry_policy: RetryPolicy::default(),
        timeout: command.timeout,
        verify_for: command.read_back,
        journal: command.journal.clone(),
        state: state(args, command.state_dir.as_deref(), command.journal.as_deref()),
    };
    let switch = StopSwitch::new();
    let format = command.format;
    let is_interactive = !command.auto_approve;
    let mut terminal = Terminal {
        format,
        is_interactive,
        output,
        waits,
        switch: switch.clone(),
        unprinted: String::new(),
        journal: Arc::default(),
        running: None,
        metrics,
    };
    match ops::apply(&options, &switch, &mut terminal).await {
        Err(error) => {
            // The error is more important than output that cannot be written.
            let _ = terminal.finish().await;
            Err(write_to_review(Failure::nothing_changed(error), format, output)?)
        }
        Ok(ApplyOutcome::Refused { preflight, why }) => {
            let not_attempted = preflight.plan.changes.len();
            let summary = Summary { not_attempted, ..Summary::default() };
            metrics.record(|| vec![AccountMetrics::of_run(&preflight, &summary, None)]);
            output.conclude(|| Headline::of_run(&preflight, &summary));
            let _ = terminal.finish().await;
            Err(refused(&preflight, &why, format, output))
        }
        Ok(ApplyOutcome::Completed { preflight, summary, journal }) => {
            metrics.record(|| vec![AccountMetrics::of_run(&preflight, &summary, None)]);
            output.conclude(|| Headline::of_run(&preflight, &summary));
            let written = terminal.finish().await;
            if let Ok(Some(path)) = &journal {
                output.remark(&format!("journal: {}", Printable::path(path)));
            }
            if let (Err(error), Ok(_)) = (&written, &journal) {
                return Err(unwritten(error, &summary));
            }
            journal.map_err(|error| {
                let help = match &error {
                    JournalError::Lost { .. } => {
                        "the run cannot be rolled back from this file; run plan to see the account, and keep \
                         other processes away from the journals"
                    }
                    _ => {
                        "no further request was sent; free disk space for the journal, and run the command again"
                    }
                };
                Failure::new(format!("{error}; {}", summary_counts(&summary)))
                    .help(help)
                    .with_exit(Exit::SomeFailed)
            })?;
            Ok(exit(&preflight, &summary))
        }
    }
}

/// Shows the plan, asks for confirmation, and starts the report.
struct Terminal<'a> {
    format: Format,
    is_interactive: bool,
    output: &'a Output,
    waits: WaitDisplay,
    switch: StopSwitch,
    /// The text of a plan that needs no confirmation. The report thread prints it, so that a slow reader of
    /// standard output does not delay the run.
    unprinted: String,
    journal: Arc<OnceLock<PathBuf>>,
    running: Option<Running>,
    metrics: &'a MetricsFile,
}

/// The tasks that accompany a run.
struct Running {
    reporter: Reporter,
    signals: JoinHandle<()>,
}

impl Terminal<'_> {
    /// Prints what is not printed yet, and waits for the report.
    async fn finish(&mut self) -> io::Result<()> {
        let rest = mem::take(&mut self.unprinted);
        // Printing waits for the lock of standard output, which a report that waits for its reader holds.
        if !rest.is_empty() {
            self.output.print(self.format, &rest)?;
        }
        match self.running.take() {
            Some(Running { reporter, signals }) => {
                signals.abort();
                reporter.finish().await
            }
            None => Ok(()),
        }
    }
}

impl Interaction for Terminal<'_> {
    fn waiting(&mut self, wait: Option<&Wait>) {
        self.waits.show(wait);
    }

    fn unfinished_run(&mut self, run: &UnfinishedRun) {
        self.output.warn(&unfinished::message(run));
    }

    async fn review(&mut self, Review { plan, violations }: Review<'_>) -> Result<(), Declined> {
        let text = |style| render_review(plan, style);
        let is_confirmed = self.is_interactive && violations.is_empty() && !plan.changes.is_empty();
        if self.format == Format::Text {
            self.unprinted = text(self.output.out);
        }
        if !is_confirmed {
            return Ok(());
        }
        self.output.print(self.format, &mem::take(&mut self.unprinted))?;
        if self.format != Format::Text {
            self.output.remark(&text(self.output.err));
        }
        confirm(plan, self.output).await
    }

    fn begin(&mut self, preflight: &Arc<Preflight>) -> io::Result<EventSink> {
        if preflight.plan.changes.is_empty() && self.format == Format::Text {
            // The plan shows everything.
            return Ok(Box::new(|_| ()));
        }
        let before = mem::take(&mut self.unprinted);
        let (events, reporter) =
            Reporter::start(preflight.clone(), self.format, *self.output, before)?;
        let signals = self.metrics.signals();
        let (switch, bar) = (self.switch.clone(), reporter.bar_handle());
        let stopping = stop_on_signal(signals, switch, *self.output, bar, self.journal.clone());
        self.running = Some(Running { reporter, signals: tokio::spawn(stopping) });
        // A missing receiver is ignored: the run does not depend on it.
        Ok(Box::new(move |event| drop(events.send(event))))
    }

    fn journal_created(&mut self, path: &Path) {
        // A run has one journal.
        let _ = self.journal.set(path.to_owned());
    }
}

fn exit(preflight: &Preflight, summary: &Summary) -> Exit {
    if summary.stopped == Some(StopReason::Interrupted) {
        Exit::Interrupted
    } else if summary.is_complete()
        && preflight.is_all_possible()
        && !preflight.plan.is_incomplete()
    {
        Exit::Done
    } else {
        Exit::SomeFailed
    }
}

/// The counts say what was changed, but the report could not be written.
fn unwritten(error: &io::Error, summary: &Summary) -> Failure {
    let counts = summary_counts(summary);
    Failure::new(format!("cannot write the run report: {error}; {counts}"))
        .help("run plan to see the remaining changes")
        .with_exit(Exit::SomeFailed)
}

/// Reports a refused plan. In text format, the plan itself is already printed.
fn refused(preflight: &Preflight, why: &Refused, format: Format, output: &Output) -> Failure {
    let plan = &preflight.plan;
    let failure = match why {
        Refused::GuardRails(violations) => {
            let statements = statements(violations).join("\n  ");
            Failure::new(format!(
                "nothing was changed: the plan violates {}\n  {statements}",
                guard_rails(violations)
            ))
            .help(override_help(plan, violations))
        }
        Refused::Conflicts => {
            let conflicts = match preflight.conflicts().count() {
                1 => "1 change is".to_owned(),
                count => format!("{} changes are", grouped(count)),
            };
            Failure::new(format!("nothing was changed: {conflicts} in conflict")).help(
                "plan again, or omit --strict: apply then skips these changes and makes the others",
            )
        }
    };
    if format != Format::Text || *why == Refused::Conflicts {
        // The refusal is also on standard error, and its exit code must not be lost.
        let _ = output.print(format, &render_refused(preflight, why, format.into(), output.out));
    }
    failure.with_exit(Exit::Refused)
}
