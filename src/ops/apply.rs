use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::error::{Declined, Error};
use super::input::Input;
use super::selection::Selection;
use super::session::Session;
use super::time_limit::TimeLimit;
use crate::apply::{self, Event, Run, RunOptions, Summary};
use crate::aws::{Access, LimiterOptions, RetryPolicy, StopSwitch};
use crate::config::Config;
use crate::iam::{AccountId, Printable, Rate, Timestamp};
use crate::inventory::{CallerIdentity, Wait};
use crate::journal::{Journal, JournalError};
use crate::plan::{Overrides, Plan, Preflight, Refused, Supervision, Violation};
use crate::state::{
    AccountDirectory, AccountLock, MeasuredRates, StateRoot, UnfinishedRun, unfinished_run,
};

/// Options of [`apply()`].
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// The credentials and the endpoint.
    pub access: Access,
    /// The only account that the credentials may belong to; `None` for any.
    pub account: Option<AccountId>,
    /// What to apply.
    pub input: ApplyInput,
    /// Overrides of the guard rails.
    pub overrides: Overrides,
    /// Whether a person is asked for confirmation.
    pub supervision: Supervision,
    /// Whether one conflict refuses the whole plan.
    pub is_strict: bool,
    /// The maximum number of writes in flight.
    pub concurrency: NonZeroUsize,
    /// The maximum rate of writes, retries included.
    pub max_rate: Option<Rate>,
    /// How long failed calls are retried.
    pub retry_policy: RetryPolicy,
    /// The time limit of the whole run, verification included.
    pub timeout: Option<Duration>,
    /// How long changes are verified.
    pub verify_for: Duration,
    /// The path of the journal; `None` for a new file in the state directory.
    pub journal: Option<PathBuf>,
    /// The state directory.
    pub state: StateRoot,
}

/// What to apply.
#[derive(Debug, Clone)]
pub enum ApplyInput {
    /// The plan of boundaries files.
    Files(Selection),
    /// A plan that was made or read earlier.
    Planned(Box<Plan>),
    /// The plan of files that were read earlier.
    Read {
        /// The content of the files.
        config: Arc<Config>,
        /// What to plan of them.
        selection: Selection,
    },
}

/// Receives the events of a run. It must not block.
pub type EventSink = Box<dyn Fn(Event) + Send + Sync>;

/// What [`apply()`] shows and asks. It waits for the answers to [`Interaction::review`] only.
pub trait Interaction {
    /// Reading the account waits for `wait`, again and again while that is worth a message; `None` when it is not or no
    /// longer. By default, nothing is shown.
    fn waiting(&mut self, wait: Option<&Wait>) {
        let _ = wait;
    }

    /// An earlier run on the account did not end.
    fn unfinished_run(&mut self, run: &UnfinishedRun);

    /// The plan is made. An error ends the use case before anything is changed. A plan that violates a guard
    /// rail is refused even if this returns `Ok`.
    fn review(&mut self, review: Review<'_>) -> impl Future<Output = Result<(), Declined>>;

    /// The changes are about to be made. Returns the receiver of the events.
    ///
    /// # Errors
    /// If no reporter can be started. Then nothing is changed.
    fn begin(&mut self, preflight: &Arc<Preflight>) -> io::Result<EventSink>;

    /// The journal of the run is created. From now on it records every change, also if the process ends early.
    fn journal_created(&mut self, path: &Path);
}

/// A plan before it is applied.
#[derive(Debug, Clone, Copy)]
pub struct Review<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The guard rails that it violates. A plan with a violation is not applied.
    pub violations: &'a [Violation],
}

/// How [`apply()`] ended.
#[derive(Debug)]
pub enum ApplyOutcome {
    /// The plan was refused. Nothing was changed.
    Refused {
        /// The plan with its verdicts.
        preflight: Arc<Preflight>,
        /// Why it was refused.
        why: Refused,
    },
    /// The run ended. The summary counts the changes that were made.
    Completed {
        /// The plan with its verdicts.
        preflight: Arc<Preflight>,
        /// The result of the run.
        summary: Summary,
        /// The journal; `None` if there was nothing to change.
        journal: Result<Option<PathBuf>, JournalError>,
    },
}

/// Applies a plan: reads the account, makes or reads the plan, checks the guard rails, lets `interaction` review
/// the plan, compares it with the account, makes the changes and verifies them.
///
/// The account is locked, except during the review. `switch` stops the run early.
///
/// # Errors
/// If the run cannot begin. After the first change, no [`Error`] is returned.
pub async fn apply(
    options: &ApplyOptions,
    switch: &StopSwitch,
    interaction: &mut impl Interaction,
) -> Result<ApplyOutcome, Error> {
    let mut time = TimeLimit::new(options.timeout);
    if let Some(path) = options.journal.as_ref().filter(|path| path.symlink_metadata().is_ok()) {
        return Err(JournalError::Exists(path.clone()).into());
    }
    let (input, is_saved) = match &options.input {
        ApplyInput::Files(selection) => (Input::files(selection)?, false),
        ApplyInput::Planned(plan) => (Input::Saved(plan.clone()), true),
        ApplyInput::Read { config, selection } => {
            let (config, selection) = (config.clone(), selection.clone());
            (Input::Files { config, base: None, selection }, false)
        }
    };
    let opened = Session::open(&options.access, options.account, &input, time.waits());
    let session = time.within(&mut |wait| interaction.waiting(wait), opened).await?;
    let account = session.account.identity().account;
    if let Input::Files { config, .. } = &input
        && options.supervision == Supervision::Unattended
        && options.account.is_none()
        && !config.names_account()
    {
        return Err(Error::NoAccount { file: Printable::new(&config.path()), account });
    }
    let mut hold = Hold::acquire(&options.state, account, interaction)?;
    let is_asked = options.supervision == Supervision::Attended;
    if is_asked {
        // Other runs may change the account while a person reviews the plan.
        hold.release();
    }
    let planned = session.plan(input);
    let plan = time.within(&mut |wait| interaction.waiting(wait), planned).await?;
    let checked = session.violations(&plan, options.supervision, &options.overrides);
    let violations = time.within(&mut |wait| interaction.waiting(wait), checked).await?;
    interaction.review(Review { plan: &plan, violations: &violations }).await?;
    if !violations.is_empty() {
        let preflight = Arc::new(Preflight::fresh(plan));
        return Ok(ApplyOutcome::Refused { preflight, why: Refused::GuardRails(violations) });
    }
    hold.reacquire(interaction)?;
    // The account may have changed since the plan was saved or shown.
    let preflight = if (is_saved || is_asked) && !plan.changes.is_empty() {
        let preflight = session.preflight(plan);
        time.within(&mut |wait| interaction.waiting(wait), preflight).await?
    } else {
        Preflight::fresh(plan)
    };
    let preflight = Arc::new(preflight);
    if options.is_strict && preflight.conflicts().next().is_some() {
        return Ok(ApplyOutcome::Refused { preflight, why: Refused::Conflicts });
    }
    let events = interaction.begin(&preflight).map_err(Error::Report)?;
    let journal = hold.journal(&preflight, session.account.identity(), options)?;
    if let Some(journal) = &journal {
        interaction.journal_created(journal.path());
    }
    let deadline = tokio::spawn(time.stop(switch.clone()));
    let (rates, journal_ref) = (hold.directory.measured_rates(), journal.as_ref());
    let (summary, rates) =
        execute(&session, &preflight, options, switch, journal_ref, &events, &rates).await;
    hold.directory.keep_measured_rates(rates);
    deadline.abort();
    let journal = match journal {
        Some(journal) => hold.end(journal, &summary).await.map(Some),
        None => Ok(None),
    };
    Ok(ApplyOutcome::Completed { preflight, summary, journal })
}

async fn execute(
    session: &Session,
    preflight: &Preflight,
    options: &ApplyOptions,
    switch: &StopSwitch,
    journal: Option<&Journal>,
    events: &EventSink,
    rates: &MeasuredRates,
) -> (Summary, MeasuredRates) {
    let ApplyOptions { concurrency, max_rate, retry_policy, verify_for, .. } = *options;
    let limiter = LimiterOptions {
        max_in_flight: concurrency.get(),
        expected_calls: preflight.ready().count(),
    };
    let account = &session.account;
    let writer = account.writer(limiter, max_rate, retry_policy);
    writer.start_at(rates);
    let summary = apply::apply(Run {
        preflight,
        account,
        writer: &writer,
        options: RunOptions { concurrency, verify_for },
        switch,
        journal,
        events: &**events,
    })
    .await;
    (summary, writer.rates_for_next_run())
}

/// The state directory of the account and, unless it is released, the lock on the account.
struct Hold {
    directory: AccountDirectory,
    lock: Option<AccountLock>,
    /// Whether an unfinished run was reported.
    is_reported: bool,
}

impl Hold {
    fn acquire(
        state: &StateRoot,
        account: AccountId,
        interaction: &mut impl Interaction,
    ) -> Result<Hold, Error> {
        let directory = state.account(account)?;
        let mut hold = Hold { directory, lock: None, is_reported: false };
        hold.reacquire(interaction)?;
        Ok(hold)
    }

    fn release(&mut self) {
        self.lock = None;
    }

    fn reacquire(&mut self, interaction: &mut impl Interaction) -> Result<(), Error> {
        if self.lock.is_none() {
            self.lock = Some(AccountLock::acquire(&self.directory)?);
            let unfinished = unfinished_run(&self.directory).filter(|_| !self.is_reported);
            if let Some(run) = unfinished {
                interaction.unfinished_run(&run);
                self.is_reported = true;
            }
        }
        Ok(())
    }

    /// Creates the journal of the run; `None` if the run has nothing to change. From now on, the next run
    /// reports this one if it does not end.
    fn journal(
        &self,
        preflight: &Preflight,
        caller: &CallerIdentity,
        options: &ApplyOptions,
    ) -> Result<Option<Journal>, Error> {
        if preflight.ready().next().is_none() {
            // A change that cannot be made may be an unfinished one of the earlier run.
            if preflight.is_all_possible() {
                self.directory.clear_unfinished();
            }
            return Ok(None);
        }
        let header = preflight.header(caller, Timestamp::now()?);
        let path = match &options.journal {
            Some(path) => std::path::absolute(path)
                .map_err(|error| Error::JournalPath { path: path.clone(), error })?,
            None => self.directory.journal(header.began, header.plan),
        };
        let journal = Journal::create(&path, &header)?;
        if let Err(error) = self.directory.mark_unfinished(header.began, &path) {
            // The run has not begun, and the file would prevent another attempt.
            remove(&path);
            return Err(error.into());
        }
        Ok(Some(journal))
    }

    async fn end(&self, journal: Journal, summary: &Summary) -> Result<PathBuf, JournalError> {
        let path = journal.path().to_owned();
        journal.finish(&summary.end()).await?;
        self.directory.clear_unfinished();
        Ok(path)
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!("cannot remove {}: {error}", Printable::path(path));
    }
}
