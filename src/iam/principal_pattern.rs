use std::fmt;
use std::str::FromStr;

use super::{NamePattern, NamePatternError, Principal, PrincipalKind, PrincipalName};

/// Users or roles whose names match a pattern: `user/alice`, `role/ci-*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalPattern {
    /// The kind of the principals.
    pub kind: PrincipalKind,
    /// The pattern of their names.
    pub name: NamePattern,
}

/// The reason why a text is not a valid [`PrincipalPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalPatternError {
    /// It does not begin with `user/` or `role/`; the field is the text.
    #[error("write user/{0} or role/{0}")]
    NoKind(String),
    /// It begins with another kind of resource.
    #[error("a pattern begins with user/ or role/")]
    OtherKind,
    /// The name is not valid.
    #[error(transparent)]
    Name(#[from] NamePatternError),
}

impl PrincipalPattern {
    /// Whether the pattern matches the principal.
    pub fn matches(&self, principal: &Principal) -> bool {
        self.kind == principal.kind && self.name.matches(&principal.name)
    }

    /// The principal, if the pattern has no wildcard.
    pub fn principal(&self) -> Option<Principal> {
        let name: PrincipalName = self.name.to_string().parse().ok()?;
        Some(Principal { kind: self.kind, name })
    }
}

impl From<&Principal> for PrincipalPattern {
    fn from(principal: &Principal) -> Self {
        PrincipalPattern { kind: principal.kind, name: NamePattern::from(&principal.name) }
    }
}

impl FromStr for PrincipalPattern {
    type Err = PrincipalPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((kind, name)) = text.split_once('/') else {
            text.parse::<NamePattern>()?;
            return Err(PrincipalPatternError::NoKind(text.to_owned()));
        };
        let kind = PrincipalKind::ALL.into_iter().find(|it| it.noun() == kind);
        let kind = kind.ok_or(PrincipalPatternError::OtherKind)?;
        Ok(PrincipalPattern { kind, name: name.parse()? })
    }
}

impl fmt::Display for PrincipalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.noun(), self.name)
    }
}

super::serde_as_text!(PrincipalPattern);
super::schema_as_text!(
    PrincipalPattern,
    "Pattern of users or roles",
    "user/NAME or role/NAME, in which * matches any text and ? matches one character.",
    format!("^(user|role)/({}|[*?]){{1,64}}$", super::NAME_CHAR_PATTERN),
    ["user/alice", "role/ci-*"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_for_one_kind() {
        let pattern: PrincipalPattern = "role/CI-*".parse().unwrap();
        let name: PrincipalName = "ci-deploy".parse().unwrap();
        assert!(pattern.matches(&Principal::role(name.clone())));
        assert!(!pattern.matches(&Principal::user(name)));
        assert_eq!((pattern.to_string().as_str(), pattern.principal()), ("role/CI-*", None));
        let one: PrincipalPattern = "user/alice".parse().unwrap();
        assert_eq!(one.principal(), Some(Principal::user("alice".parse().unwrap())));
    }

    #[test]
    fn a_text_without_kind_is_rejected_with_the_two_forms() {
        let error = |text: &str| text.parse::<PrincipalPattern>().unwrap_err().to_string();
        assert_eq!(error("alice"), "write user/alice or role/alice");
        assert_eq!(error("group/x"), "a pattern begins with user/ or role/");
        assert_eq!(error("user/"), "a name or pattern must not be empty");
    }
}
