//! The accounts and organizational units of the sandbox's organization.

use super::account_ids::{ACCOUNT, account_ids};

/// The ID of the root.
pub const ROOT_ID: &str = "r-sbox";

/// An organization in AWS Organizations. [`ACCOUNT`] manages it, and is directly below the root unless a unit has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Organization {
    /// The units directly below the root.
    pub units: Vec<OrganizationalUnit>,
    /// The accounts directly below the root.
    pub accounts: Vec<MemberAccount>,
    /// Whether responses leave out the field `Status` of accounts. AWS retires it on September 9, 2026, in favor of
    /// `State` ([account states][states]).
    ///
    /// [states]: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
    pub omits_status: bool,
}

/// An organizational unit (OU).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationalUnit {
    /// The ID: `ou-sbox-` and 8 to 32 lowercase letters and digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// The units directly below it.
    pub units: Vec<OrganizationalUnit>,
    /// The accounts directly below it.
    pub accounts: Vec<MemberAccount>,
}

/// An account of an [`Organization`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberAccount {
    /// The account ID. The account has the content of the seed, like every account of the sandbox.
    pub id: String,
    /// The name.
    pub name: String,
    /// The state. Only the roles of active accounts can be assumed.
    pub state: AccountState,
}

/// The state of an account
/// (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// The account is not signed up completely.
    PendingActivation,
    /// The account can be used.
    Active,
    /// AWS has suspended the account.
    Suspended,
    /// The account is being closed.
    PendingClosure,
    /// The account is closed, and can be reopened for 90 days.
    Closed,
}

impl AccountState {
    /// The value of the field `State`.
    pub(super) fn name(self) -> &'static str {
        match self {
            AccountState::PendingActivation => "PENDING_ACTIVATION",
            AccountState::Active => "ACTIVE",
            AccountState::Suspended => "SUSPENDED",
            AccountState::PendingClosure => "PENDING_CLOSURE",
            AccountState::Closed => "CLOSED",
        }
    }

    /// The value of the field `Status`, which has three values.
    pub(super) fn status(self) -> &'static str {
        match self {
            AccountState::PendingActivation | AccountState::Active => "ACTIVE",
            AccountState::PendingClosure => "PENDING_CLOSURE",
            AccountState::Suspended | AccountState::Closed => "SUSPENDED",
        }
    }
}

impl MemberAccount {
    /// An active account with a name.
    pub fn active(id: &str) -> Self {
        let (id, name, state) = (id.to_owned(), format!("sandbox-{id}"), AccountState::Active);
        MemberAccount { id, name, state }
    }
}

impl OrganizationalUnit {
    /// A unit without accounts and units. Its ID is `ou-sbox-` and the suffix.
    pub fn new(suffix: &str, name: &str) -> Self {
        let (units, accounts) = (Vec::new(), Vec::new());
        OrganizationalUnit {
            id: format!("ou-sbox-{suffix}"),
            name: name.to_owned(),
            units,
            accounts,
        }
    }

    /// This unit with these accounts, which are active.
    pub fn with_accounts<'a>(mut self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        self.accounts.extend(ids.into_iter().map(MemberAccount::active));
        self
    }

    /// This unit with these units below it.
    pub fn with_units(mut self, units: impl IntoIterator<Item = OrganizationalUnit>) -> Self {
        self.units.extend(units);
        self
    }
}

impl Organization {
    /// The organization of [`account_ids`]. The management account is below the root.
    ///
    /// The second account is in the unit `ou-sbox-security01`. Of each three others, the first is in
    /// `ou-sbox-workloads1`, and the others are in the units below it: `ou-sbox-development` and `ou-sbox-production`.
    /// Of ten or more accounts, the last one is suspended and in `ou-sbox-suspended1`.
    pub fn of_accounts(accounts: usize) -> Organization {
        let mut security = OrganizationalUnit::new("security01", "Security");
        let mut workloads = OrganizationalUnit::new("workloads1", "Workloads");
        let mut development = OrganizationalUnit::new("development", "Development");
        let mut production = OrganizationalUnit::new("production", "Production");
        let mut suspended = OrganizationalUnit::new("suspended1", "Suspended");
        for (number, id) in account_ids(accounts).iter().enumerate().skip(1) {
            let account = MemberAccount::active(id);
            if number >= 9 && number == accounts - 1 {
                let state = AccountState::Suspended;
                suspended.accounts.push(MemberAccount { state, ..account });
                continue;
            }
            let unit = match number % 3 {
                _ if number == 1 => &mut security,
                2 => &mut workloads,
                0 => &mut development,
                _ => &mut production,
            };
            unit.accounts.push(account);
        }
        let workloads = workloads.with_units([development, production]);
        let units = vec![security, suspended, workloads];
        Organization { units, ..Organization::default() }
    }

    /// All accounts, each with the ID of the root or unit directly above it.
    pub(super) fn accounts(&self) -> Vec<(&str, MemberAccount)> {
        let mut all = Vec::new();
        collect(ROOT_ID, &self.accounts, &self.units, &mut all);
        if !all.iter().any(|(_, account)| account.id == ACCOUNT) {
            let name = "management".to_owned();
            all.insert(0, (ROOT_ID, MemberAccount { name, ..MemberAccount::active(ACCOUNT) }));
        }
        all
    }

    /// The IDs of all accounts.
    pub(super) fn account_ids(&self) -> impl Iterator<Item = String> {
        self.accounts().into_iter().map(|(_, account)| account.id)
    }

    /// The state of an account; `None` if it is not in a unit or below the root.
    pub(super) fn state_of(&self, account: &str) -> Option<AccountState> {
        fn find(
            accounts: &[MemberAccount],
            units: &[OrganizationalUnit],
            id: &str,
        ) -> Option<AccountState> {
            let found = accounts.iter().find(|account| account.id == id);
            let below = || units.iter().find_map(|unit| find(&unit.accounts, &unit.units, id));
            found.map(|account| account.state).or_else(below)
        }
        find(&self.accounts, &self.units, account)
    }

    /// The units directly below the root or unit with this ID; `None` if it does not exist.
    pub(super) fn units_below(&self, parent: &str) -> Option<&[OrganizationalUnit]> {
        if parent == ROOT_ID {
            return Some(&self.units);
        }
        find(ROOT_ID, &self.units, parent).map(|(_, unit)| unit.units.as_slice())
    }

    /// The ID of the root or unit directly above a unit.
    pub(super) fn parent_of_unit(&self, id: &str) -> Option<&str> {
        find(ROOT_ID, &self.units, id).map(|(parent, _)| parent)
    }
}

fn collect<'a>(
    parent: &'a str,
    accounts: &[MemberAccount],
    units: &'a [OrganizationalUnit],
    to: &mut Vec<(&'a str, MemberAccount)>,
) {
    to.extend(accounts.iter().map(|account| (parent, account.clone())));
    for unit in units {
        collect(&unit.id, &unit.accounts, &unit.units, to);
    }
}

/// The unit with this ID at any depth, and the ID of the root or unit directly above it.
fn find<'a>(
    parent: &'a str,
    units: &'a [OrganizationalUnit],
    id: &str,
) -> Option<(&'a str, &'a OrganizationalUnit)> {
    units.iter().find_map(|unit| match unit.id == id {
        true => Some((parent, unit)),
        false => find(&unit.id, &unit.units, id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_tree_has_every_account_once_and_one_suspended_account_of_ten() {
        for count in [1, 2, 9, 10, 25] {
            let organization = Organization::of_accounts(count);
            let accounts = organization.accounts();
            let mut ids: Vec<&str> =
                accounts.iter().map(|(_, account)| account.id.as_str()).collect();
            ids.sort_unstable();
            assert_eq!(ids, account_ids(count), "{count}");
            let suspended = accounts.iter().filter(|(_, it)| it.state != AccountState::Active);
            assert_eq!(suspended.count(), usize::from(count >= 10), "{count}");
        }
    }

    #[test]
    fn the_default_tree_has_nested_units_with_valid_ids() {
        let organization = Organization::of_accounts(10);
        let below = organization.units_below("ou-sbox-workloads1").unwrap();
        assert_eq!(below.len(), 2);
        for id in organization.units.iter().chain(below).map(|unit| &unit.id) {
            let suffix = id.strip_prefix("ou-sbox-").unwrap();
            assert!((8..=32).contains(&suffix.len()), "{id}");
            assert!(suffix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{id}");
        }
        assert_eq!(organization.parent_of_unit(&below[0].id), Some("ou-sbox-workloads1"));
        assert_eq!(organization.parent_of_unit("ou-sbox-workloads1"), Some(ROOT_ID));
        assert_eq!(organization.units_below("ou-sbox-other0001"), None);
    }
}
