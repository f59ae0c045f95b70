use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::Error;
use super::input::Input;
use super::selection::{SelectedReading, Selection, count_unlisted};
use crate::aws::{Access, Account, BaseIdentity, Connection, ExpectedPartition, Waits};
use crate::config::Config;
use crate::iam::{
    AccountAlias, AccountId, AssumeRole, Days, PolicyArn, Principal, PrincipalKind, Printable,
    Timestamp,
};
use crate::inventory::{
    AccountPolicies, ApiError, ErrorClass, Inventory, PolicyState, PolicyTexts, Reading,
};
use crate::plan::{
    Explanation, Overrides, PinnedPolicies, Plan, PlanContext, PlanImpact, Preflight, Supervision,
    UsedPermissions, Violation, WideningGuard, changed_principals, check_account,
    check_journal_scope, check_plan_scope, check_scope, policy_documents, rollback,
};

/// An account whose identity is confirmed.
pub(super) struct Session {
    pub(super) account: Account,
    /// What plans say about what their changes give and take.
    impact: ImpactScope,
    /// Whether plans record the documents of every policy that they set, and not only of pinned ones.
    is_recording: bool,
    /// Whether the user or the fleet names the account.
    is_named: bool,
    /// The documents that were read for the plan. The guard rails are checked with the same ones.
    documents: Mutex<PolicyTexts>,
    /// The creation dates of the principals that the plan changes.
    created: Mutex<HashMap<Principal, Timestamp>>,
}

/// What plans say about what their changes give and take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImpactScope {
    /// Whether they say it.
    pub is_shown: bool,
    /// Whether they also say what of it was used in this number of days.
    pub last_used: Option<u32>,
}

impl ImpactScope {
    /// What either of them says.
    fn or(self, other: ImpactScope) -> ImpactScope {
        let is_shown = self.is_shown || other.is_shown;
        ImpactScope { is_shown, last_used: self.last_used.max(other.last_used) }
    }
}

impl Session {
    /// Confirms that the credentials belong to the account of `input`.
    pub(super) async fn open(
        access: &Access,
        expected: Option<AccountId>,
        input: &Input,
        waits: Waits,
    ) -> Result<Session, Error> {
        let session =
            Session::identify(access, expected, input.partition(), input.role(), waits).await?;
        let identity = session.account.identity();
        match input {
            Input::Files { config, .. } => check_scope(config, identity)?,
            Input::Saved(plan) => check_plan_scope(plan, identity)?,
            Input::Journal { record, path } => {
                check_journal_scope(&record.header, path, identity)?;
            }
        }
        let guarded = input.guard().taking_used.map(Days::number);
        Ok(session.with_impact(ImpactScope { is_shown: guarded.is_some(), last_used: guarded }))
    }

    /// Determines the account of the credentials: of those of `access`, or of the role in an account that is assumed with
    /// them. `partition` determines the region if nothing else does.
    ///
    /// # Errors
    /// If the credentials cannot be used, or belong to another account than `expected`.
    pub(super) async fn identify(
        access: &Access,
        expected: Option<AccountId>,
        partition: Option<ExpectedPartition>,
        role: Option<(AccountId, AssumeRole)>,
        waits: Waits,
    ) -> Result<Session, Error> {
        // The SDK panics where it cannot write the time of a signature.
        Timestamp::now()?;
        let mut access = access.clone().for_partition(partition);
        if let Some((account, role)) = role {
            let base = BaseIdentity::open(&access, waits.clone()).await?;
            access = Access::Role { base, account, role };
        }
        let account = Connection::open_with(&access, waits).await.identify().await?;
        check_account(expected, account.identity())?;
        let (impact, is_named) = (ImpactScope::default(), expected.is_some());
        let (documents, created) = (Mutex::default(), Mutex::default());
        Ok(Session { account, impact, is_recording: false, is_named, documents, created })
    }

    /// The session, whose plans say what their changes give and take as far as `impact` says.
    pub(super) fn with_impact(mut self, impact: ImpactScope) -> Session {
        self.impact = self.impact.or(impact);
        if self.impact.is_shown {
            self.account.collect_policies();
        }
        self
    }

    /// The session, whose plans record the documents of every policy that they set if `is_recording` is set.
    pub(super) fn recording(self, is_recording: bool) -> Session {
        Session { is_recording, ..self }
    }

    /// Reads the account and makes the plan. A saved plan is returned as it is.
    pub(super) async fn plan(&self, input: Input) -> Result<Plan, Error> {
        let (mut plan, documents) = match input {
            Input::Saved(plan) => {
                let mut plan = *plan;
                if self.impact.is_shown {
                    // What the saved plan says about its impact is outside its digest.
                    let changed: Vec<Principal> =
                        plan.changes.iter().map(|change| change.principal.clone()).collect();
                    self.account.inventory(&changed).await?;
                    self.add_impact(&mut plan, &PolicyTexts::new()).await?;
                }
                return Ok(plan);
            }
            Input::Files { config, base, selection } => {
                let (live, context) =
                    self.read_selected(&config, base.as_deref(), &selection).await?;
                let mut plan = Plan::between(&context, &config, &live);
                self.remember_creation(&plan, &live);
                count_unlisted(&self.account, &config, &live, &mut plan);
                if !self.is_named && !config.names_account() {
                    plan.account_alias = self.account_alias().await?;
                }
                plan = self.checked_against_policies(plan).await?;
                let pinned = PinnedPolicies::of(&config, &context, &live);
                let (plan, documents) = self.with_documents(plan, &pinned).await?;
                let plan = match &base {
                    Some(base) => plan.since(base, &config, &live, &context),
                    None => plan,
                };
                (plan, documents)
            }
            Input::Journal { record, path } => {
                let changed: Vec<Principal> = changed_principals(&record).cloned().collect();
                let live = self.account.inventory(&changed).await?;
                log_unreadable(&live);
                let plan = self.checked_against_policies(rollback(&record, &path, &live)).await?;
                self.with_documents(plan, &PinnedPolicies::default()).await?
            }
        };
        let read = plan.listed().total();
        self.compare_boundaries(&mut plan, &Overrides::default(), &documents).await?;
        self.read_account_counts(&mut plan, &Overrides::default()).await?;
        self.add_impact(&mut plan, &documents).await?;
        self.log_reading(read);
        Ok(plan)
    }

    /// Compares the plan with the account as it is now.
    pub(super) async fn preflight(&self, plan: Plan) -> Result<Preflight, Error> {
        let principals: Vec<Principal> =
            plan.changes.iter().map(|change| change.principal.clone()).collect();
        let preflight = Preflight::of(plan, &self.account.inventory(&principals).await?);
        let policies = self.account.policies(preflight.policies()).await?;
        warn_of_denied(policies.values());
        let preflight = preflight.checked_against(&policies);
        let documents = self.account.policy_documents(&preflight.recorded_policies()).await?;
        self.log_reading(principals.len());
        Ok(preflight.checked_against_documents(&policy_documents(&documents)))
    }

    /// The guard rails that the plan violates.
    pub(super) async fn violations(
        &self,
        plan: &Plan,
        supervision: Supervision,
        overrides: &Overrides,
    ) -> Result<Vec<Violation>, Error> {
        let mut plan = plan.clone();
        self.compare_boundaries(&mut plan, overrides, &PolicyTexts::new()).await?;
        self.read_account_counts(&mut plan, overrides).await?;
        let caller = self.account.identity().principal();
        Ok(plan.violations(caller.as_ref(), supervision, overrides))
    }

    /// The time at which the entries of `config` are expired or not.
    ///
    /// # Errors
    /// [`Error::ClockDiffers`] if an entry can expire, and AWS has another time.
    pub(super) fn time_for(&self, config: &Config) -> Result<Timestamp, Error> {
        match config.expirations().next() {
            Some(_) => self.time("it is not known which entries with `until` are expired"),
            None => Ok(Timestamp::now()?),
        }
    }

    /// The time, on which the result depends. The SDK corrects only the time of signatures. `unknown` is the result.
    fn time(&self, unknown: &'static str) -> Result<Timestamp, Error> {
        match self.account.clock_difference() {
            Some(difference) => Err(Error::ClockDiffers { difference, unknown }),
            None => Ok(Timestamp::now()?),
        }
    }

    /// What is read of the account for a plan of `config`, and the context of that plan.
    async fn read_selected(
        &self,
        config: &Config,
        base: Option<&Config>,
        selection: &Selection,
    ) -> Result<(Inventory, PlanContext), Error> {
        let identity = self.account.identity();
        let context = match selection.as_of {
            Some(time) => selection.context(identity, time),
            None => selection.context(identity, self.time_for(config)?),
        };
        let live = SelectedReading::of(config, base, &context).read(&self.account).await?;
        log_unreadable(&live);
        selection.check_found(config, &live, identity.account)?;
        Ok((live, context))
    }

    /// Explains what decides the boundary of `principal`, to which `selection` is limited.
    pub(super) async fn explain(
        &self,
        config: &Config,
        selection: &Selection,
        principal: &Principal,
    ) -> Result<Explanation, Error> {
        let (live, context) = self.read_selected(config, None, selection).await?;
        let mut explanation = Explanation::of(principal, &context, config, &live);
        if let Some(policies) = self.policies_for(&explanation.plan, &PolicyTexts::new()).await? {
            explanation.impact = explanation.plan.explained_impact(&policies);
        }
        Ok(explanation)
    }

    /// The plan without the changes whose policies are not as they are pinned, and with the digests of the documents of
    /// policies that it sets. Also returns the documents that were read for this.
    async fn with_documents(
        &self,
        plan: Plan,
        pinned: &PinnedPolicies<'_>,
    ) -> Result<(Plan, PolicyTexts), Error> {
        let mut needed: BTreeSet<PolicyArn> = pinned.needed(&plan).into_iter().cloned().collect();
        if self.is_recording {
            needed.extend(plan.policies().into_iter().cloned());
        }
        let texts = self.texts_of(&needed, &PolicyTexts::new()).await?;
        let documents = policy_documents(&texts);
        let mut plan = plan.checked_against_pinned(pinned, &documents);
        plan.record_documents(&documents);
        for policy in plan.policies() {
            if let Some(Err(error)) = documents.get(policy) {
                tracing::info!("{error}; the plan does not record what {policy} says");
            }
        }
        Ok((plan, texts))
    }

    /// Says what the changes of the plan give and take, as far as it is wanted.
    async fn add_impact(&self, plan: &mut Plan, documents: &PolicyTexts) -> Result<(), Error> {
        let Some(policies) = self.policies_for(plan, documents).await? else { return Ok(()) };
        let mut impact = plan.impact_with(&policies);
        if let Some(days) = self.impact.last_used {
            impact.used = Some(self.used_permissions(plan, &impact, &policies, days).await?);
        }
        plan.impact = Some(impact);
        Ok(())
    }

    /// Compares the boundaries of the changes that a guard rail depends on. `documents` are not read again.
    async fn compare_boundaries(
        &self,
        plan: &mut Plan,
        overrides: &Overrides,
        documents: &PolicyTexts,
    ) -> Result<(), Error> {
        let needed: BTreeSet<PolicyArn> =
            plan.documents_for_guard(overrides).into_iter().cloned().collect();
        if needed.is_empty() {
            return Ok(());
        }
        let texts = self.texts_of(&needed, documents).await?;
        let unread = texts.iter().filter(|(arn, _)| !documents.contains_key(*arn));
        for (arn, text) in unread.filter(|_| plan.guard.widening == WideningGuard::Allow) {
            if let Err(error) = text {
                tracing::warn!(
                    "{error}; max_removals does not count {arn} as a boundary that allows everything"
                );
            }
        }
        plan.compare_boundaries(&texts);
        Ok(())
    }

    fn remember_creation(&self, plan: &Plan, live: &Inventory) {
        let changed = plan.changes.iter().map(|change| &change.principal);
        let created = changed.filter_map(|it| Some((it.clone(), live.attributes(it)?.created?)));
        *self.created.lock().unwrap_or_else(PoisonError::into_inner) = created.collect();
    }

    /// The creation dates of the principals that the plan changes, as far as they are known.
    pub(super) fn created(&self) -> HashMap<Principal, Timestamp> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn documents(&self) -> MutexGuard<'_, PolicyTexts> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The documents of these policies: those that are `known`, those that were read before, those on the account pages of
    /// the impact, and those that are read now.
    async fn texts_of(
        &self,
        needed: &BTreeSet<PolicyArn>,
        known: &PolicyTexts,
    ) -> Result<PolicyTexts, Error> {
        let mut texts = self.account.collected_documents(needed);
        texts.retain(|_, text| text.is_ok());
        let mut add = |known: &PolicyTexts| {
            let known = known.iter().filter(|(arn, _)| needed.contains(*arn));
            texts.extend(known.map(|(arn, text)| (arn.clone(), text.clone())));
        };
        add(&self.documents());
        add(known);
        let missing = needed.iter().filter(|arn| !texts.contains_key(*arn)).collect();
        let read = self.account.policy_documents(&missing).await?;
        let usable = read.iter().filter(|(_, text)| text.is_ok());
        self.documents().extend(usable.map(|(arn, text)| (arn.clone(), text.clone())));
        texts.extend(read);
        Ok(texts)
    }

    /// The policies that the impact of the plan depends on; `None` if it is not wanted. `documents` are not read again.
    async fn policies_for(
        &self,
        plan: &Plan,
        documents: &PolicyTexts,
    ) -> Result<Option<AccountPolicies>, Error> {
        if !self.impact.is_shown {
            return Ok(None);
        }
        let mut policies = self.account.collected_policies();
        policies.managed.extend(documents.clone());
        let missing = plan.missing_documents(&policies).into_iter().cloned().collect::<Vec<_>>();
        let read = self.account.policy_documents(&missing.iter().collect()).await?;
        policies.managed.extend(read);
        Ok(Some(policies))
    }

    /// What the principals that lose permissions by `impact` used in the last `days`.
    async fn used_permissions(
        &self,
        plan: &Plan,
        impact: &PlanImpact,
        policies: &AccountPolicies,
        days: u32,
    ) -> Result<UsedPermissions, Error> {
        let arn = |it: &Principal| policies.principals.get(it)?.arn.clone();
        let losing = impact.losing().filter_map(|it| Some((it.clone(), arn(it)?)));
        let arns: Vec<(Principal, Printable)> = losing.collect();
        let now = self.time("it is not known what was used in the last days")?;
        let last_used = self.account.last_used(&arns).await?;
        Ok(plan.used_with(impact, policies, &last_used, days, now))
    }

    /// The plan without the changes whose policies cannot be used as boundaries.
    async fn checked_against_policies(&self, plan: Plan) -> Result<Plan, Error> {
        let policies = self.account.policies(plan.policies()).await?;
        warn_of_denied(policies.values());
        Ok(plan.checked_against(&policies))
    }

    /// Reads the numbers of principals in the account that a guard rail depends on.
    async fn read_account_counts(
        &self,
        plan: &mut Plan,
        overrides: &Overrides,
    ) -> Result<(), ApiError> {
        for kind in PrincipalKind::ALL {
            if !plan.is_account_size_needed(kind, overrides) {
                continue;
            }
            match self.account.count_of(kind).await {
                Ok(count) => plan.set_account_count(kind, Some(count)),
                Err(error) if error.class == ErrorClass::Credentials => return Err(error),
                Err(error) => {
                    // The guard rails then count only the principals that were found.
                    tracing::warn!("{error}; guard rails count only the listed {}", kind.plural());
                }
            }
        }
        Ok(())
    }

    /// The alias of the account; `None` if it has none or cannot be read. It only helps people to recognize the
    /// account.
    async fn account_alias(&self) -> Result<Option<AccountAlias>, ApiError> {
        match self.account.alias().await {
            Err(error) if error.class != ErrorClass::Credentials => {
                tracing::info!("{error}; the plan shows no account alias");
                Ok(None)
            }
            read => read,
        }
    }

    fn log_reading(&self, principals: usize) {
        let calls = self.account.calls();
        tracing::info!(
            calls = calls.made,
            throttled = calls.throttled,
            "read {principals} principals of account {}",
            self.account.identity().account
        );
    }
}

/// A plan contains no request IDs, but a support case needs them.
fn log_unreadable(live: &Inventory) {
    for (principal, reading) in live.iter() {
        if let Reading::Unreadable(error) = reading {
            tracing::info!("{principal}: {error}");
        }
    }
}

fn warn_of_denied<'a>(mut states: impl Iterator<Item = &'a PolicyState>) {
    let denied = states.find_map(|state| match state {
        PolicyState::Unreadable(error) if error.class == ErrorClass::Denied => Some(error),
        _ => None,
    });
    if let Some(error) = denied {
        tracing::warn!("{error}; IAM checks the policies when they are set");
    }
}
