use std::fmt;
use std::str::FromStr;

use super::wildcards::Wildcards;
use super::{NAME_CHAR_PATTERN, character, is_name_char};

/// The name of an IAM group, or a pattern in which `*` matches any text and `?` matches one character.
///
/// A pattern ignores case: group names are not distinguished by case
/// ([CreateGroup](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPattern(Wildcards);

/// The reason why a text is not a valid [`GroupPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupPatternError {
    /// It is empty.
    #[error("a group name or pattern must not be empty")]
    Empty,
    /// It is longer than 128 characters; the field is the number of characters.
    #[error("a group name or pattern has at most 128 characters, not {0}")]
    TooLong(usize),
    /// It contains a character that is neither allowed in a name nor a wildcard.
    #[error(
        "{} is not allowed in a group name or pattern; use ASCII letters, digits, _+=,.@-, * and ?",
        character(*.0)
    )]
    BadCharacter(char),
}

impl GroupPattern {
    /// Whether the pattern matches the whole `group`.
    pub fn matches(&self, group: &str) -> bool {
        self.0.matches(group)
    }

    /// Whether the pattern matches every group that `other` matches. `false` can also mean that this is not known.
    pub fn covers(&self, other: &GroupPattern) -> bool {
        self.0.covers(&other.0)
    }
}

impl FromStr for GroupPattern {
    type Err = GroupPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(GroupPatternError::Empty);
        }
        let is_allowed = |c: char| is_name_char(c) || matches!(c, '*' | '?');
        if let Some(c) = text.chars().find(|&c| !is_allowed(c)) {
            return Err(GroupPatternError::BadCharacter(c));
        }
        match text.len() {
            ..=128 => Ok(GroupPattern(Wildcards::ignoring_case(text))),
            length => Err(GroupPatternError::TooLong(length)),
        }
    }
}

impl fmt::Display for GroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

super::schema_as_text!(
    GroupPattern,
    "Group name or pattern",
    "The name of an IAM group, or a pattern: * matches any text and ? matches one character. Case is ignored.",
    format!("^({NAME_CHAR_PATTERN}|[*?]){{1,128}}$"),
    ["Contractors", "team-*"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_pattern_ignores_case_and_matches_whole_names() {
        let pattern: GroupPattern = "Team-*".parse().unwrap();
        assert!(
            pattern.matches("team-a") && pattern.matches("TEAM-") && !pattern.matches("a-team-")
        );
        assert_eq!("".parse::<GroupPattern>(), Err(GroupPatternError::Empty));
        assert_eq!("a/b".parse::<GroupPattern>(), Err(GroupPatternError::BadCharacter('/')));
        assert_eq!("x".repeat(129).parse::<GroupPattern>(), Err(GroupPatternError::TooLong(129)));
    }
}
