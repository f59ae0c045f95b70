use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PrincipalName;

/// An IAM identity that can have a permissions boundary.
///
/// Principals sort by kind, then by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// What the principal is.
    pub kind: PrincipalKind,
    /// The name, unique among the principals of this kind in an account.
    pub name: PrincipalName,
}

/// The kinds of principals that can have a permissions boundary
/// ([Permissions boundaries](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html)).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum PrincipalKind {
    /// An IAM user.
    User,
}

impl Principal {
    /// The IAM user with this name.
    pub fn user(name: PrincipalName) -> Self {
        Principal { kind: PrincipalKind::User, name }
    }

    /// The principal with its name in lowercase. IAM names are case-insensitive, so no two principals
    /// of an account have equal folded forms.
    pub fn folded(&self) -> (PrincipalKind, String) {
        (self.kind, self.name.folded())
    }
}

impl PrincipalKind {
    /// The word for one principal of this kind: `user`.
    pub fn noun(self) -> &'static str {
        match self {
            PrincipalKind::User => "user",
        }
    }
}

/// The name. Messages mention the kind in words.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}
