use crate::iam::{Printable, Timestamp};

/// What IAM reports about a principal besides its boundary: what rules select by, how severe it is if the principal has
/// no boundary, and when it was created.
///
/// The sources are `UserDetail` and `RoleDetail` of `GetAccountAuthorizationDetails`, and `User` and `Role` of `GetUser`
/// and `GetRole`, which show less
/// ([UserDetail](https://docs.aws.amazon.com/IAM/latest/APIReference/API_UserDetail.html),
/// [RoleDetail](https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleDetail.html),
/// [User](https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html),
/// [Role](https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html)).
///
/// Clones of a text share its memory: thousands of principals have the same few paths, groups and tags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// The path (`Path`), such as `/` or `/engineering/`. Each of the four responses has it. `None` only if the
    /// inventory was not made from a response.
    pub path: Option<Printable>,
    /// The tags (`Tags`), in the order of the response. Each of the four responses has them; a response without `Tags`
    /// means that there are none. No two keys are equal, and none differ only in case.
    pub tags: Vec<Tag>,
    /// The names of the groups of a user (`GroupList` of `UserDetail`). Empty for a role, which is never in a group.
    /// `None` if the response does not show them: `User` has no groups.
    pub groups: Option<Vec<Printable>>,
    /// Whether one of the AWS managed policies [`ADMINISTRATIVE_POLICIES`] is attached directly, and not by a group
    /// (`AttachedManagedPolicies` of `UserDetail` and `RoleDetail`). `None` if the response does not show it: `User` and
    /// `Role` have no policies.
    pub is_administrator: Option<bool>,
    /// When the principal was created (`CreateDate`). Each of the four responses has it. `None` if the inventory was not
    /// made from a response, or the time is not valid.
    pub created: Option<Timestamp>,
}

/// A tag of a principal ([Tag](https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The key in its original case. IAM does not distinguish keys by case.
    pub key: Printable,
    /// The value, in its original case, which matters. It can be empty.
    pub value: Printable,
}

/// The names of the AWS managed policies that make a principal an administrator. Their path is `/`.
/// `AdministratorAccess` allows every action, and `IAMFullAccess` allows every action of IAM, also attaching the other one
/// ([AdministratorAccess](https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html),
/// [IAMFullAccess](https://docs.aws.amazon.com/aws-managed-policy/latest/reference/IAMFullAccess.html)).
pub const ADMINISTRATIVE_POLICIES: [&str; 2] = ["AdministratorAccess", "IAMFullAccess"];

impl Attributes {
    /// These attributes, and what only an `earlier` response about the same principal shows.
    #[must_use]
    pub(super) fn or_from(self, earlier: Attributes) -> Attributes {
        Attributes {
            path: self.path.or(earlier.path),
            tags: self.tags,
            groups: self.groups.or(earlier.groups),
            is_administrator: self.is_administrator.or(earlier.is_administrator),
            created: self.created.or(earlier.created),
        }
    }
}
