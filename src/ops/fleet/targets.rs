//! Which accounts a run on a fleet is about.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::super::error::Error;
use super::super::fleet_error::FleetError;
use super::super::input::expected_partition;
use super::access::FleetAccess;
use super::account::{Source, Target};
use crate::aws::{Access, Organization, Waits};
use crate::config::{Config, Fleet, FleetAccount, FleetConfigs, SourceFile};
use crate::iam::{AccountId, AccountName, AccountSelector, Shard};
use crate::inventory::OrganizationAccount;
use crate::plan::{FleetAccountRef, FleetSource, Uncovered};

/// Which accounts of a fleet a plan is for.
#[derive(Debug, Clone, Default)]
pub struct FleetSelection {
    /// The accounts; empty for all.
    pub accounts: Vec<AccountSelector>,
    /// The part of the fleet; `None` for all of it.
    pub shard: Option<Shard>,
}

/// The accounts of a fleet that a run leaves out.
#[derive(Debug, Clone, Default)]
pub struct Omitted {
    /// The accounts that belong to other shards.
    pub of_other_shards: Vec<FleetAccountRef>,
    /// The accounts that no `--account` names.
    pub not_selected: Vec<FleetAccountRef>,
}

impl Omitted {
    /// Those of `accounts` that `selection` leaves out.
    pub fn of<'a>(
        accounts: impl Iterator<Item = &'a FleetAccountRef>,
        selection: &FleetSelection,
    ) -> Omitted {
        let FleetSelection { accounts: selectors, shard } = selection;
        let mut omitted = Omitted::default();
        for account in accounts {
            let is_of = |by: &AccountSelector| by.matches(&account.name, account.id);
            if !selectors.is_empty() && !selectors.iter().any(is_of) {
                omitted.not_selected.push(account.clone());
            } else if shard.is_some_and(|shard| !shard.contains(account.id)) {
                omitted.of_other_shards.push(account.clone());
            }
        }
        omitted
    }
}

/// The accounts of a run, and how to get into them.
pub(super) struct Targets {
    pub(super) targets: Vec<Target>,
    pub(super) uncovered: Vec<Uncovered>,
    pub(super) shard: Option<Shard>,
    pub(super) omitted: Omitted,
    pub(super) access: FleetAccess,
}

/// A fleet file, its earlier version, and the boundaries files that they name.
pub(super) struct LoadedFleet {
    pub(super) fleet: Fleet,
    configs: FleetConfigs,
    base: Option<(Fleet, FleetConfigs)>,
}

impl LoadedFleet {
    /// Reads a fleet file, its earlier version, and the boundaries files that they name. `adjust` changes the content of
    /// each boundaries file.
    ///
    /// # Errors
    /// Every error in the files.
    pub(super) fn read(
        path: &Path,
        base: Option<&Path>,
        adjust: impl Fn(&mut Config),
    ) -> Result<LoadedFleet, Error> {
        let fleet = Fleet::read(path)?;
        let configs = adjusted(fleet.load()?, adjust);
        let base = match base {
            Some(path) if !path.exists() => return Err(Error::NoBase(path.to_owned())),
            Some(path) => {
                let fleet = Fleet::read(path)?;
                let configs = fleet.load()?;
                Some((fleet, configs))
            }
            None => None,
        };
        Ok(LoadedFleet { fleet, configs, base })
    }

    /// What a plan of the fleet is made from.
    pub(super) fn source(&self) -> FleetSource {
        let Fleet { path, digest, .. } = &self.fleet;
        FleetSource::File(SourceFile { path: path.clone(), digest: *digest })
    }

    /// Opens the base identity, reads the organization if the fleet has one, and selects the accounts.
    ///
    /// # Errors
    /// If the credentials or the organization cannot be used, or `selection` selects accounts that do not exist.
    pub(super) async fn targets(
        &self,
        selection: &FleetSelection,
        access: &Access,
        waits: Waits,
    ) -> Result<Targets, Error> {
        let fleet = &self.fleet;
        let listed = |selector: &AccountSelector| {
            fleet.accounts.iter().any(|it| selector.matches(&it.name, it.id))
        };
        let are_listed = !selection.accounts.is_empty() && selection.accounts.iter().all(listed);
        let organization = fleet.organization.as_ref().filter(|_| !are_listed);
        let partition = self.configs.distinct.iter().find_map(|it| expected_partition(it));
        let configs = self.configs.accounts.iter().cloned();
        let mut accounts: Vec<Configured> = fleet.accounts.iter().cloned().zip(configs).collect();
        let is_needed = match organization {
            Some(_) => true,
            None => self
                .selected(accounts.clone(), selection)?
                .iter()
                .any(|(it, _)| FleetAccess::needs_base(&it.settings.credentials)),
        };
        let mut access = FleetAccess::open(access, partition, is_needed, waits).await?;
        let mut uncovered = Vec::new();
        if let (Some(scope), Some(base)) = (organization, access.base().cloned()) {
            let all = Organization::accounts(&base, &scope.units).await;
            let all = all.map_err(|error| match &*error.code {
                Organization::NO_PARENT => {
                    FleetError::NoSuchUnit { position: scope.position.clone(), error }.into()
                }
                _ => Error::Call(error),
            })?;
            for id in scope.except.iter().filter(|id| !all.iter().any(|it| it.id == **id)) {
                let file = &fleet.path;
                tracing::warn!(
                    "except in {file} lists {id}, which is not an account of the organization"
                );
            }
            let inactive = all.iter().filter(|it| !it.is_active());
            let inactive = inactive.map(|it| (it.id, it.state.clone())).collect();
            access = access.with_inactive(inactive);
            let own: BTreeSet<AccountId> = accounts.iter().map(|(it, _)| it.id).collect();
            for account in all.into_iter().filter(OrganizationAccount::is_active) {
                let id = account.id;
                if own.contains(&id) {
                    continue;
                }
                if account.is_in_units && !scope.except.contains(&id) {
                    let name = AccountName::of_organization(&account.name, id);
                    let account = fleet.organization_account(name, id);
                    accounts.extend(account.zip(self.configs.organization.clone()));
                } else if !scope.except.contains(&id) {
                    uncovered.push(Uncovered { id, name: account.name });
                }
            }
        }
        let all: Vec<FleetAccountRef> = accounts.iter().map(|(it, _)| account_ref(it)).collect();
        let omitted = Omitted::of(all.iter(), selection);
        let accounts = self.selected(accounts, selection)?;
        uncovered.retain(|it| selection.shard.is_none_or(|shard| shard.contains(it.id)));
        if !selection.accounts.is_empty() {
            uncovered.clear();
        }
        uncovered.sort();
        let targets = accounts.into_iter().map(|account| self.target(account)).collect();
        // Some accounts of a part are not that part.
        let shard = selection.shard.filter(|_| selection.accounts.is_empty());
        Ok(Targets { targets, uncovered, access, shard, omitted })
    }

    fn selected(
        &self,
        mut accounts: Vec<Configured>,
        selection: &FleetSelection,
    ) -> Result<Vec<Configured>, Error> {
        let matches =
            |(it, _): &Configured, selector: &AccountSelector| selector.matches(&it.name, it.id);
        let is_unknown =
            |selector: &&AccountSelector| !accounts.iter().any(|it| matches(it, selector));
        let unknown: Vec<AccountSelector> =
            selection.accounts.iter().filter(is_unknown).cloned().collect();
        if !unknown.is_empty() {
            let origin = self.fleet.path.clone();
            return Err(FleetError::NoSuchAccount { selectors: unknown, origin }.into());
        }
        if accounts.is_empty() {
            return Err(FleetError::NoAccounts { fleet: self.fleet.path.clone() }.into());
        }
        accounts.retain(|it| {
            let is_selected = selection.accounts.is_empty()
                || selection.accounts.iter().any(|selector| matches(it, selector));
            is_selected && selection.shard.is_none_or(|shard| shard.contains(it.0.id))
        });
        accounts.sort_by(|(a, _), (b, _)| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(accounts)
    }

    fn target(&self, (account, config): Configured) -> Target {
        let base = self.base.as_ref().map(|(fleet, configs)| {
            let listed = fleet.accounts.iter().position(|it| it.id == account.id);
            let config = match listed {
                Some(index) => configs.accounts.get(index),
                None => configs.organization.as_ref(),
            };
            // All changes of an account that the earlier version does not have are new.
            config.cloned().unwrap_or_default()
        });
        Target { account: account_ref(&account), source: Source::Files { config, base } }
    }
}

fn account_ref(account: &FleetAccount) -> FleetAccountRef {
    let FleetAccount { name, id, settings, .. } = account.clone();
    FleetAccountRef { name, id, credentials: settings.credentials }
}

/// An account, and the content of its boundaries files.
type Configured = (FleetAccount, Arc<Config>);

/// The content of the files after `adjust`. What accounts shared, they still share.
fn adjusted(configs: FleetConfigs, adjust: impl Fn(&mut Config)) -> FleetConfigs {
    let adjusted = |config: &Arc<Config>| {
        let mut config = Config::clone(config);
        adjust(&mut config);
        Arc::new(config)
    };
    let distinct: Vec<_> = configs.distinct.iter().map(|it| (it.clone(), adjusted(it))).collect();
    let of = |config: &Arc<Config>| {
        let found = distinct.iter().find(|(it, _)| Arc::ptr_eq(it, config));
        found.map_or_else(|| config.clone(), |(_, adjusted)| adjusted.clone())
    };
    FleetConfigs {
        accounts: configs.accounts.iter().map(of).collect(),
        organization: configs.organization.as_ref().map(of),
        distinct: distinct.iter().map(|(_, adjusted)| adjusted.clone()).collect(),
    }
}
