use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PrincipalName;

/// A role that AWS manages: every other attempt to change it fails with `UnmodifiableEntity`
/// ([PutRolePermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html)).
/// The path of a role never changes.
///
/// Source: [service-linked roles](https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html),
/// [permission sets](https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum UnmodifiableRole {
    /// A service-linked role: only its AWS service can change it. Its path begins with /aws-service-role/.
    ServiceLinked,
    /// A role that IAM Identity Center manages by a permission set. Its path begins with /aws-reserved/.
    IdentityCenter,
}

impl UnmodifiableRole {
    /// What makes the role with this path unmodifiable; `None` for a role that can be changed.
    pub fn of_path(path: &str) -> Option<Self> {
        match path {
            _ if path.starts_with("/aws-service-role/") => Some(UnmodifiableRole::ServiceLinked),
            _ if path.starts_with("/aws-reserved/") => Some(UnmodifiableRole::IdentityCenter),
            _ => None,
        }
    }

    /// What makes a role unmodifiable, if AWS gives names like this one only to such roles.
    pub fn of_name(name: &PrincipalName) -> Option<Self> {
        let name = name.as_str();
        match name {
            _ if name.starts_with("AWSServiceRoleFor") => Some(UnmodifiableRole::ServiceLinked),
            _ if name.starts_with("AWSReservedSSO_") => Some(UnmodifiableRole::IdentityCenter),
            _ => None,
        }
    }

    /// Why the role cannot be changed: a clause whose subject is the role.
    pub fn reason(self) -> &'static str {
        match self {
            UnmodifiableRole::ServiceLinked => {
                "is a service-linked role, which only its AWS service can change"
            }
            UnmodifiableRole::IdentityCenter => {
                "is a role of IAM Identity Center, which manages it by a permission set"
            }
        }
    }

    /// What to do about an entry of the role: an instruction without a period.
    pub fn help(self) -> &'static str {
        match self {
            UnmodifiableRole::ServiceLinked => "remove the entry",
            UnmodifiableRole::IdentityCenter => {
                "remove the entry, and set the permissions boundary in the permission set"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_paths_of_aws_make_a_role_unmodifiable() {
        let of = UnmodifiableRole::of_path;
        let service = "/aws-service-role/support.amazonaws.com/";
        let sso = "/aws-reserved/sso.amazonaws.com/eu-west-1/";
        assert_eq!(of(service), Some(UnmodifiableRole::ServiceLinked));
        assert_eq!(of(sso), Some(UnmodifiableRole::IdentityCenter));
        for path in ["/", "/service-role/", "/aws-reserved-not/", "/a/aws-reserved/"] {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn the_names_that_aws_gives_its_roles_are_recognized() {
        let of = |name: &str| UnmodifiableRole::of_name(&name.parse().unwrap());
        assert_eq!(of("AWSServiceRoleForSupport"), Some(UnmodifiableRole::ServiceLinked));
        assert_eq!(
            of("AWSReservedSSO_Admin_0123456789abcdef"),
            Some(UnmodifiableRole::IdentityCenter)
        );
        for name in ["AWSServiceRole", "my-AWSServiceRoleForX", "AWSReservedSSO", "deploy"] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
