use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{AccountId, AccountIdError};

/// The name of an account in a fleet: 1 to 50 printable ASCII characters that are not only digits, without a space at
/// either end.
///
/// The length and the characters are those of
/// [CreateAccount](https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html), `AccountName`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Arc<str>);

/// The error for a text that is not a valid [`AccountName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account name has 1 to 50 printable ASCII characters that are not only digits")]
pub struct AccountNameError;

impl AccountName {
    /// The name as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that AWS Organizations has for an account; the ID if it cannot be a name in a fleet.
    pub fn of_organization(name: &str, account: AccountId) -> AccountName {
        name.trim().parse().unwrap_or_else(|_| AccountName(format!("account-{account}").into()))
    }
}

impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_valid = (1..=50).contains(&text.len())
            && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
            && !text.bytes().all(|byte| byte.is_ascii_digit())
            && text.trim() == text;
        if is_valid { Ok(AccountName(text.into())) } else { Err(AccountNameError) }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

super::serde_as_text!(AccountName);
super::schema_as_text!(
    AccountName,
    "Account name",
    "1 to 50 printable ASCII characters that are not only digits.",
    "^(?! )(?![0-9]+$)[ -~]{1,50}(?<! )$",
    ["payments-prod"]
);

/// An account of a fleet, by its name or its ID. Text that can be an ID is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountSelector {
    /// The account with this ID.
    Id(AccountId),
    /// The account with this name.
    Name(AccountName),
}

/// The error for a text that is not a valid [`AccountSelector`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountSelectorError {
    /// It has only digits and hyphens, and is not a valid ID.
    #[error(transparent)]
    Id(#[from] AccountIdError),
    /// It is not a valid name.
    #[error(transparent)]
    Name(#[from] AccountNameError),
}

impl AccountSelector {
    /// Whether it selects the account of this name and ID.
    pub fn matches(&self, name: &AccountName, id: AccountId) -> bool {
        match self {
            AccountSelector::Id(selected) => *selected == id,
            AccountSelector::Name(selected) => selected == name,
        }
    }
}

impl FromStr for AccountSelector {
    type Err = AccountSelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An ID that is not well-formed must not become a name.
        if text.chars().all(|c| c.is_ascii_digit() || c == '-') {
            return Ok(AccountSelector::Id(text.parse()?));
        }
        Ok(AccountSelector::Name(text.parse()?))
    }
}

impl fmt::Display for AccountSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountSelector::Id(id) => id.fmt(f),
            AccountSelector::Name(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_printable_and_never_an_account_id() {
        for name in ["payments-prod", "Log archive", "a", "7up", "x'\"|`<b>", &"n".repeat(50)] {
            assert_eq!(name.parse::<AccountName>().unwrap().as_str(), name);
        }
        for text in ["", " a", "a ", "123456789012", "1", "ä", "a\u{1b}", "a\n", &"n".repeat(51)] {
            assert_eq!(text.parse::<AccountName>(), Err(AccountNameError), "{text:?}");
        }
    }

    #[test]
    fn an_account_is_selected_by_name_or_id() {
        let (name, id) = ("prod".parse().unwrap(), "123456789012".parse().unwrap());
        for (text, is_match) in
            [("prod", true), ("123456789012", true), ("Prod", false), ("123456789013", false)]
        {
            let selector: AccountSelector = text.parse().unwrap();
            assert_eq!(
                (selector.matches(&name, id), selector.to_string()),
                (is_match, text.into())
            );
        }
        for text in ["1234", "1234-5678-9012", ""] {
            let error = text.parse::<AccountSelector>().unwrap_err();
            assert!(matches!(error, AccountSelectorError::Id(_)), "{text:?}: {error}");
        }
        let error = "prod ".parse::<AccountSelector>().unwrap_err();
        assert_eq!(error, AccountSelectorError::Name(AccountNameError));
    }

    #[test]
    fn a_name_of_an_organization_that_is_not_usable_is_replaced_by_the_id() {
        let id: AccountId = "123456789012".parse().unwrap();
        assert_eq!(AccountName::of_organization(" Audit ", id).as_str(), "Audit");
        for name in ["", "123", "Zürich"] {
            assert_eq!(AccountName::of_organization(name, id).as_str(), "account-123456789012");
        }
    }
}
