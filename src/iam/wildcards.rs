use std::fmt;

use wildmatch::WildMatch;

/// A pattern in which `*` matches any text, even none, and `?` matches one character. It matches whole texts.
#[derive(Debug, Clone)]
pub(super) struct Wildcards {
    text: Box<str>,
    matcher: WildMatch,
    /// The texts before the first wildcard and after the last one. Comparing them first rejects most texts at little
    /// cost.
    prefix: Box<str>,
    suffix: Box<str>,
    shape: Shape,
    is_case_insensitive: bool,
}

/// What has to be compared besides the prefix and the suffix.
#[derive(Debug, Clone)]
enum Shape {
    /// There is no wildcard: the prefix is the whole pattern.
    Literal,
    /// The only wildcard is one `*`: nothing but the length.
    OneStar,
    /// The only wildcards are two `*`: the text between the prefix and the suffix contains this one, which is not empty.
    TwoStars(Box<str>),
    /// The whole pattern.
    Other,
}

impl Wildcards {
    /// A pattern for texts whose case matters.
    pub(super) fn new(pattern: &str) -> Self {
        Self::of(pattern, WildMatch::new(pattern), false)
    }

    /// A pattern that ignores the case of ASCII texts.
    pub(super) fn ignoring_case(pattern: &str) -> Self {
        Self::of(pattern, WildMatch::new_case_insensitive(pattern), true)
    }

    fn of(pattern: &str, matcher: WildMatch, is_case_insensitive: bool) -> Self {
        let wildcard = ['*', '?'];
        let (prefix, suffix, shape) = match (pattern.find(wildcard), pattern.rfind(wildcard)) {
            (Some(first), Some(last)) => {
                // Both wildcards have one byte.
                (&pattern[..first], &pattern[last + 1..], Shape::of(&pattern[first..=last]))
            }
            _ => (pattern, "", Shape::Literal),
        };
        let (text, prefix, suffix) = (pattern.into(), prefix.into(), suffix.into());
        Wildcards { text, matcher, prefix, suffix, shape, is_case_insensitive }
    }

    /// The text of the pattern.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The text before the first wildcard: every matching text starts with it.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let is_same = |a: &str, b: &str| match self.is_case_insensitive {
            true => a.eq_ignore_ascii_case(b),
            false => a == b,
        };
        if matches!(self.shape, Shape::Literal) {
            return is_same(text, &self.prefix);
        }
        let Some(middle) = text.len().checked_sub(self.prefix.len() + self.suffix.len()) else {
            return false;
        };
        let start = text.get(..self.prefix.len());
        let end = text.get(self.prefix.len() + middle..);
        let is_near = start.is_some_and(|start| is_same(start, &self.prefix))
            && end.is_some_and(|end| is_same(end, &self.suffix));
        is_near
            && match &self.shape {
                Shape::Literal | Shape::OneStar => true,
                Shape::TwoStars(part) => {
                    let part = part.as_bytes();
                    // A window that is the same begins and ends with whole characters, as `part` does.
                    let middle = &text.as_bytes()[self.prefix.len()..][..middle];
                    middle.windows(part.len()).any(|window| match self.is_case_insensitive {
                        // The first byte rejects most windows at little cost.
                        true => {
                            window[0].eq_ignore_ascii_case(&part[0])
                                && window.eq_ignore_ascii_case(part)
                        }
                        false => window == part,
                    })
                }
                Shape::Other => self.matcher.matches(text),
            }
    }

    /// Whether every text that `other` matches is matched by this pattern. `false` can also mean that this is not known.
    pub(super) fn covers(&self, other: &Wildcards) -> bool {
        // A `*` in this pattern also matches the wildcards of the other one. A `?` does not match `*`.
        self.matches(&other.text) && (!other.text.contains('*') || !self.text.contains('?'))
    }
}

impl Shape {
    /// The shape of a pattern that has this text from its first wildcard to its last one.
    fn of(wildcards: &str) -> Shape {
        match wildcards.strip_prefix('*').map(|rest| (rest, rest.strip_suffix('*'))) {
            Some(("" | "*", _)) => Shape::OneStar,
            Some((_, Some(part))) if !part.contains(['*', '?']) => Shape::TwoStars(part.into()),
            _ => Shape::Other,
        }
    }
}

/// Patterns are equal if their texts are.
impl PartialEq for Wildcards {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Wildcards {}

impl fmt::Display for Wildcards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
