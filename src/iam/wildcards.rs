use wildmatch::WildMatch;

/// A pattern in which `*` matches any text, even none, and `?` matches one character. It matches whole texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wildcards {
    matcher: WildMatch,
    /// The text before the first wildcard. Comparing it first rejects most texts at little cost.
    prefix: Box<str>,
    is_literal: bool,
    is_case_insensitive: bool,
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
        let first = pattern.find(['*', '?']);
        let prefix = pattern[..first.unwrap_or(pattern.len())].into();
        Wildcards { matcher, prefix, is_literal: first.is_none(), is_case_insensitive }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let is_same = |a: &str, b: &str| match self.is_case_insensitive {
            true => a.eq_ignore_ascii_case(b),
            false => a == b,
        };
        match text.get(..self.prefix.len()) {
            _ if self.is_literal => is_same(text, &self.prefix),
            Some(start) if is_same(start, &self.prefix) => self.matcher.matches(text),
            _ => false,
        }
    }

    /// Whether every text that `other` matches is matched by this pattern. `false` can also mean that this is not known.
    pub(super) fn covers(&self, other: &Wildcards) -> bool {
        let pattern = other.matcher.pattern();
        // A `*` in this pattern also matches the wildcards of the other one. A `?` does not match `*`.
        self.matches(&pattern) && (!pattern.contains('*') || !self.matcher.pattern().contains('?'))
    }
}
