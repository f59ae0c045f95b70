use std::cmp::Reverse;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::Change;
use crate::iam::{Principal, PrincipalKind, PrincipalName, Printable, Timestamp};
use crate::impact::{Actions, Comparison};
use crate::inventory::{LastUsed, UsedService};

/// What principals used, and a plan would take from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedPermissions {
    /// The number of days for which a use counts.
    pub days: u32,
    /// The permissions, those first that would certainly be denied.
    pub taken: Vec<UsedPermission>,
    /// The principals of which it is not known what they used, and why.
    pub unknown: Vec<(Principal, Printable)>,
}

/// A permission that a principal used, and that the change of its boundary takes or limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct UsedPermission {
    /// What the principal is.
    pub kind: PrincipalKind,
    /// The name of the principal.
    pub name: PrincipalName,
    /// The action, such as s3:PutObject, or the service, such as s3, if IAM does not report its actions.
    #[schemars(with = "String")]
    pub permission: Printable,
    /// When the principal last used it: an RFC 3339 time in UTC.
    #[schemars(with = "String")]
    pub last_used: Timestamp,
    /// The number of whole days from then to the plan.
    pub days_ago: u32,
    /// What the change does to it.
    pub result: UsedResult,
}

/// What a change does to a used permission.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum UsedResult {
    /// The action, or every action of the service, would be denied.
    Denied,
    /// The action would be allowed only on some resources or under some conditions.
    Limited,
    /// Some actions of the service would be denied or limited. IAM does not report which of them were used.
    PartlyDenied,
}

impl UsedPermissions {
    /// No use.
    pub(super) fn none(days: u32) -> Self {
        UsedPermissions { days, taken: Vec::new(), unknown: Vec::new() }
    }

    /// Adds what the principal of `change` used in the time before `now`, and the change takes or limits.
    pub(super) fn add(
        &mut self,
        change: &Change,
        (comparison, actions): (&Comparison, &Actions),
        last_used: &LastUsed,
        now: Timestamp,
    ) {
        let principal = &change.principal;
        let services = match last_used.get(principal) {
            Some(Ok(services)) => services,
            Some(Err(error)) => {
                let why = error.without_request_id().to_string();
                self.unknown.push((principal.clone(), why.into()));
                return;
            }
            None => {
                let why = "its last accessed report was not read";
                self.unknown.push((principal.clone(), why.into()));
                return;
            }
        };
        for service in services {
            for (permission, last_used, result) in lost(service, comparison, actions) {
                let days_ago = now.days_since(last_used);
                if days_ago < self.days {
                    let (kind, name) = (principal.kind, principal.name.clone());
                    self.taken.push(UsedPermission {
                        kind,
                        name,
                        permission,
                        last_used,
                        days_ago,
                        result,
                    });
                }
            }
        }
    }

    /// Sorts the permissions: those first that would certainly be denied, and of these, those that were used last.
    pub(super) fn sort(&mut self) {
        self.taken.sort_by_cached_key(|it| {
            let UsedPermission { kind, name, permission, last_used, result, .. } = it;
            (*result, Reverse(*last_used), *kind, name.clone(), permission.clone())
        });
    }
}

impl UsedPermission {
    /// The principal.
    pub fn principal(&self) -> Principal {
        Principal { kind: self.kind, name: self.name.clone() }
    }
}

/// The permissions of a used service that are lost, and when they were last used.
fn lost(
    service: &UsedService,
    comparison: &Comparison,
    actions: &Actions,
) -> Vec<(Printable, Timestamp, UsedResult)> {
    let losses = comparison.losses();
    let of_service = actions.of_service(&service.namespace);
    let mut lost = Vec::new();
    let mut is_explained = false;
    for (name, time) in &service.actions {
        is_explained |= *time >= service.last;
        let full_name = format!("{}:{name}", service.namespace);
        let is_named = |&&index: &&usize| actions.get(index).name.eq_ignore_ascii_case(&full_name);
        let Some(&index) = of_service.iter().find(is_named) else { continue };
        if losses.contains(index) {
            let result = match comparison.taken.contains(index) {
                true => UsedResult::Denied,
                false => UsedResult::Limited,
            };
            lost.push((Printable::exact(&full_name), *time, result));
        }
    }
    // The last use was of an action that IAM does not track: it can be any other one.
    let tracked: BTreeSet<String> =
        service.actions.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    let others = of_service
        .iter()
        .filter(|&&index| !tracked.contains(&actions.get(index).operation().to_ascii_lowercase()));
    let lost_others: Vec<usize> = others.copied().filter(|&index| losses.contains(index)).collect();
    if !is_explained && !lost_others.is_empty() {
        let keeps_some = of_service.iter().any(|&index| comparison.after.allowed.contains(index));
        let result = match keeps_some {
            true => UsedResult::PartlyDenied,
            false => UsedResult::Denied,
        };
        lost.push((service.namespace.clone(), service.last, result));
    }
    lost
}
