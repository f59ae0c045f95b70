use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::credentials::AccountCredentials;
use super::guard::FleetGuard;
use crate::config::Position;
use crate::config::source_text::SourceText;
use crate::iam::{AccountId, AccountName, Digest, Printable, UnitId};

/// The content of a valid fleet file.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The path of the file, as it was specified.
    pub path: Printable,
    /// The SHA-256 digest of the file's bytes.
    pub digest: Digest,
    /// The accounts of `[accounts]`, in the order of the file.
    pub accounts: Vec<FleetAccount>,
    /// The accounts that AWS Organizations lists, besides those of `[accounts]`.
    pub organization: Option<OrganizationScope>,
    /// What applies to the accounts of the organization. An account of `[accounts]` has its own settings.
    pub default: AccountSettings,
    /// The guard rails for all accounts together.
    pub guard: FleetGuard,
    pub(super) source: Arc<SourceText>,
    /// The first place in the fleet file that names each boundaries file.
    pub(super) file_spans: BTreeMap<PathBuf, Range<usize>>,
}

/// An account of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetAccount {
    /// Its name in the fleet.
    pub name: AccountName,
    /// Its ID.
    pub id: AccountId,
    /// Its boundaries files and credentials.
    pub settings: AccountSettings,
    /// The position of its name in the fleet file; that of `units` for an account of the organization.
    pub position: Position,
}

/// The boundaries files and the credentials of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSettings {
    /// The paths of the boundaries files, in the order in which they are layered. A relative path in the fleet file is
    /// relative to its directory; these paths are not.
    pub files: Vec<PathBuf>,
    /// The credentials.
    pub credentials: AccountCredentials,
}

/// The accounts that AWS Organizations lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationScope {
    /// The organizational units and roots whose accounts belong to the fleet, with those of all units below them.
    pub units: BTreeSet<UnitId>,
    /// The accounts that do not belong to the fleet.
    pub except: BTreeSet<AccountId>,
    /// The position of `units`.
    pub position: Position,
}

impl Fleet {
    /// The account of the organization with this ID. It has the default settings. `None` without `[organization]`.
    pub fn organization_account(&self, name: AccountName, id: AccountId) -> Option<FleetAccount> {
        let position = self.organization.as_ref()?.position.clone();
        Some(FleetAccount { name, id, settings: self.default.clone(), position })
    }
}
