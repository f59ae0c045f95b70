use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{NAME_CHAR_PATTERN, is_name_char};

/// The name of an IAM user: 1 to 64 characters of `[\w+=,.@-]`.
///
/// IAM keeps the case that a user was created with, and lets no two names differ by case alone
/// ([CreateUser](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html)).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalName(Arc<str>);

/// Why a text is no [`PrincipalName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalNameError {
    /// It is empty.
    #[error("a user name has at least one character")]
    Empty,
    /// It is too long; the field is the number of characters found.
    #[error("a user name has at most 64 characters, and this has {0}")]
    TooLong(usize),
    /// It has a character that IAM does not take.
    #[error(
        "a user name is made of letters and digits of ASCII and of _+=,.@- ; {0:?} is not allowed"
    )]
    BadCharacter(char),
}

impl PrincipalName {
    /// The name as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in lower case: two users of one account never share it.
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
    "IAM user name",
    "The name of an IAM user, written as IAM has it: 1 to 64 letters, digits and _+=,.@-",
    format!("^{NAME_CHAR_PATTERN}{{1,64}}$"),
    ["alice", "john.doe"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_iams_pattern_is_taken() {
        for text in ["a", "_+=,.@-", "true", "007", "a.b@example.com", &"x".repeat(64)] {
            assert_eq!(text.parse::<PrincipalName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_iam_would_refuse_is_refused_with_its_reason() {
        let parse = |text: &str| text.parse::<PrincipalName>().unwrap_err();
        assert_eq!(parse(""), PrincipalNameError::Empty);
        assert_eq!(parse(&"x".repeat(65)), PrincipalNameError::TooLong(65));
        assert_eq!(parse("al ice"), PrincipalNameError::BadCharacter(' '));
        assert_eq!(parse("zoë"), PrincipalNameError::BadCharacter('ë'));
        assert_eq!(parse("a/b"), PrincipalNameError::BadCharacter('/'));
        assert_eq!(parse("a\u{202e}b"), PrincipalNameError::BadCharacter('\u{202e}'));
    }
}
