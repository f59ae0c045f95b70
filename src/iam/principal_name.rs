use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{NAME_CHAR_PATTERN, character, is_name_char};

/// The name of an IAM user or role: 1 to 64 characters of `[\w+=,.@-]`.
///
/// IAM keeps the case of a name, but two users or two roles of an account cannot have names that differ only in case
/// ([CreateUser](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html),
/// [CreateRole](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html)).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalName(Arc<str>);

/// The reason why a text is not a valid [`PrincipalName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalNameError {
    /// It is empty.
    #[error("a user or role name must not be empty")]
    Empty,
    /// It is longer than 64 characters; the field is the number of characters.
    #[error("a user or role name has at most 64 characters, not {0}")]
    TooLong(usize),
    /// It contains a character that IAM does not allow.
    #[error("{} is not allowed in a user or role name; use ASCII letters, digits and _+=,.@-", character(*.0))]
    BadCharacter(char),
}

impl PrincipalName {
    /// The name, in its original case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in lowercase, which also identifies a user or a role in an account.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for PrincipalName {
    type Err = PrincipalNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(PrincipalNameError::Empty);
        }
        if let Some(c) = text.chars().find(|&c| !is_name_char(c)) {
            return Err(PrincipalNameError::BadCharacter(c));
        }
        match text.len() {
            ..=64 => Ok(PrincipalName(text.into())),
            length => Err(PrincipalNameError::TooLong(length)),
        }
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrincipalName({})", self.0)
    }
}

super::serde_as_text!(PrincipalName);
super::schema_as_text!(
    PrincipalName,
    "IAM user or role name",
    "The name of an IAM user or role, in the same case as in IAM: 1 to 64 ASCII letters, digits and _+=,.@-",
    format!("^{NAME_CHAR_PATTERN}{{1,64}}$"),
    ["alice", "john.doe"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_iam_allows_is_accepted() {
        for text in ["a", "_+=,.@-", "true", "007", "a.b@example.com", &"x".repeat(64)] {
            assert_eq!(text.parse::<PrincipalName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_name_that_iam_rejects_is_rejected_with_the_reason() {
        let parse = |text: &str| text.parse::<PrincipalName>().unwrap_err();
        assert_eq!(parse(""), PrincipalNameError::Empty);
        assert_eq!(parse(&"x".repeat(65)), PrincipalNameError::TooLong(65));
        assert_eq!(parse("al ice"), PrincipalNameError::BadCharacter(' '));
        assert_eq!(parse("zoë"), PrincipalNameError::BadCharacter('ë'));
        assert_eq!(parse("a/b"), PrincipalNameError::BadCharacter('/'));
        assert_eq!(parse("a\u{202e}b"), PrincipalNameError::BadCharacter('\u{202e}'));
    }
}
