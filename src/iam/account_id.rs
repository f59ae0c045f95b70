use std::fmt;
use std::str::FromStr;

/// An AWS account ID: exactly 12 digits. It may start with zeros, so it is text and not a number.
///
/// Source: [View AWS account identifiers](https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

/// The reason why a text is not a valid [`AccountId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountIdError {
    /// It contains a character that is not an ASCII digit.
    #[error("an account ID contains only digits, not {0:?}")]
    NotADigit(char),
    /// It does not have 12 digits; the field is the number of digits.
    #[error("an account ID has 12 digits, not {0}")]
    Length(usize),
}

impl AccountId {
    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an account ID contains only ASCII digits")
    }
}

impl FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(c) = text.chars().find(|c| !c.is_ascii_digit()) {
            return Err(AccountIdError::NotADigit(c));
        }
        let digits = text.as_bytes();
        digits.try_into().map(AccountId).map_err(|_| AccountIdError::Length(digits.len()))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({})", self.as_str())
    }
}

super::serde_as_text!(AccountId);
super::schema_as_text!(
    AccountId,
    "AWS account ID",
    "The 12 digits of an AWS account, in quotes.",
    "^[0-9]{12}$",
    ["123456789012"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_has_twelve_digits_and_may_start_with_zeros() {
        let id: AccountId = "000000000012".parse().unwrap();
        assert_eq!(id.to_string(), "000000000012");
    }

    #[test]
    fn an_invalid_account_id_is_rejected_with_the_reason() {
        let parse = |text: &str| text.parse::<AccountId>().unwrap_err();
        assert_eq!(parse(""), AccountIdError::Length(0));
        assert_eq!(parse("12345678901"), AccountIdError::Length(11));
        assert_eq!(parse("1234567890123"), AccountIdError::Length(13));
        assert_eq!(parse("1234-5678-9012"), AccountIdError::NotADigit('-'));
        assert_eq!(parse("12345678901٣"), AccountIdError::NotADigit('٣'));
    }
}
