//! Which files a plan is made from, for which principals, and what of the account is read for it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::error::Error;
use crate::aws::Account;
use crate::config::{Config, OnUnlisted};
use crate::iam::{Principal, PrincipalKind, PrincipalPattern, Timestamp};
use crate::inventory::{CallerIdentity, Inventory};
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
    /// The plan names the entries that expire within this number of days.
    pub expiring_within: u32,
    /// The time at which entries are expired or not; `None` for now.
    pub as_of: Option<Timestamp>,
}

impl Selection {
    /// All principals, now, of one file without an earlier version.
    pub fn of_file(file: PathBuf) -> Self {
        Selection {
            files: vec![file],
            base: Vec::new(),
            only: None,
            expiring_within: PlanContext::EXPIRING_WITHIN,
            as_of: None,
        }
    }

    pub(super) fn context(&self, identity: &CallerIdentity, now: Timestamp) -> PlanContext {
        PlanContext {
            expiring_within: self.expiring_within,
            only: self.only.clone(),
            ..PlanContext::new(identity.account, identity.partition, self.as_of.unwrap_or(now))
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
        account: crate::iam::AccountId,
    ) -> Result<(), Error> {
        let exists = |pattern: &PrincipalPattern| {
            let listed = config.entries().any(|(principal, _)| pattern.matches(&principal));
            let is_there = |reading: &crate::inventory::Reading| !reading.is_not_found();
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
    single: Vec<Principal>,
    /// Whether the plan is for all principals.
    is_for_all: bool,
}

impl SelectedReading {
    pub(super) fn of(config: &Config, base: Option<&Config>, selection: &Selection) -> Self {
        let is_selected = |principal: &Principal| {
            let only = selection.only.as_ref();
            only.is_none_or(|only| only.iter().any(|pattern| pattern.matches(principal)))
        };
        let mut single: BTreeSet<Principal> =
            config.entries().map(|(principal, _)| principal).filter(is_selected).collect();
        let mut whole: BTreeSet<PrincipalKind> = PrincipalKind::ALL
            .into_iter()
            .filter(|&kind| {
                config.concerns_every(kind)
                    || base.is_some_and(|base| base.rules_of(kind).next().is_some())
            })
            .collect();
        if let Some(only) = &selection.only {
            let rules = || config.rules.iter().chain(base.into_iter().flat_map(|base| &base.rules));
            whole.retain(|&kind| {
                let needs_groups = rules().any(|rule| rule.kind == kind && rule.needs_groups());
                let mut patterns = only.iter().filter(|pattern| pattern.kind == kind).peekable();
                let is_concerned = patterns.peek().is_some();
                let are_names = patterns.all(|pattern| pattern.principal().is_some());
                is_concerned && (needs_groups || !are_names)
            });
            single.extend(only.iter().filter_map(PrincipalPattern::principal));
        }
        let single = single.into_iter().collect();
        SelectedReading { whole, single, is_for_all: selection.only.is_none() }
    }

    pub(super) async fn read(&self, account: &Account) -> Result<Inventory, Error> {
        Ok(match self.whole.is_empty() {
            true => account.inventory(&self.single).await?,
            false => account.whole_inventory(&self.whole, &self.single).await?,
        })
    }

    /// Counts the unlisted users, if the run knows the number of users without further calls. The number of roles would
    /// contain those that AWS manages.
    pub(super) fn count_unlisted(
        &self,
        account: &Account,
        config: &Config,
        live: &Inventory,
        plan: &mut Plan,
    ) {
        let kind = PrincipalKind::User;
        let Some(known) = account.known_count(kind).filter(|_| self.is_for_all) else { return };
        if plan.unlisted.of(kind).is_some() || config.users.is_empty() {
            return;
        }
        let listed = config.entries().filter(|(it, _)| it.kind == kind);
        let found = listed.filter(|(it, _)| live.reading(it).unique_id().is_some()).count();
        let (action, count) = (OnUnlisted::Ignore, known.saturating_sub(found));
        let unlisted = Unlisted { action, count, without_boundary: None, principals: Vec::new() };
        *plan.unlisted.of_mut(kind) = Some(unlisted);
    }
}
