use std::fmt;

use crate::iam::{AccountId, Printable};

/// An account of an organization in AWS Organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationAccount {
    /// The account ID.
    pub id: AccountId,
    /// The name, as AWS Organizations returned it.
    pub name: Printable,
    /// The state.
    pub state: AccountState,
    /// Whether it is in one of the requested units, or in a unit below one.
    pub is_in_units: bool,
}

/// The state of an account in its organization
/// ([account states](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountState {
    /// The account can be used.
    Active,
    /// The account is not activated yet.
    PendingActivation,
    /// AWS restricts the access to the account.
    Suspended,
    /// AWS is closing the account.
    PendingClosure,
    /// The account is closed. It can be reopened for 90 days.
    Closed,
    /// A state that this version does not know.
    Other(Printable),
}

impl OrganizationAccount {
    /// Whether the account can be used. An account in an unknown state is not active.
    pub fn is_active(&self) -> bool {
        self.state == AccountState::Active
    }
}

impl AccountState {
    /// The state with this name in the API.
    pub fn of(name: &str) -> AccountState {
        match name {
            "ACTIVE" => AccountState::Active,
            "PENDING_ACTIVATION" => AccountState::PendingActivation,
            "SUSPENDED" => AccountState::Suspended,
            "PENDING_CLOSURE" => AccountState::PendingClosure,
            "CLOSED" => AccountState::Closed,
            other => AccountState::Other(Printable::exact(other)),
        }
    }
}

/// A predicate: `is suspended`.
impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountState::Active => f.write_str("is active"),
            AccountState::PendingActivation => f.write_str("is not activated yet"),
            AccountState::Suspended => f.write_str("is suspended"),
            AccountState::PendingClosure => f.write_str("is being closed"),
            AccountState::Closed => f.write_str("is closed"),
            AccountState::Other(state) => write!(f, "has the state {state}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_account_in_the_state_active_is_active() {
        let is_active = |name| {
            let (id, name, state) =
                ("123456789012".parse().unwrap(), "prod".into(), AccountState::of(name));
            OrganizationAccount { id, name, state, is_in_units: true }.is_active()
        };
        assert!(is_active("ACTIVE"));
        for name in ["SUSPENDED", "PENDING_CLOSURE", "PENDING_ACTIVATION", "CLOSED", "NEW", ""] {
            assert!(!is_active(name), "{name}");
        }
    }
}
