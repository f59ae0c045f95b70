use super::document::PolicyDocument;

/// The maximum size of a managed policy, in characters without white space
/// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
pub(super) const MANAGED_POLICY: usize = 6_144;
/// The maximum size of a trust policy, in characters, unless the quota is increased (the same page).
pub(super) const TRUST_POLICY: usize = 2_048;
/// The maximum size of a service control policy, in characters with white space
/// ([quotas](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html)).
pub(super) const SERVICE_CONTROL_POLICY: usize = 5_120;

/// What a policy does not list one by one, so that it fits the maximum size. Each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breadth {
    /// Nothing: the policy is as narrow as IAM allows.
    Exact,
    /// The accounts whose role is assumed.
    Accounts,
    /// The users and roles that get or lose boundaries.
    Principals,
    /// Also the policies that are read.
    ReadPolicies,
    /// Also the policies that are set as boundaries.
    Boundaries,
}

impl Breadth {
    const BROADER: [Breadth; 4] =
        [Breadth::Accounts, Breadth::Principals, Breadth::ReadPolicies, Breadth::Boundaries];

    /// What such a policy allows: a statement without a period.
    pub fn meaning(self) -> &'static str {
        match self {
            Breadth::Exact => "lists everything one by one",
            Breadth::Accounts => {
                "allows assuming the role in every account, not only in those of the fleet"
            }
            Breadth::Principals => {
                "allows changes of every user or role of a kind, not only of those in the files"
            }
            Breadth::ReadPolicies => "allows reading every policy, not only those in the files",
            Breadth::Boundaries => {
                "allows setting every policy of the same owner as a boundary, not only those in the files"
            }
        }
    }
}

/// A policy that fits the maximum size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// The policy.
    pub document: PolicyDocument,
    /// How it is broader than the files require, because it would be too long otherwise.
    pub broadened: Vec<Breadth>,
}

/// A policy is longer than AWS allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {what} has {size} characters, and AWS allows {max}")]
pub struct TooLong {
    /// The kind of policy.
    pub what: &'static str,
    /// Its size in characters.
    pub size: usize,
    /// The maximum size in characters.
    pub max: usize,
}

/// The narrowest of the policies that `make` makes, from `least` on, that fits a managed policy.
///
/// # Errors
/// If even the broadest one is too long.
pub(super) fn fitted(
    what: &'static str,
    least: Breadth,
    make: impl Fn(Breadth) -> PolicyDocument,
) -> Result<Fitted, TooLong> {
    let mut document = make(least);
    let mut broadened = Vec::new();
    for breadth in Breadth::BROADER.into_iter().filter(|it| *it > least) {
        if document.size() <= MANAGED_POLICY {
            break;
        }
        let broader = make(breadth);
        if broader.size() < document.size() {
            broadened.push(breadth);
            document = broader;
        }
    }
    checked(what, document.size(), MANAGED_POLICY)?;
    Ok(Fitted { document, broadened })
}

/// Checks the size of a policy.
///
/// # Errors
/// If it is longer than `max`.
pub(super) fn checked(what: &'static str, size: usize, max: usize) -> Result<(), TooLong> {
    if size <= max { Ok(()) } else { Err(TooLong { what, size, max }) }
}
