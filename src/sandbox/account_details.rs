//! `GetAccountAuthorizationDetails`.

use std::cell::OnceCell;

use super::account::Account;
use super::checks::ActionResult;
use super::page::{Behavior, Item, page};
use super::policy_usage::{PolicyCounts, PolicyUsage};
use super::request::{ErrorResponse, Request};
use super::xml::{Xml, members};
use super::{entities, groups, policies};
use crate::iam::PrincipalKind;

const KINDS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];

/// The users, roles, groups and policies of the filter, or all of them
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>).
///
/// AWS's documentation does not say which AWS managed policies are listed. Accounts list those that are attached. The
/// sandbox leaves out those that are only boundaries, unless
/// [`Options::lists_boundary_policies`](super::Options::lists_boundary_policies) is set.
pub(super) fn get(account: &Account, request: &Request, behavior: Behavior) -> ActionResult {
    let filter = request.list("Filter", "");
    if let Some(other) = filter.iter().find(|kind| !KINDS.contains(kind)) {
        return Err(ErrorResponse::validation(format!(
            "1 validation error detected: Value '[{other}]' at 'filter' failed to satisfy constraint: Member must \
             satisfy constraint: [Member must satisfy enum value set: [{}]]",
            KINDS.join(", ")
        )));
    }
    let wants = |kind: &str| filter.is_empty() || filter.contains(&kind);
    let wanted = KINDS.map(wants);
    let [users, roles, groups, customer_policies, managed] = wanted;
    // Counting is slow in a large account, and most pages have no policies.
    let usage = OnceCell::new();
    let counts = |arn: &str| usage.get_or_init(|| PolicyUsage::of(account)).counts(arn);
    let is_listed = |PolicyCounts { attachments, boundaries }| {
        attachments > 0 || (behavior.lists_boundary_policies && boundaries > 0)
    };
    let page = page(account, request, behavior, |item| match item {
        Item::Entity((_, PrincipalKind::User), _) => users,
        Item::Entity((_, PrincipalKind::Role), _) => roles,
        Item::Group(..) => groups,
        Item::Policy(..) => customer_policies,
        Item::Managed(policy) => managed && is_listed(counts(&policy.arn(request.partition))),
    })?;
    let mut lists: [Vec<Vec<Xml>>; 4] = Default::default();
    let [user_details, group_details, role_details, policy_details] = &mut lists;
    for item in &page.items {
        match *item {
            Item::Entity(key, entity) => {
                let detail = entities::detail(account, request, key, entity, behavior);
                match key.1 {
                    PrincipalKind::User => user_details.push(detail),
                    PrincipalKind::Role => role_details.push(detail),
                }
            }
            Item::Group(name, group) => group_details.push(groups::detail(request, name, group)),
            Item::Policy(arn, policy) => {
                policy_details.push(policies::customer_detail(arn, policy, counts(arn)));
            }
            Item::Managed(policy) => {
                let arn = policy.arn(request.partition);
                policy_details.push(policies::managed_detail(&arn, policy, counts(&arn)));
            }
        }
    }
    let names = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
    let lists = names.into_iter().zip(lists);
    let mut result: Vec<Xml> = lists.map(|(name, list)| members(name, list)).collect();
    result.extend(page.pagination());
    Ok(Some(result))
}
