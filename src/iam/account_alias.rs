use std::fmt;
use std::str::FromStr;

/// An alias of an AWS account: 3 to 63 lowercase letters, digits and single hyphens, with a letter or a digit at
/// both ends.
///
/// Source: [CreateAccountAlias](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAlias(String);

/// The text is not a valid [`AccountAlias`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an account alias has 3 to 63 lowercase letters, digits and single hyphens between them")]
pub struct AccountAliasError;

impl FromStr for AccountAlias {
    type Err = AccountAliasError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_alias = (3..=63).contains(&text.len())
            && text.chars().all(is_allowed)
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if is_alias { Ok(AccountAlias(text.to_owned())) } else { Err(AccountAliasError) }
    }
}

impl fmt::Display for AccountAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

super::serde_as_text!(AccountAlias);
super::schema_as_text!(
    AccountAlias,
    "AWS account alias",
    "3 to 63 lowercase letters, digits and single hyphens between them.",
    "^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
    ["payments-prod"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_has_lowercase_letters_digits_and_single_hyphens_between_them() {
        for alias in ["abc", "payments-prod", "1-2", &"a".repeat(63)] {
            assert_eq!(alias.parse::<AccountAlias>().unwrap().to_string(), alias);
        }
        for text in ["", "ab", "-ab", "ab-", "a--b", "Prod", "a b", "a\u{1b}b", &"a".repeat(64)] {
            assert_eq!(text.parse::<AccountAlias>(), Err(AccountAliasError), "{text:?}");
        }
    }
}
