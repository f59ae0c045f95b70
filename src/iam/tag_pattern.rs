use std::fmt;
use std::str::FromStr;

use super::character;
use super::wildcards::Wildcards;

/// The key of a tag of an IAM user or role: 1 to 128 characters. Tag keys of IAM resources are case-insensitive
/// ([Tagging IAM resources](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html)).
#[derive(Debug, Clone)]
pub struct TagKey {
    text: Box<str>,
    folded: Box<str>,
}

/// A tag value, or a pattern in which `*` matches any text and `?` matches one character. The case of values matters.
/// The empty pattern matches only the empty value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPattern(Wildcards);

/// The reason why a text is not a valid [`TagKey`] or [`TagPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The key is empty.
    #[error("a tag key must not be empty")]
    Empty,
    /// The key is longer than 128 characters; the field is the number of characters.
    #[error("a tag key has at most 128 characters, not {0}")]
    LongKey(usize),
    /// The value is longer than 256 characters; the field is the number of characters.
    #[error("a tag value or pattern has at most 256 characters, not {0}")]
    LongValue(usize),
    /// It contains a character that no tag has.
    #[error("{} is not allowed in a tag; use letters, digits, spaces and _.:/=+-@", character(*.0))]
    BadCharacter(char),
}

/// Whether a tag of an IAM resource can contain `c`: `[\p{L}\p{Z}\p{N}_.:/=+\-@]`
/// ([Tag](https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html)).
fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric()
        || c == ' '
        || "_.:/=+-@".contains(c)
        || (!c.is_ascii() && c.is_whitespace())
}

impl TagKey {
    /// Whether `key` is this key, in any case.
    pub fn is(&self, key: &str) -> bool {
        match key.is_ascii() {
            true => self.folded.eq_ignore_ascii_case(key),
            false => key.to_lowercase() == *self.folded,
        }
    }
}

/// Keys that differ only in case are equal.
impl PartialEq for TagKey {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for TagKey {}

impl FromStr for TagKey {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(TagError::Empty);
        }
        if let Some(c) = text.chars().find(|&c| !is_tag_char(c)) {
            return Err(TagError::BadCharacter(c));
        }
        match text.chars().count() {
            ..=128 => Ok(TagKey { text: text.into(), folded: text.to_lowercase().into() }),
            length => Err(TagError::LongKey(length)),
        }
    }
}

impl fmt::Display for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl TagPattern {
    /// Whether the pattern matches the whole `value`.
    pub fn matches(&self, value: &str) -> bool {
        self.0.matches(value)
    }

    /// Whether the pattern matches every value that `other` matches. `false` can also mean that this is not known.
    pub fn covers(&self, other: &TagPattern) -> bool {
        self.0.covers(&other.0)
    }
}

impl FromStr for TagPattern {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |c: char| is_tag_char(c) || matches!(c, '*' | '?');
        if let Some(c) = text.chars().find(|&c| !is_allowed(c)) {
            return Err(TagError::BadCharacter(c));
        }
        match text.chars().count() {
            ..=256 => Ok(TagPattern(Wildcards::new(text))),
            length => Err(TagError::LongValue(length)),
        }
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_keys_ignore_case_and_values_do_not() {
        let key: TagKey = "Team".parse().unwrap();
        assert!(key.is("team") && key.is("TEAM") && !key.is("teams"));
        let key: TagKey = "Größe".parse().unwrap();
        assert!(key.is("grÖße") && !key.is("groesse"));
        let value: TagPattern = "pay*".parse().unwrap();
        assert!(value.matches("payments") && !value.matches("Payments"));
    }

    #[test]
    fn the_empty_pattern_matches_only_the_empty_value() {
        let empty: TagPattern = "".parse().unwrap();
        assert!(empty.matches("") && !empty.matches("a"));
        let any: TagPattern = "*".parse().unwrap();
        assert!(any.matches("") && any.matches("a"));
    }

    #[test]
    fn a_text_that_no_tag_has_is_rejected() {
        assert_eq!("".parse::<TagKey>(), Err(TagError::Empty));
        assert_eq!("a*".parse::<TagKey>(), Err(TagError::BadCharacter('*')));
        assert_eq!("a#".parse::<TagPattern>(), Err(TagError::BadCharacter('#')));
        assert_eq!("a\nb".parse::<TagPattern>(), Err(TagError::BadCharacter('\n')));
        assert_eq!("x".repeat(257).parse::<TagPattern>(), Err(TagError::LongValue(257)));
        assert_eq!("x".repeat(129).parse::<TagKey>(), Err(TagError::LongKey(129)));
    }
}
