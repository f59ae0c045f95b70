use super::ApiError;

/// What IAM reports about one managed policy
/// ([GetPolicy](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyState {
    /// The policy exists and can be set as a boundary: `IsAttachable` of
    /// [Policy](https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html) is true.
    Attachable,
    /// IAM has no such policy.
    NoSuchPolicy,
    /// The policy exists, but setting it as a boundary fails with `PolicyNotAttachable`: `IsAttachable` is
    /// false, or the policy is reserved for a service-linked role
    /// ([PutUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html)).
    /// IAM also reports `IsAttachable` for a policy of the latter kind, because it can be attached to that role.
    NotAttachable,
    /// The policy could not be read. If the caller is not allowed to read it, the class of the error is
    /// [`ErrorClass::Denied`](super::ErrorClass::Denied).
    Unreadable(ApiError),
}
