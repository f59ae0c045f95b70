use std::fmt;
use std::str::FromStr;

use super::wildcards::Wildcards;
use super::{NAME_CHAR_PATTERN, PrincipalName, character, is_name_char};

/// The name of a user or role, or a pattern in which `*` matches any text and `?` matches one character.
///
/// A pattern ignores case, as IAM does when it compares names. For example, `Break-Glass` also
/// matches `break-glass`.
#[derive(Clone, PartialEq, Eq)]
pub struct NamePattern(Wildcards);

/// The reason why a text is not a valid [`NamePattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamePatternError {
    /// It is empty.
    #[error("a name or pattern must not be empty")]
    Empty,
    /// It is longer than 64 characters; the field is the number of characters.
    #[error("a name or pattern has at most 64 characters, not {0}")]
    TooLong(usize),
    /// It contains a character that is neither allowed in a name nor a wildcard.
    #[error(
        "{} is not allowed in a name or pattern; use ASCII letters, digits, _+=,.@-, * and ?",
        character(*.0)
    )]
    BadCharacter(char),
}

impl NamePattern {
    /// Whether the pattern matches the whole `name`.
    pub fn matches(&self, name: &PrincipalName) -> bool {
        self.0.matches(name.as_str())
    }

    /// Whether the pattern matches every name that `other` matches. `false` can also mean that this is not known.
    pub fn covers(&self, other: &NamePattern) -> bool {
        self.0.covers(&other.0)
    }

    fn of(text: &str) -> Self {
        NamePattern(Wildcards::ignoring_case(text))
    }
}

impl From<&PrincipalName> for NamePattern {
    fn from(name: &PrincipalName) -> Self {
        NamePattern::of(name.as_str())
    }
}

impl FromStr for NamePattern {
    type Err = NamePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(NamePatternError::Empty);
        }
        let is_allowed = |c: char| is_name_char(c) || matches!(c, '*' | '?');
        if let Some(c) = text.chars().find(|&c| !is_allowed(c)) {
            return Err(NamePatternError::BadCharacter(c));
        }
        match text.len() {
            ..=64 => Ok(NamePattern::of(text)),
            length => Err(NamePatternError::TooLong(length)),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamePattern({})", self.0)
    }
}

super::serde_as_text!(NamePattern);
super::schema_as_text!(
    NamePattern,
    "Name or pattern",
    "The name of an IAM user or role, or a pattern: * matches any text and ? matches one character.",
    format!("^({NAME_CHAR_PATTERN}|[*?]){{1,64}}$"),
    ["break-glass", "emergency-*"]
);

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        pattern.parse::<NamePattern>().unwrap().matches(&name.parse().unwrap())
    }

    #[test]
    fn a_pattern_matches_whole_names_and_ignores_case() {
        assert!(matches("break-glass", "Break-Glass"));
        assert!(!matches("break-glass", "break-glass-2"));
        assert!(matches("Break-*", "break-glass-2"));
        assert!(matches("*", "x"));
        assert!(matches("*-admin-?", "eu-admin-7"));
        assert!(!matches("*-admin-?", "eu-admin-77"));
        assert!(!matches("a.c", "abc"));
        assert!(
            matches("*-Ci-*", "a-cI-b") && matches("*-ci-*", "-ci-") && !matches("*-ci-*", "a-ci")
        );
        assert!(matches("a*b*c", "aXBYc") && matches("a*b*b", "abb") && !matches("a*b*b", "ab"));
        assert!(matches("*a*", "a") && !matches("*ab*", "a") && matches("*a*?*", "ba-"));
        assert!(matches("svc-*", "svc-") && matches("**", "x") && !matches("svc-?", "svc-"));
    }

    #[test]
    fn a_pattern_covers_another_one_only_if_it_matches_all_of_its_names() {
        let covers = |pattern: &str, other: &str| {
            let [pattern, other] = [pattern, other].map(|it| it.parse::<NamePattern>().unwrap());
            pattern.covers(&other)
        };
        for (pattern, other) in [
            ("*", "*"),
            ("svc-*", "SVC-a"),
            ("svc-*", "svc-a*"),
            ("svc-*", "svc-*"),
            ("a?", "a?"),
            ("a?", "ab"),
            ("*", "?"),
        ] {
            assert!(covers(pattern, other), "{pattern} {other}");
        }
        for (pattern, other) in [
            ("svc-a*", "svc-*"),
            ("a", "a*"),
            ("a?", "a*"),
            ("?*", "*"),
            ("a", "b"),
            ("a*b", "a*"),
            ("a?", "a"),
        ] {
            assert!(!covers(pattern, other), "{pattern} {other}");
        }
    }

    #[test]
    fn a_pattern_that_can_match_no_name_is_rejected() {
        for text in ["", "a b", "a/b", "[ab]", "ü", &"x".repeat(65)] {
            assert!(text.parse::<NamePattern>().is_err(), "{text}");
        }
    }
}
