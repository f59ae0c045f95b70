use std::fmt;
use std::str::FromStr;

use super::wildcards::Wildcards;

/// A pattern of actions in a policy document: `*`, `s3:GetObject` or `s3:Get*`. `*` matches any text and `?` matches
/// one character. The case does not matter
/// ([Action](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionPattern {
    text: Box<str>,
    lower: Wildcards,
}

/// The error for a text that is not an [`ActionPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionPatternError {
    /// There is no service.
    #[error("an action is * or has a service and a colon, such as s3:GetObject")]
    NoService,
    /// A character that no action has.
    #[error("an action cannot contain {0:?}")]
    Character(char),
}

impl ActionPattern {
    /// The text as in the document.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern, whose text has the service in lower case.
    #[must_use]
    pub fn with_lower_service(mut self) -> Self {
        if let Some((service, action)) = self.text.split_once(':') {
            self.text = format!("{}:{action}", service.to_ascii_lowercase()).into();
        }
        self
    }

    /// The text in lower case.
    pub fn lower(&self) -> &str {
        self.lower.as_str()
    }

    /// The text before the first wildcard, in lower case: a matching action starts with it.
    pub fn prefix(&self) -> &str {
        self.lower.prefix()
    }

    /// Whether the pattern matches every action.
    pub fn is_universal(&self) -> bool {
        is_all_stars(self.lower()) || self.lower() == "*:*"
    }

    /// Whether the pattern is the name of one action.
    pub fn is_literal(&self) -> bool {
        self.prefix().len() == self.lower().len()
    }

    /// Whether the pattern matches this action, which is in lower case.
    pub fn matches(&self, lower: &str) -> bool {
        self.lower.matches(lower)
    }

    /// Whether every action that `other` matches is matched by this pattern. `false` can also mean that this is not known.
    pub fn covers(&self, other: &ActionPattern) -> bool {
        self.lower.covers(&other.lower)
    }

    /// Whether there can be an action that both patterns match.
    pub fn overlaps(&self, other: &ActionPattern) -> bool {
        let (a, b) = (self.prefix(), other.prefix());
        if !a.starts_with(b) && !b.starts_with(a) {
            return false;
        }
        match (self.is_literal(), other.is_literal()) {
            (true, _) => other.matches(self.lower()),
            (_, true) => self.matches(other.lower()),
            _ => overlap(self.lower().as_bytes(), other.lower().as_bytes()),
        }
    }
}

fn is_all_stars(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c == b'*')
}

/// Whether there is a text that both patterns match. `rest[i][j]` says it of `a` from `i` on and `b` from `j` on.
fn overlap(a: &[u8], b: &[u8]) -> bool {
    let mut rest = vec![vec![false; b.len() + 1]; a.len() + 1];
    for i in (0..=a.len()).rev() {
        for j in (0..=b.len()).rev() {
            rest[i][j] = match (a.get(i), b.get(j)) {
                (None, None) => true,
                // A star matches nothing, or what the other pattern begins with.
                (Some(b'*'), y) => rest[i + 1][j] || (y.is_some() && rest[i][j + 1]),
                (x, Some(b'*')) => rest[i][j + 1] || (x.is_some() && rest[i + 1][j]),
                (Some(x), Some(y)) => (x == y || [x, y].contains(&&b'?')) && rest[i + 1][j + 1],
                _ => false,
            };
        }
    }
    rest[0][0]
}

impl FromStr for ActionPattern {
    type Err = ActionPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '?' | ':' | '-' | '_' | '.');
        if let Some(c) = text.chars().find(|&c| !is_allowed(c)) {
            return Err(ActionPatternError::Character(c));
        }
        let has_service = text
            .split_once(':')
            .is_some_and(|(service, action)| !service.is_empty() && !action.is_empty());
        if !has_service && !is_all_stars(text) {
            return Err(ActionPatternError::NoService);
        }
        let lower = Wildcards::new(&text.to_ascii_lowercase());
        Ok(ActionPattern { text: text.into(), lower })
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> ActionPattern {
        text.parse().unwrap()
    }

    #[test]
    fn patterns_overlap_if_one_action_matches_both() {
        for (a, b, expected) in [
            ("s3:Get*", "s3:*Acl", true),
            ("s3:Get*", "s3:Put*", false),
            ("s3:Get?", "s3:Get", false),
            ("s3:Get?", "s3:Ge??", true),
            ("s3:G*t", "s3:*x*", true),
            ("s3:ab*cd", "s3:*bc*", true),
            ("s3:ab", "s3:*b*c", false),
            ("*", "s3:GetObject", true),
            ("s3:GETOBJECT", "s3:getobject", true),
            ("s3:a*b*c", "s3:a?c", true),
            ("s3:a*b*d", "s3:a?c", false),
            ("s3:a*b*c", "s3:a??c", true),
        ] {
            assert_eq!(pattern(a).overlaps(&pattern(b)), expected, "{a} and {b}");
            assert_eq!(pattern(b).overlaps(&pattern(a)), expected, "{b} and {a}");
        }
    }

    proptest::proptest! {
        #[test]
        fn overlap_is_what_trying_every_short_action_finds(
            a in "[ab*?]{0,4}", b in "[ab*?]{0,4}",
        ) {
            let (first, second) = (pattern(&format!("s:x{a}")), pattern(&format!("s:x{b}")));
            let mut texts = vec![String::new()];
            for length in 0..8 {
                let longest: Vec<String> =
                    texts.iter().filter(|text| text.len() == length).cloned().collect();
                texts.extend(longest.iter().flat_map(|text| [format!("{text}a"), format!("{text}b")]));
            }
            let both = texts.iter().any(|text| {
                let action = format!("s:x{text}");
                first.matches(&action) && second.matches(&action)
            });
            proptest::prop_assert_eq!(first.overlaps(&second), both);
        }
    }

    #[test]
    fn texts_that_are_not_actions_are_rejected() {
        for text in ["", "s3", "s3:", ":x", "s3:Get Object", "s3:Gét"] {
            assert!(text.parse::<ActionPattern>().is_err(), "{text}");
        }
        for text in ["*", "**", "*:*", "s3:*", "S3:get?bject", "states:x.y"] {
            assert!(text.parse::<ActionPattern>().is_ok(), "{text}");
        }
    }
}
