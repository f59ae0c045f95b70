use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::super::apply::ApplyInput;
use super::super::error::{Declined, Error};
use super::super::fleet_error::FleetError;
use super::super::time_limit::TimeLimit;
use super::access::FleetAccess;
use super::account::{Source, Target};
use super::account_run::{AccountWork, Budget, OnUnfinished, Shared};
use super::options::{FleetApplyOptions, FleetInput};
use super::plan::{FleetMaking, FleetPlanOptions};
use super::run_directory::{RunDirectory, UnfinishedFleetRun, unfinished_runs};
use super::side_by_side::{FleetEvents, side_by_side};
use super::targets::Omitted;
use crate::apply::{
    AccountEnd, AccountRun, FleetEvent, FleetRun, FleetRunHeader, FleetStage, NotBegun, Summary,
};
use crate::aws::{ExpectedPartition, StopSwitch};
use crate::config::FleetGuard;
use crate::iam::{AccountId, AccountSelector, Threshold};
use crate::inventory::Wait;
use crate::journal::{FleetRecordAccount, JournalError};
use crate::plan::{
    AccountPlan, AccountProblem, AccountProblemCode, FleetAccountRef, FleetOverrides, FleetPlan,
    FleetViolation, Plan, Preflight, Violation,
};

/// What [`apply_fleet`] shows and asks. It waits for the answer to [`FleetInteraction::review`] only.
pub trait FleetInteraction {
    /// The base identity or the organization waits for `wait`; `None` when it no longer does.
    fn waiting(&mut self, wait: Option<&Wait>);

    /// An earlier run on the fleet did not end.
    fn unfinished_run(&mut self, run: &UnfinishedFleetRun);

    /// The receiver of earlier runs in single accounts that did not end.
    fn on_unfinished(&self) -> OnUnfinished;

    /// The plans are made. An error ends the use case before anything is changed. Plans that violate a guard rail of the
    /// fleet are not applied even if this returns `Ok`, and neither is the plan of an account that violates its own.
    fn review(&mut self, review: FleetReview<'_>) -> impl Future<Output = Result<(), Declined>>;

    /// The plans are about to be applied.
    ///
    /// # Errors
    /// If no reporter can be started. Then nothing is changed.
    fn begin(&mut self, journals: Option<&Path>) -> io::Result<()>;
}

/// The plans of a fleet before they are applied.
#[derive(Debug, Clone, Copy)]
pub struct FleetReview<'a> {
    /// The plans.
    pub plan: &'a FleetPlan,
    /// The guard rails of the fleet that they violate. Then nothing is applied.
    pub violations: &'a [FleetViolation],
    /// The guard rails of each account that its plan violates, as far as they are known, in the order of the plan. The
    /// plan of such an account is not applied.
    pub refused: &'a [Vec<Violation>],
}

/// Applies the plans of a fleet. Nothing is written in any account until all plans are made and reviewed, unless each is
/// applied as planned. In each account, the run is that of [`apply`](super::super::apply()): with its own lock, journal,
/// rate limiter and guard rails. An account that fails stops no other, up to `max_accounts_failed`.
///
/// # Errors
/// If the run cannot begin. After the first change, no [`Error`] is returned.
pub async fn apply_fleet(
    options: &FleetApplyOptions,
    switch: &StopSwitch,
    interaction: &mut impl FleetInteraction,
    events: &FleetEvents,
) -> Result<FleetRun, Error> {
    let began = Instant::now();
    if let Some(path) = options.journals.as_ref().filter(|path| path.symlink_metadata().is_ok()) {
        return Err(JournalError::Exists(path.clone()).into());
    }
    let (plan, refused, access, omitted) = match &options.input {
        FleetInput::FilesAsPlanned(files) => {
            return apply_as_planned(options, files, switch, interaction, events).await;
        }
        FleetInput::Files(files) => {
            let fleet = files.load()?;
            let targets = files.targets(&fleet, &mut |wait| interaction.waiting(wait)).await?;
            let access = targets.access.clone();
            let omitted = targets.omitted.clone();
            let mut making = files.account_making();
            making.check = Some((options.supervision, options.overrides.clone()));
            // An account that cannot be read leaves time for the others.
            let timeout = options.timeout.map(|limit| limit / 2);
            let reading = FleetMaking { timeout, ..files.making.clone() };
            let (plan, refused) = reading.plan(&fleet, targets, making, began, events).await;
            files.check_found(&plan)?;
            (plan, refused, access, omitted)
        }
        FleetInput::Saved(plan, omitted) => {
            let access = options.open(plan, interaction).await?;
            ((**plan).clone(), Vec::new(), access, omitted.clone())
        }
    };
    let accounts = plan.accounts.iter().map(|it| &it.account);
    let first = options.first_of(accounts, &omitted, &plan)?;
    let reported = report_unfinished(&plan, options, interaction)?;
    let violations = plan.violations(&options.fleet_overrides);
    let review = FleetReview { plan: &plan, violations: &violations, refused: &refused };
    let asked = Instant::now();
    interaction.review(review).await?;
    // The time until a person confirms the plan is not counted.
    let began = began + asked.elapsed();
    if !violations.is_empty() {
        let accounts = plan.accounts.iter().map(|it| Arc::new(refused_by_fleet(it))).collect();
        return Ok(FleetRun { plan, violations, accounts, journals: None });
    }
    let changed = plan.accounts.iter().filter_map(|it| Some((it, it.changed()?.changes.len())));
    let ready = Ready {
        plan: &plan,
        recorded: changed.map(|(it, changes)| record(&it.account, changes)).collect(),
        work: plan.accounts.iter().map(|it| options.work(it)).collect(),
        first,
        access,
        reported,
        began,
        budget: Budget::default(),
        stage: FleetStage::Applying,
    };
    let (accounts, journals) = ready.run(options, switch, interaction, events).await?;
    Ok(FleetRun { plan, violations, accounts, journals })
}

/// Reports the earlier runs on the fleet that did not finish. Returns their journals.
fn report_unfinished(
    plan: &FleetPlan,
    options: &FleetApplyOptions,
    interaction: &mut impl FleetInteraction,
) -> Result<HashSet<PathBuf>, Error> {
    let runs = unfinished_runs(plan, &options.state)?;
    runs.iter().for_each(|run| interaction.unfinished_run(run));
    Ok(runs.iter().flat_map(|run| run.journals()).collect())
}

/// An account of a fleet whose guard rails refuse all plans.
fn refused_by_fleet(planned: &AccountPlan) -> AccountRun {
    let end = match &planned.plan {
        Err(problem) => AccountEnd::Failed(problem.clone()),
        Ok(plan) if plan.changes.is_empty() => nothing_to_do(plan),
        Ok(plan) => AccountEnd::NotBegun { changes: plan.changes.len(), why: NotBegun::GuardRail },
    };
    AccountRun { account: planned.account.clone(), end }
}

fn nothing_to_do(plan: &Plan) -> AccountEnd {
    let preflight = Arc::new(Preflight::fresh(plan.clone()));
    AccountEnd::Completed { preflight, summary: Summary::default(), journal: Ok(None) }
}

/// Plans and applies each account at once.
async fn apply_as_planned(
    options: &FleetApplyOptions,
    files: &FleetPlanOptions,
    switch: &StopSwitch,
    interaction: &mut impl FleetInteraction,
    events: &FleetEvents,
) -> Result<FleetRun, Error> {
    let began = Instant::now();
    let fleet = files.load()?;
    let targets = files.targets(&fleet, &mut |wait| interaction.waiting(wait)).await?;
    let guard = &fleet.fleet.guard;
    let budget = budget(guard, &options.fleet_overrides, targets.targets.len())?;
    let plan = FleetPlan {
        shard: targets.shard,
        uncovered: targets.uncovered,
        ..FleetPlan::new(fleet.source(), guard.clone(), Vec::new())
    };
    let accounts = targets.targets.iter().map(|it| &it.account);
    let first = options.first_of(accounts, &targets.omitted, &plan)?;
    let reported = report_unfinished(&plan, options, interaction)?;
    let recorded = targets.targets.iter().map(|it| record(&it.account, 0)).collect();
    let work = |target: Target| {
        let Source::Files { config, .. } = target.source else {
            unreachable!("the targets of a fleet file are files")
        };
        let input = ApplyInput::Read { config, selection: files.account_making().selection };
        Work::Run(Box::new(AccountWork { account: target.account, input, changes: 0 }))
    };
    let ready = Ready {
        plan: &plan,
        recorded,
        work: targets.targets.into_iter().map(work).collect(),
        first,
        access: targets.access,
        reported,
        began,
        budget,
        stage: FleetStage::PlanningAndApplying,
    };
    let (accounts, journals) = ready.run(options, switch, interaction, events).await?;
    let plan = FleetPlan { accounts: accounts.iter().map(|it| planned(it)).collect(), ..plan };
    Ok(FleetRun { plan, violations: Vec::new(), accounts, journals })
}

/// A run on a fleet that can begin.
struct Ready<'a> {
    /// The plan; without accounts if each is planned when it is applied.
    plan: &'a FleetPlan,
    /// The accounts in the record of the run.
    recorded: Vec<FleetRecordAccount>,
    work: Vec<Work>,
    /// The accounts of `--first`.
    first: HashSet<AccountId>,
    access: FleetAccess,
    /// The journals of unfinished runs that are reported already.
    reported: HashSet<PathBuf>,
    began: Instant,
    budget: Budget,
    stage: FleetStage,
}

impl Ready<'_> {
    /// Does the work. Returns how each account ended, and the directory of the journals.
    async fn run(
        self,
        options: &FleetApplyOptions,
        switch: &StopSwitch,
        interaction: &mut impl FleetInteraction,
        events: &FleetEvents,
    ) -> Result<(Vec<Arc<AccountRun>>, Option<PathBuf>), Error> {
        let Ready { plan, recorded, work, first, access, reported, began, budget, stage } = self;
        let (journals, state) = (options.journals.as_deref(), &options.state);
        let directory = RunDirectory::create(plan, recorded, journals, state)?;
        let journals = directory.as_ref().map(|it| it.path().to_owned());
        if let Err(error) = interaction.begin(journals.as_deref()) {
            directory.into_iter().for_each(RunDirectory::discard);
            return Err(Error::Report(error));
        }
        let header = FleetRunHeader { accounts: work.len(), ..FleetRunHeader::of(plan) };
        events(FleetEvent::RunBegins(Box::new(header)));
        let cannot_be_planned = |it: &&Work| matches!(it, Work::Nothing(run) if run.is_failed());
        let shared = Arc::new(Shared {
            options: options.clone(),
            access,
            switch: switch.clone(),
            events: events.clone(),
            on_unfinished: interaction.on_unfinished(),
            reported,
            journals,
            began,
            max_failed: plan.guard.max_accounts_failed,
            failed: AtomicUsize::new(work.iter().filter(cannot_be_planned).count()),
            budget: Mutex::new(budget),
        });
        let accounts = in_order(&shared, work, &first, stage).await;
        Ok((accounts, directory.and_then(RunDirectory::end)))
    }
}

/// What is to be done in an account.
enum Work {
    Run(Box<AccountWork>),
    /// Nothing: this is how it ends.
    Nothing(Box<AccountRun>),
}

impl Work {
    fn account(&self) -> &FleetAccountRef {
        match self {
            Work::Run(work) => &work.account,
            Work::Nothing(run) => &run.account,
        }
    }
}

/// Does the work in the `first` accounts, and then, if all of these are complete, in the others. The results are in the
/// order of `work`.
async fn in_order(
    shared: &Arc<Shared>,
    work: Vec<Work>,
    first: &HashSet<AccountId>,
    stage: FleetStage,
) -> Vec<Arc<AccountRun>> {
    let order = work.iter().enumerate().map(|(n, it)| (it.account().id, n));
    let order: HashMap<AccountId, usize> = order.collect();
    let to_do = work.iter().filter(|it| matches!(it, Work::Run(_))).count();
    (shared.events)(FleetEvent::Started { stage, accounts: to_do });
    let (before, after): (Vec<Work>, Vec<Work>) =
        work.into_iter().partition(|it| first.contains(&it.account().id));
    let at_once = shared.options.accounts_at_once;
    let run = |work: Work| {
        let shared = shared.clone();
        async move {
            match work {
                Work::Run(work) => work.run(shared).await,
                Work::Nothing(run) => {
                    let run = Arc::from(run);
                    shared.ended(&run);
                    run
                }
            }
        }
    };
    let mut runs = side_by_side(before, at_once, run).await;
    let after = match runs.iter().all(|it| it.is_complete()) {
        true => after,
        false => after.into_iter().map(Work::without_first).collect(),
    };
    runs.extend(side_by_side(after, at_once, run).await);
    runs.sort_by_key(|it| order.get(&it.account.id));
    runs
}

impl Work {
    /// The work after an account of `--first` was not completed: none.
    fn without_first(self) -> Work {
        match self {
            Work::Run(work) => {
                let AccountWork { account, changes, .. } = *work;
                let end = AccountEnd::NotBegun { changes, why: NotBegun::First };
                Work::Nothing(Box::new(AccountRun { account, end }))
            }
            nothing @ Work::Nothing(_) => nothing,
        }
    }
}

impl FleetApplyOptions {
    /// The work in an account with a plan.
    fn work(&self, planned: &AccountPlan) -> Work {
        let account = planned.account.clone();
        let nothing = |end| Work::Nothing(Box::new(AccountRun { account: account.clone(), end }));
        match &planned.plan {
            Err(problem) => nothing(AccountEnd::Failed(problem.clone())),
            Ok(plan) if plan.changes.is_empty() && !self.state.may_be_unfinished(account.id) => {
                nothing(nothing_to_do(plan))
            }
            Ok(plan) => {
                let (changes, input) =
                    (plan.changes.len(), ApplyInput::Planned(Box::new(plan.clone())));
                Work::Run(Box::new(AccountWork { account, input, changes }))
            }
        }
    }

    /// The access to the accounts of a saved plan.
    async fn open(
        &self,
        plan: &FleetPlan,
        interaction: &mut impl FleetInteraction,
    ) -> Result<FleetAccess, Error> {
        let is_needed = plan
            .accounts
            .iter()
            .any(|it| it.plan.is_ok() && FleetAccess::needs_base(&it.account.credentials));
        let partition = plan.accounts.iter().find_map(|it| it.plan.as_ref().ok()?.partition());
        let partition = partition.map(|partition| ExpectedPartition {
            partition,
            origin: "the ARNs in the plan".to_owned(),
        });
        let mut time = TimeLimit::new(self.timeout);
        let opened = FleetAccess::open(&self.access, partition, is_needed, time.waits());
        time.within(&mut |wait| interaction.waiting(wait), opened).await
    }

    /// The accounts of `--first`.
    fn first_of<'a>(
        &self,
        accounts: impl Iterator<Item = &'a FleetAccountRef> + Clone,
        omitted: &Omitted,
        plan: &FleetPlan,
    ) -> Result<HashSet<AccountId>, Error> {
        let is_of = |by: &AccountSelector, it: &FleetAccountRef| by.matches(&it.name, it.id);
        let is_here = |by: &&AccountSelector| accounts.clone().any(|it| is_of(by, it));
        let (mut not_selected, mut unknown) = (Vec::new(), Vec::new());
        for by in self.first.iter().filter(|by| !is_here(by)) {
            let is_among = |accounts: &[FleetAccountRef]| accounts.iter().any(|it| is_of(by, it));
            if is_among(&omitted.of_other_shards) {
                tracing::warn!("{by} belongs to another shard, and this one does not wait for it");
            } else if is_among(&omitted.not_selected) {
                not_selected.push(by.clone());
            } else {
                unknown.push(by.clone());
            }
        }
        let origin = plan.source.path().clone();
        if !unknown.is_empty() {
            return Err(FleetError::NoSuchAccount { selectors: unknown, origin }.into());
        }
        if !not_selected.is_empty() {
            return Err(FleetError::NotSelected(not_selected).into());
        }
        let is_first = |it: &&FleetAccountRef| self.first.iter().any(|by| is_of(by, it));
        Ok(accounts.clone().filter(is_first).map(|it| it.id).collect())
    }
}

fn record(account: &FleetAccountRef, changes: usize) -> FleetRecordAccount {
    let FleetAccountRef { name, id, credentials } = account.clone();
    FleetRecordAccount { name, account: id, credentials, changes, has_journal: None }
}

/// What the guard rails of a fleet allow if no plan waits for the others.
///
/// # Errors
/// [`FleetError::ShareAsPlanned`] for a share of all principals, which nobody knows then.
fn budget(
    guard: &FleetGuard,
    overrides: &FleetOverrides,
    accounts: usize,
) -> Result<Budget, FleetError> {
    let changes = match overrides.max_changes.or(guard.max_changes) {
        None => None,
        Some(Threshold::Count(count)) => Some(count),
        Some(Threshold::Share(share)) => return Err(FleetError::ShareAsPlanned(share)),
    };
    let of_accounts = overrides.max_accounts_changed.or(guard.max_accounts_changed);
    Ok(Budget { changes, accounts: of_accounts.map(|threshold| threshold.of(accounts)) })
}

/// The plan that a run has applied.
fn planned(run: &AccountRun) -> AccountPlan {
    let plan = match &run.end {
        AccountEnd::Completed { preflight, .. } | AccountEnd::Refused { preflight, .. } => {
            Ok(preflight.plan.clone())
        }
        AccountEnd::Failed(problem) => Err(problem.clone()),
        AccountEnd::NotBegun { .. } => {
            let code = AccountProblemCode::AccountNotPlanned;
            Err(AccountProblem::other(code, "the account was not planned"))
        }
    };
    AccountPlan { account: run.account.clone(), plan }
}
