//! Which policies boundaries files name.

use std::collections::BTreeSet;

use super::place::Place;
use crate::config::{Config, Then};
use crate::iam::{PolicyRef, PrincipalKind};

/// The policies that these files can set as the boundary of a principal of this kind.
pub(super) fn settable(configs: &[&Config], kind: PrincipalKind) -> BTreeSet<PolicyRef> {
    let of = |config: &&Config| {
        let entries = config.entries_of(kind).values().flat_map(|entry| {
            let then = entry.expiration.as_ref().and_then(|expiration| match &expiration.then {
                Then::Boundary(boundary) => boundary.as_ref(),
                Then::Problem => None,
            });
            entry.boundary.iter().chain(then)
        });
        entries.chain(config.rules_of(kind).map(|rule| &rule.boundary)).cloned().collect::<Vec<_>>()
    };
    configs.iter().flat_map(of).collect()
}

/// The policies with a pinned document. A plan reads also those that it does not set.
pub(super) fn pinned(configs: &[&Config]) -> BTreeSet<PolicyRef> {
    let of = |config: &&Config| {
        let names = config.names.iter().filter(|(name, _)| config.names.pinned(name).is_some());
        names.map(|(_, policy)| policy.clone()).collect::<Vec<_>>()
    };
    configs.iter().flat_map(of).collect()
}

/// A condition on the boundary of a request, or of the principal that it is about: an operator and its values.
///
/// The User Guide compares `iam:PermissionsBoundary` with the operators for texts
/// ([permissions boundaries](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html)). For the
/// removal of a boundary, the key has the boundary that the principal has.
pub(super) fn condition(
    place: Place,
    policies: &BTreeSet<PolicyRef>,
    any: bool,
) -> (&'static str, BTreeSet<String>) {
    if any {
        return ("StringLike", policies.iter().map(|it| place.every_policy_like(it)).collect());
    }
    let exact: Option<BTreeSet<String>> =
        policies.iter().map(|policy| place.exact_policy(policy)).collect();
    match exact {
        Some(exact) => ("StringEquals", exact),
        None => ("StringLike", policies.iter().map(|policy| place.policy(policy)).collect()),
    }
}
