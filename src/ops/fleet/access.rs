use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::Error;
use super::super::fleet_error::FleetError;
use crate::aws::{Access, BaseIdentity, ExpectedPartition, Waits};
use crate::config::AccountCredentials;
use crate::iam::AccountId;
use crate::inventory::AccountState;

/// The access to each account of a fleet. The base identity is opened only if an account or the organization needs it.
#[derive(Debug, Clone)]
pub(super) struct FleetAccess {
    access: Access,
    base: Option<BaseIdentity>,
    /// The accounts that are not active, as far as the organization was read.
    inactive: Arc<BTreeMap<AccountId, AccountState>>,
}

impl FleetAccess {
    /// Opens the base identity of `access` if `is_needed`. `partition` determines the region if nothing else does.
    pub(super) async fn open(
        access: &Access,
        partition: Option<ExpectedPartition>,
        is_needed: bool,
        waits: Waits,
    ) -> Result<FleetAccess, Error> {
        let access = access.clone().for_partition(partition);
        let base = match is_needed {
            true => Some(BaseIdentity::open(&access, waits).await?),
            false => None,
        };
        Ok(FleetAccess { access, base, inactive: Arc::default() })
    }

    /// The same access, which knows these accounts that are not active.
    pub(super) fn with_inactive(self, inactive: BTreeMap<AccountId, AccountState>) -> FleetAccess {
        FleetAccess { inactive: Arc::new(inactive), ..self }
    }

    /// The state of an account that is not active; `None` if it is active or its state is not known.
    pub(super) fn inactive(&self, account: AccountId) -> Option<&AccountState> {
        self.inactive.get(&account)
    }

    /// Whether these credentials need the base identity.
    pub(super) fn needs_base(credentials: &AccountCredentials) -> bool {
        matches!(credentials, AccountCredentials::Role(_))
    }

    /// The base identity, if it was opened.
    pub(super) fn base(&self) -> Option<&BaseIdentity> {
        self.base.as_ref()
    }

    /// The access to an account.
    ///
    /// # Errors
    /// [`Error::NoProfileInSandbox`] for a profile if the access is a sandbox, and [`FleetError::NoBaseIdentity`] for a role
    /// if the base identity was not opened.
    pub(super) fn of(
        &self,
        account: AccountId,
        credentials: &AccountCredentials,
    ) -> Result<Access, Error> {
        match (credentials, &self.base) {
            (AccountCredentials::Role(role), Some(base)) => {
                Ok(Access::Role { base: base.clone(), account, role: role.clone() })
            }
            (AccountCredentials::Role(_), None) => Err(FleetError::NoBaseIdentity.into()),
            (AccountCredentials::Base, _) => Ok(self.access.clone()),
            (AccountCredentials::Profile(profile), _) => self
                .access
                .of_profile(profile)
                .ok_or_else(|| Error::NoProfileInSandbox(profile.clone())),
        }
    }
}
