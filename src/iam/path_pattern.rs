use std::fmt;
use std::str::FromStr;

use super::wildcards::Wildcards;
use super::{UnmodifiableRole, character};

/// The path of a user or role, or a pattern in which `*` matches any text, slashes too, and `?` matches one character.
///
/// A path is `/`, or it begins and ends with a slash. Its case matters
/// ([IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(Wildcards);

/// The reason why a text is not a valid [`PathPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathPatternError {
    /// It is empty.
    #[error("a path or pattern must not be empty")]
    Empty,
    /// It is longer than 512 characters; the field is the number of characters.
    #[error("a path or pattern has at most 512 characters, not {0}")]
    TooLong(usize),
    /// It contains a character that no path has.
    #[error("{} is not allowed in a path or pattern; use printable ASCII characters without spaces", character(*.0))]
    BadCharacter(char),
}

impl PathPattern {
    /// Whether the pattern matches the whole `path`.
    pub fn matches(&self, path: &str) -> bool {
        self.0.matches(path)
    }

    /// Whether the pattern matches every path that `other` matches. `false` can also mean that this is not known.
    pub fn covers(&self, other: &PathPattern) -> bool {
        self.0.covers(&other.0)
    }

    /// Why the pattern matches no path of a principal that can have a boundary: a clause whose subject is the pattern.
    pub fn never_matches(&self) -> Option<&'static str> {
        let text = self.0.as_str();
        if !text.starts_with(['/', '*', '?']) {
            return Some("does not begin with a slash, as every path does");
        }
        if !text.ends_with(['/', '*', '?']) {
            return Some("does not end with a slash, as every path does");
        }
        UnmodifiableRole::of_path(text)
            .map(|_| "matches only roles that AWS manages, which are never changed")
    }
}

impl FromStr for PathPattern {
    type Err = PathPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(PathPatternError::Empty);
        }
        if let Some(c) = text.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(PathPatternError::BadCharacter(c));
        }
        match text.len() {
            ..=512 => Ok(PathPattern(Wildcards::new(text))),
            length => Err(PathPatternError::TooLong(length)),
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

super::schema_as_text!(
    PathPattern,
    "Path or pattern",
    "The path of a user or role, which begins and ends with a slash, or a pattern: * matches any text, slashes too, and ? matches one character.",
    "^[!-~]{1,512}$",
    ["/contractors/*", "/engineering/"]
);

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_pattern_matches_whole_paths_and_case_matters() {
        assert!(pattern("/a/*").matches("/a/") && pattern("/a/*").matches("/a/b/c/"));
        assert!(!pattern("/a/*").matches("/A/") && !pattern("/a/").matches("/a/b/"));
        assert!(pattern("/").matches("/") && !pattern("/").matches("/a/"));
        assert_eq!("".parse::<PathPattern>(), Err(PathPatternError::Empty));
        assert_eq!("/a b/".parse::<PathPattern>(), Err(PathPatternError::BadCharacter(' ')));
    }

    #[test]
    fn a_pattern_that_no_path_matches_is_recognized() {
        for text in ["a/*", "/a", "/aws-service-role/*", "/aws-reserved/sso.amazonaws.com/"] {
            assert!(pattern(text).never_matches().is_some(), "{text}");
        }
        for text in ["/", "*", "/a/", "/a*", "*/a/", "?a/", "/aws*"] {
            assert_eq!(pattern(text).never_matches(), None, "{text}");
        }
    }
}
