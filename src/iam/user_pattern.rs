use std::fmt;
use std::str::FromStr;

use wildmatch::WildMatch;

use super::{NAME_CHAR_PATTERN, UserName, is_name_char};

/// A user name, or a pattern of user names in which `*` stands for any text and `?` for one character.
///
/// Case makes no difference: no two users of an account differ by case alone, and who protects
/// `Break-Glass` means `break-glass` too.
#[derive(Clone, PartialEq, Eq)]
pub struct UserPattern(String);

/// Why a text is no [`UserPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserPatternError {
    /// It is empty.
    #[error("a user name or pattern has at least one character")]
    Empty,
    /// It is too long; the field is the number of characters found.
    #[error("a user name or pattern has at most 64 characters, and this has {0}")]
    TooLong(usize),
    /// It has a character that no user name has.
    #[error(
        "a pattern is made of letters and digits of ASCII, of _+=,.@- and of * and ?; {0:?} is not \
         allowed"
    )]
    BadCharacter(char),
}

impl UserPattern {
    /// Whether `user` is meant.
    pub fn matches(&self, user: &UserName) -> bool {
        WildMatch::new(&self.0.to_ascii_lowercase()).matches(&user.folded())
    }
}

impl From<&UserName> for UserPattern {
    fn from(user: &UserName) -> Self {
        UserPattern(user.as_str().to_owned())
    }
}

impl FromStr for UserPattern {
    type Err = UserPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(UserPatternError::Empty);
        }
        let is_taken = |c: char| is_name_char(c) || matches!(c, '*' | '?');
        if let Some(c) = text.chars().find(|&c| !is_taken(c)) {
            return Err(UserPatternError::BadCharacter(c));
        }
        match text.len() {
            ..=64 => Ok(UserPattern(text.to_owned())),
            length => Err(UserPatternError::TooLong(length)),
        }
    }
}

impl fmt::Display for UserPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for UserPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserPattern({})", self.0)
    }
}

super::serde_as_text!(UserPattern);
super::schema_as_text!(
    UserPattern,
    "User name or pattern",
    "The name of an IAM user, or a pattern in which * stands for any text and ? for one character",
    format!("^({NAME_CHAR_PATTERN}|[*?]){{1,64}}$"),
    ["break-glass", "emergency-*"]
);

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, user: &str) -> bool {
        pattern.parse::<UserPattern>().unwrap().matches(&user.parse().unwrap())
    }

    #[test]
    fn a_pattern_means_whole_names_whatever_their_case() {
        assert!(matches("break-glass", "Break-Glass"));
        assert!(!matches("break-glass", "break-glass-2"));
        assert!(matches("Break-*", "break-glass-2"));
        assert!(matches("*", "x"));
        assert!(matches("*-admin-?", "eu-admin-7"));
        assert!(!matches("*-admin-?", "eu-admin-77"));
        assert!(!matches("a.c", "abc"));
    }

    #[test]
    fn what_no_user_name_has_is_refused() {
        for text in ["", "a b", "a/b", "[ab]", "ü", &"x".repeat(65)] {
            assert!(text.parse::<UserPattern>().is_err(), "{text}");
        }
    }
}
