//! Which accounts a run on a fleet is about.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::error::Error;
use super::super::session::expected_partition;
use super::account::{Source, Target};
use super::access::FleetAccess;
use crate::aws::{Access, Organization, Waits};
use crate::config::{Config, Fleet, FleetAccount, FleetConfigs};
use crate::iam::{AccountId, AccountName, AccountSelector, Printable, Shard};
use crate::inventory::OrganizationAccount;
use crate::plan::{FleetAccountRef, Uncovered};

/// Which accounts of a fleet a plan is for.
#[derive(Debug, Clone, Default)]
pub struct FleetSelection {
    /// The accounts; empty for all.
    pub accounts: Vec<AccountSelector>,
    /// The part of the fleet; `None` for all of it.
    pub shard: Option<Shard>,
}

/// Why nothing can be done with a fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// `--account` or `--first` names accounts that the fleet does not have.
    #[error("{origin} has no account {}", names(selectors))]
    NoSuchAccount {
        /// The selectors that select nothing.
        selectors: Vec<AccountSelector>,
        /// The fleet file, the plan or the directory.
        origin: Printable,
    },
    /// An account of the organization has the name of another account of the fleet.
    #[error("the fleet has no accounts: {0}")]
    NoAccounts(Printable),
    /// An account of the earlier version of the fleet file cannot be used.
    #[error("cannot use {path}: {why}")]
    Directory {
        /// The directory of a run.
        path: Printable,
        /// Why it cannot be used.
        why: Printable,
    },
}

fn names(selectors: &[AccountSelector]) -> String {
    let names: Vec<String> = selectors.iter().map(ToString::to_string).collect();
    names.join(" or ")
}

/// The accounts of a run, and how to get into them.
pub(super) struct Targets {
    pub(super) targets: Vec<Target>,
    pub(super) uncovered: Vec<Uncovered>,
    pub(super) shard: Option<Shard>,
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
        path: &PathBuf,
        base: Option<&PathBuf>,
        adjust: impl Fn(&mut Config),
    ) -> Result<LoadedFleet, Error> {
        let fleet = Fleet::read(path)?;
        let configs = fleet.load()?.map(adjust);
        let base = match base {
            Some(path) if !path.exists() => return Err(Error::NoBase(path.clone())),
            Some(path) => {
                let fleet = Fleet::read(path)?;
                let configs = fleet.load_earlier()?;
                Some((fleet, configs))
            }
            None => None,
        };
        Ok(LoadedFleet { fleet, configs, base })
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
        let partition = self.configs.iter().find_map(|config| expected_partition(config));
        let is_needed = organization.is_some()
            || fleet.accounts.iter().any(|it| FleetAccess::needs_base(&it.settings.credentials));
        let access = FleetAccess::open(access, partition, is_needed, waits).await?;
        let mut accounts = fleet.accounts.clone();
        let mut uncovered = Vec::new();
        if let (Some(scope), Some(base)) = (organization, access.base()) {
            let all = Organization::accounts(base, &scope.units).await?;
            let own: BTreeSet<AccountId> = accounts.iter().map(|it| it.id).collect();
            for account in all.into_iter().filter(OrganizationAccount::is_active) {
                let id = account.id;
                if own.contains(&id) {
                    continue;
                }
                if account.is_in_units && !scope.except.contains(&id) {
                    let name = AccountName::of_organization(&account.name, id);
                    accounts.extend(fleet.organization_account(name, id));
                } else if !scope.except.contains(&id) {
                    uncovered.push(Uncovered { id, name: account.name });
                }
            }
        }
        let accounts = self.selected(accounts, selection)?;
        uncovered.retain(|it| selection.shard.is_none_or(|shard| shard.contains(it.id)));
        if !selection.accounts.is_empty() {
            uncovered.clear();
        }
        uncovered.sort();
        let targets = accounts.into_iter().map(|account| self.target(account)).collect();
        Ok(Targets { targets, uncovered, access, shard: selection.shard })
    }

    fn selected(
        &self,
        mut accounts: Vec<FleetAccount>,
        selection: &FleetSelection,
    ) -> Result<Vec<FleetAccount>, Error> {
        let matches =
            |it: &FleetAccount, selector: &AccountSelector| selector.matches(&it.name, it.id);
        let is_unknown =
            |selector: &&AccountSelector| !accounts.iter().any(|it| matches(it, selector));
        let unknown: Vec<AccountSelector> =
            selection.accounts.iter().filter(is_unknown).cloned().collect();
        if !unknown.is_empty() {
            let origin = self.fleet.path.clone();
            return Err(FleetError::NoSuchAccount { selectors: unknown, origin }.into());
        }
        if accounts.is_empty() {
            let why = "the units have no active accounts, and [accounts] has none".into();
            return Err(FleetError::NoAccounts(why).into());
        }
        accounts.retain(|it| {
            let is_selected = selection.accounts.is_empty()
                || selection.accounts.iter().any(|selector| matches(it, selector));
            is_selected && selection.shard.is_none_or(|shard| shard.contains(it.id))
        });
        accounts.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(accounts)
    }

    fn target(&self, account: FleetAccount) -> Target {
        let config = self.configs.of(&account.settings.files);
        let base = self.base.as_ref().map(|(fleet, configs)| {
            let listed = fleet.accounts.iter().find(|it| it.id == account.id);
            let settings = match (listed, &fleet.organization) {
                (Some(account), _) => Some(&account.settings),
                (None, Some(_)) => Some(&fleet.default),
                (None, None) => None,
            };
            // All changes of an account that the earlier version does not have are new.
            settings.map_or_else(|| Arc::new(Config::default()), |it| configs.of(&it.files))
        });
        let FleetAccount { name, id, settings, .. } = account;
        let account = FleetAccountRef { name, id, credentials: settings.credentials };
        Target { account, source: Source::Files { config, base } }
    }
}
