use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tokio::task::JoinHandle;

use super::super::access::{access, state};
use super::super::args::{ApplyArgs, Args, Format};
use super::super::check::write_to_review;
use super::super::confirmation::confirm_fleet;
use super::super::exit_code::Exit;
use super::super::failure::Failure;
use super::super::metrics::MetricsFile;
use super::super::output::Output;
use super::super::report_thread::ReportThread;
use super::super::signals::stop_on_signal;
use super::super::unfinished;
use super::plan::part;
use super::progress::{Events, ReadingProgress};
use super::reporter;
use super::unfinished::message;
use crate::apply::{FleetEvent, FleetResult, FleetRun, FleetRunHeader};
use crate::aws::{RetryPolicy, StopSwitch};
use crate::iam::Printable;
use crate::inventory::Wait;
use crate::ops::{
    self, Declined, FleetApplyOptions, FleetInput, FleetInteraction, FleetMaking, FleetPlanOptions,
    FleetReview, FleetSelection, ImpactScope, Omitted, OnUnfinished, UnfinishedFleetRun,
};
use crate::plan::{FleetPlan, Supervision};
use crate::report::{
    AccountMetrics, BarHandle, Headline, WaitDisplay, fleet_override_help, fleet_statements,
    guard_rails, override_help, render_fleet_review, statements,
};

/// Applies the boundaries files of a fleet.
pub(in crate::cli) async fn apply_files(
    args: &Args,
    fleet: &Path,
    command: &ApplyArgs,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let making = FleetMaking {
        access: access.clone(),
        accounts_at_once: command.fleet.at_once(),
        out: None,
        timeout: command.timeout,
        impact: ImpactScope::default(),
        record_documents: false,
    };
    let files = FleetPlanOptions {
        making,
        fleet: fleet.to_owned(),
        base: None,
        accounts: FleetSelection { accounts: args.account.clone(), shard: command.shard.shard },
        selection: command.selection.of(Vec::new()),
        max_changes: None,
        max_removals: None,
        blame: None,
    };
    let input = match command.of_fleet.as_planned {
        true => FleetInput::FilesAsPlanned(files),
        false => FleetInput::Files(files),
    };
    run(args, access, input, command, waits, output, metrics).await
}

/// Applies a saved plan of a fleet, which was read from `path`.
pub(in crate::cli) async fn apply_saved(
    args: &Args,
    plan: FleetPlan,
    path: &Path,
    command: &ApplyArgs,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    let selection = FleetSelection { accounts: args.account.clone(), shard: command.shard.shard };
    let omitted = Omitted::of(plan.accounts.iter().map(|it| &it.account), &selection);
    let plan = part(plan, args, command.shard.shard, path)?;
    let waits = output.wait_display();
    let (access, _sandbox) = access(args, &waits).await?;
    let input = FleetInput::Saved(Box::new(plan), omitted);
    run(args, access, input, command, waits, output, metrics).await
}

async fn run(
    args: &Args,
    access: crate::aws::Access,
    input: FleetInput,
    command: &ApplyArgs,
    waits: WaitDisplay,
    output: &Output,
    metrics: &MetricsFile,
) -> Result<Exit, Failure> {
    let options = FleetApplyOptions {
        access,
        input,
        first: command.of_fleet.first.clone(),
        overrides: command.guard.overrides(),
        fleet_overrides: command.of_fleet.overrides(),
        supervision: match command.auto_approve {
            true => Supervision::Unattended,
            false => Supervision::Attended,
        },
        is_strict: command.strict,
        accounts_at_once: command.fleet.at_once(),
        concurrency: command.concurrency,
        max_rate: command.max_rate,
        retry_policy: RetryPolicy::default(),
        timeout: command.timeout,
        verify_for: command.read_back,
        journals: command.journal.clone(),
        state: state(args, command.state_dir.as_deref(), command.journal.as_deref()),
    };
    let switch = StopSwitch::new();
    let events = Events::default();
    let format = command.format;
    let mut terminal = Terminal {
        format,
        is_interactive: !command.auto_approve,
        output,
        switch: switch.clone(),
        reading: Some(ReadingProgress::start(&events, output, waits.screen())),
        waits,
        events: events.clone(),
        unprinted: String::new(),
        journals: Arc::default(),
        running: None,
        metrics,
    };
    let ended = ops::apply_fleet(&options, &switch, &mut terminal, &events.sender()).await;
    terminal.reading = None;
    match ended {
        Err(error) => {
            events.send_to(None);
            // The error is more important than output that cannot be written.
            let _ = terminal.finish(None).await;
            Err(write_to_review(Failure::nothing_changed(error), format, output)?)
        }
        Ok(run) => {
            metrics.record(|| AccountMetrics::of_fleet_run(&run));
            output.conclude(|| Headline::of_fleet_run(&run));
            let run = Arc::new(run);
            let written = terminal.finish(Some(run.clone())).await;
            if let Some(path) = &run.journals {
                output.remark(&format!("journals: {}", Printable::path(path)));
            }
            written.map_err(|error| {
                Failure::new(format!("cannot write the run report: {error}"))
                    .help("run plan to see the remaining changes")
                    .with_exit(Exit::SomeFailed)
            })?;
            end(&run)
        }
    }
}

fn end(run: &FleetRun) -> Result<Exit, Failure> {
    if !run.violations.is_empty() {
        let statements = fleet_statements(&run.violations).join("\n  ");
        let message =
            format!("nothing was changed: guard rails of the fleet are violated\n  {statements}");
        let help = fleet_override_help(&run.violations);
        return Err(Failure::new(message).help(help).with_exit(Exit::Refused));
    }
    Ok(exit(run.result()))
}

/// The exit code of a run.
pub(in crate::cli) fn exit(result: FleetResult) -> Exit {
    match result {
        FleetResult::Complete => Exit::Done,
        FleetResult::Incomplete => Exit::SomeFailed,
        FleetResult::Refused => Exit::Refused,
        FleetResult::Interrupted => Exit::Interrupted,
    }
}

/// Shows the plans, asks for confirmation, and starts the report.
struct Terminal<'a> {
    format: Format,
    is_interactive: bool,
    output: &'a Output,
    waits: WaitDisplay,
    switch: StopSwitch,
    /// The progress of reading the accounts.
    reading: Option<ReadingProgress>,
    events: Events,
    /// The text of plans that need no confirmation.
    unprinted: String,
    journals: Arc<OnceLock<PathBuf>>,
    running: Option<Running>,
    metrics: &'a MetricsFile,
}

/// The tasks that accompany a run.
struct Running {
    report: ReportThread,
    signals: JoinHandle<()>,
}

impl Terminal<'_> {
    /// Prints what is not printed yet, and waits for the report, which ends with `run`.
    async fn finish(&mut self, run: Option<Arc<FleetRun>>) -> io::Result<()> {
        let rest = mem::take(&mut self.unprinted);
        if !rest.is_empty() {
            self.output.print(self.format, &rest)?;
        }
        let report = match (self.running.take(), &run) {
            (Some(Running { report, signals }), _) => {
                signals.abort();
                report
            }
            // Guard rails of the fleet refused the plans: the text is printed already.
            (None, Some(refused)) if self.format != Format::Text => {
                let (sender, report) =
                    reporter::start(self.format, *self.output, self.waits.screen(), String::new())?;
                self.events.send_to(Some(sender));
                let header = Box::new(FleetRunHeader::of(&refused.plan));
                self.events.send(FleetEvent::RunBegins(header));
                refused.accounts.iter().cloned().map(FleetEvent::Applied).for_each(|event| {
                    self.events.send(event);
                });
                report
            }
            (None, _) => return Ok(()),
        };
        run.into_iter().for_each(|run| self.events.send(FleetEvent::Finished(run)));
        self.events.send_to(None);
        report.finish().await
    }
}

/// The guard rails of accounts, whose plans are not applied.
fn refused(review: &FleetReview<'_>) -> String {
    let mut text = String::new();
    for (account, violations) in review.plan.accounts.iter().zip(review.refused) {
        let Ok(plan) = &account.plan else { continue };
        if !violations.is_empty() {
            let statements = statements(violations).join("\n  ");
            text += &format!(
                "\n{}: the plan violates {}, and is not applied\n  {statements}\n  help: {}\n",
                account.account.label(),
                guard_rails(violations),
                override_help(plan, violations)
            );
        }
    }
    text
}

impl FleetInteraction for Terminal<'_> {
    fn waiting(&mut self, wait: Option<&Wait>) {
        self.waits.show(wait);
    }

    fn unfinished_run(&mut self, run: &UnfinishedFleetRun) {
        self.reading = None;
        self.output.warn(&message(run));
    }

    fn on_unfinished(&self) -> OnUnfinished {
        let output = *self.output;
        Arc::new(move |account, run| {
            output.warn(&format!("{}: {}", account.label(), unfinished::message(run)));
        })
    }

    async fn review(&mut self, review: FleetReview<'_>) -> Result<(), Declined> {
        self.reading = None;
        let refused = refused(&review);
        let text = |style| render_fleet_review(review.plan, style) + &refused;
        let has_changes = review.plan.changes() > 0;
        let is_confirmed = self.is_interactive && review.violations.is_empty() && has_changes;
        if self.format == Format::Text {
            self.unprinted = text(self.output.out);
        }
        if !is_confirmed {
            return Ok(());
        }
        let err = text(self.output.err);
        self.output.print(self.format, &mem::take(&mut self.unprinted))?;
        if self.format != Format::Text {
            self.output.remark(&err);
        }
        confirm_fleet(review.plan, review.refused, self.output).await
    }

    fn begin(&mut self, journals: Option<&Path>) -> io::Result<()> {
        self.reading = None;
        if let Some(path) = journals {
            // A run has one directory.
            let _ = self.journals.set(path.to_owned());
        }
        let mut before = mem::take(&mut self.unprinted);
        if !before.is_empty() {
            before.push('\n');
        }
        let (sender, report) =
            reporter::start(self.format, *self.output, self.waits.screen(), before)?;
        self.events.send_to(Some(sender));
        let signals = self.metrics.signals();
        let (switch, bar) = (self.switch.clone(), BarHandle::none());
        let stopping = stop_on_signal(signals, switch, *self.output, bar, self.journals.clone());
        self.running = Some(Running { report, signals: tokio::spawn(stopping) });
        Ok(())
    }
}
