use std::fmt;
use std::str::FromStr;

/// The number of an AWS account: exactly 12 digits, kept as text because it may begin with zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

/// Why a text is no [`AccountId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountIdError {
    /// It has something other than digits in it.
    #[error("an account id is made of digits only, and {0:?} is none")]
    NotADigit(char),
    /// It has another length; the field is the number of digits found.
    #[error("an account id has 12 digits, and this has {0}")]
    Length(usize),
}

impl AccountId {
    /// The id as it was parsed.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an account id is made of ASCII digits")
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
    "AWS account id",
    "The 12 digits of an AWS account, as text in quotes.",
    "^[0-9]{12}$",
    ["123456789012"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_digits_are_an_account_id_even_with_leading_zeros() {
        let id: AccountId = "000000000012".parse().unwrap();
        assert_eq!(id.to_string(), "000000000012");
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let parse = |text: &str| text.parse::<AccountId>().unwrap_err();
        assert_eq!(parse(""), AccountIdError::Length(0));
        assert_eq!(parse("12345678901"), AccountIdError::Length(11));
        assert_eq!(parse("1234567890123"), AccountIdError::Length(13));
        assert_eq!(parse("1234-5678-9012"), AccountIdError::NotADigit('-'));
        assert_eq!(parse("12345678901٣"), AccountIdError::NotADigit('٣'));
    }
}
