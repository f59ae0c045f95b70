//! Which files a plan is made from, for which principals, and what of the account is read for it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::error::Error;
use crate::aws::Account;
use crate::config::{Config, OnUnlisted, Rule};
use crate::iam::{AccountId, Principal, PrincipalKind, PrincipalPattern, Timestamp};
use crate::inventory::{CallerIdentity, Inventory, Reading};
use crate::plan::{Plan, PlanContext, Unlisted};

/// The files that a plan is made from, and what it is limited to.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The boundaries files, each layered over those before it: at least one.
    pub files: Vec<PathBuf>,
    /// The earlier versions of the files, to distinguish drift from changes of the files. Empty if there is none.
    pub base: Vec<PathBuf>,
    /// The principals to plan for; `None` for all.
    pub only: Option<Vec<PrincipalPattern>>,
    /// Whether an account without the principals of `only` is not an error: another account of the fleet can have them.
    pub is_of_fleet: bool,
    /// The plan names the entries that expire within this number of days.
    pub expiring_within: u32,
    /// The time at which entries are expired or not; `None` for now.
    pub as_of: Option<Timestamp>,
}

impl Selection {
    /// All principals, now, of these files without earlier versions.
    pub fn of_files(files: Vec<PathBuf>) -> Self {
        Selection {
            files,
            base: Vec::new(),
            only: None,
            is_of_fleet: false,
            expiring_within: PlanContext::EXPIRING_WITHIN,
            as_of: None,
        }
    }

    pub(super) fn context(&self, identity: &CallerIdentity, now: Timestamp) -> PlanContext {
        PlanContext {
            expiring_within: self.expiring_within,
            only: self.only.clone(),
            ..PlanContext::of(identity, self.as_of.unwrap_or(now))
        }
    }

    /// Checks that each pattern of `only` matches an entry, or a principal that was read.
    ///
    /// # Errors
    /// [`Error::NoSuchSelection`] with the patterns that match nothing.
    pub(super) fn check_found(
        &self,
        config: &Config,
        live: &Inventory,
        account: AccountId,
    ) -> Result<(), Error> {
        if self.is_of_fleet {
            return Ok(());
        }
        let exists = |pattern: &PrincipalPattern| {
            let listed = config.entries().any(|(principal, _)| pattern.matches(&principal));
            let is_there = |reading: &Reading| !reading.is_not_found();
            listed || live.iter().any(|(it, reading)| pattern.matches(it) && is_there(reading))
        };
        let only = self.only.iter().flatten();
        let patterns: Vec<String> =
            only.filter(|pattern| !exists(pattern)).map(ToString::to_string).collect();
        match patterns.is_empty() {
            true => Ok(()),
            false => Err(Error::NoSuchSelection { account, patterns }),
        }
    }
}

/// What of the account is read for a plan.
pub(super) struct SelectedReading {
    /// The kinds of which every principal is read.
    whole: BTreeSet<PrincipalKind>,
    /// The other principals.
    single: BTreeSet<Principal>,
}

impl SelectedReading {
    pub(super) fn of(config: &Config, base: Option<&Config>, context: &PlanContext) -> Self {
        let listed = config.entries().map(|(principal, _)| principal);
        let mut single: BTreeSet<Principal> = listed.filter(|it| context.is_for(it)).collect();
        single.extend(context.only.iter().flatten().filter_map(PrincipalPattern::principal));
        let rules_of = |kind| {
            config.rules_of(kind).chain(base.into_iter().flat_map(move |it| it.rules_of(kind)))
        };
        let is_whole = |&kind: &PrincipalKind| {
            let concerns_others = config.concerns_every(kind) || rules_of(kind).next().is_some();
            // Single reads show all but the groups.
            let is_named = context.names_each(kind) && !rules_of(kind).any(Rule::needs_groups);
            concerns_others && context.concerns(kind) && !is_named
        };
        SelectedReading { whole: PrincipalKind::ALL.into_iter().filter(is_whole).collect(), single }
    }

    pub(super) async fn read(&self, account: &Account) -> Result<Inventory, Error> {
        Ok(match self.whole.is_empty() {
            true => account.inventory(&self.single).await?,
            false => account.whole_inventory(&self.whole, &self.single).await?,
        })
    }
}

/// Counts the unlisted users, if the run knows the number of users without further calls. The number of roles would
/// contain those that AWS manages.
pub(super) fn count_unlisted(
    account: &Account,
    config: &Config,
    live: &Inventory,
    plan: &mut Plan,
) {
    let kind = PrincipalKind::User;
    let Some(known) = account.known_count(kind) else { return };
    if plan.only.is_some() || plan.unlisted.of(kind).is_some() || config.users.is_empty() {
        return;
    }
    let listed = config.entries().filter(|(it, _)| it.kind == kind);
    let found = listed.filter(|(it, _)| live.reading(it).unique_id().is_some()).count();
    let (action, count) = (OnUnlisted::Ignore, known.saturating_sub(found));
    let unlisted = Unlisted { action, count, without_boundary: None, principals: Vec::new() };
    *plan.unlisted.of_mut(kind) = Some(unlisted);
}
