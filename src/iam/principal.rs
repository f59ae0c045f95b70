use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PrincipalName;

/// An IAM identity that can have a permissions boundary.
///
/// Principals sort by kind, then by name. A user and a role can have the same name.
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
    /// An IAM role.
    Role,
}

impl Principal {
    /// The IAM user with this name.
    pub fn user(name: PrincipalName) -> Self {
        Principal { kind: PrincipalKind::User, name }
    }

    /// The IAM role with this name.
    pub fn role(name: PrincipalName) -> Self {
        Principal { kind: PrincipalKind::Role, name }
    }

    /// The principal with its name in lowercase. IAM names are case-insensitive, so no two principals
    /// of an account have equal folded forms.
    pub fn folded(&self) -> (PrincipalKind, String) {
        (self.kind, self.name.folded())
    }

    /// The principal in messages and reports: the name of a user, and `role/NAME` for a role, as at the end of
    /// its ARN. No name contains a slash.
    pub fn label(&self) -> Cow<'_, str> {
        match self.kind {
            PrincipalKind::User => Cow::Borrowed(self.name.as_str()),
            PrincipalKind::Role => Cow::Owned(format!("role/{}", self.name)),
        }
    }
}

impl PrincipalKind {
    /// All kinds, in their order.
    pub const ALL: [PrincipalKind; 2] = [PrincipalKind::User, PrincipalKind::Role];

    /// The word for one principal of this kind: `user`.
    pub fn noun(self) -> &'static str {
        match self {
            PrincipalKind::User => "user",
            PrincipalKind::Role => "role",
        }
    }

    /// The word for several: `users`. It is also the name of the table in a boundaries file.
    pub fn plural(self) -> &'static str {
        match self {
            PrincipalKind::User => "users",
            PrincipalKind::Role => "roles",
        }
    }
}

/// The [label](Principal::label).
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_role_with_the_same_name_differ_and_users_come_first() {
        let name: PrincipalName = "Deploy".parse().unwrap();
        let (user, role) = (Principal::user(name.clone()), Principal::role(name));
        assert!(user < role);
        assert_ne!(user.folded(), role.folded());
        assert_eq!((user.to_string(), role.to_string()), ("Deploy".into(), "role/Deploy".into()));
        let last_user = Principal::user("zed".parse().unwrap());
        assert!(last_user < role);
    }
}
