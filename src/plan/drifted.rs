use crate::iam::{PolicyArn, PrincipalCounts, Printable};
use crate::inventory::ApiError;

/// A policy that is not as the files pin it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftedPolicy {
    /// The policy.
    pub policy: PolicyArn,
    /// The path of the pinned document.
    pub document: Printable,
    /// The numbers of principals in the scope of the plan that have the policy as their boundary.
    pub holders: PrincipalCounts,
    /// The difference from the pinned document to the policy; an error says why the policy could not be read.
    pub difference: Result<Vec<Printable>, ApiError>,
}
