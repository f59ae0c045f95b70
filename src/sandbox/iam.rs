use super::account::Account;
use super::action::is_write;
use super::checks::ActionResult;
use super::identity_policies::{GROUP, ROLE, USER};
use super::page::Behavior;
use super::request::{ErrorResponse, Request};
use super::xml::{Xml, element, text};
use super::{
    account_details, attributes, entities, groups, identity_policies, last_accessed, policies,
};
use crate::iam::PrincipalKind;

pub(super) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Whether an action needs the content of the account for a write. A job of a last accessed report belongs to the
/// content, but is not in the state file.
pub(super) fn needs_own_content(action: &str) -> bool {
    is_write(action) || action == "GenerateServiceLastAccessedDetails"
}

/// Executes an action that needs no content for a write.
pub(super) fn read(account: &Account, request: &Request, behavior: Behavior) -> ActionResult {
    match request.action.as_str() {
        "GetUser" => entities::get(PrincipalKind::User, account, request),
        "GetRole" => entities::get(PrincipalKind::Role, account, request),
        "ListUsers" => entities::list(PrincipalKind::User, account, request, behavior),
        "ListRoles" => entities::list(PrincipalKind::Role, account, request, behavior),
        "GetAccountAuthorizationDetails" => account_details::get(account, request, behavior),
        "GetServiceLastAccessedDetails" => last_accessed::get(account, request, behavior),
        "ListAccountAliases" => Ok(Some(account_aliases(account))),
        "GetAccountSummary" => Ok(Some(account_summary(account))),
        "GetPolicy" => policies::get(account, request),
        "GetPolicyVersion" => policies::get_version(account, request),
        "ListPolicyVersions" => policies::list_versions(account, request, behavior),
        "GetUserPolicy" => identity_policies::get(USER, account, request),
        "ListUserPolicies" => identity_policies::list(USER, account, request, behavior),
        "ListAttachedUserPolicies" => {
            identity_policies::list_attached(USER, account, request, behavior)
        }
        "GetRolePolicy" => identity_policies::get(ROLE, account, request),
        "ListRolePolicies" => identity_policies::list(ROLE, account, request, behavior),
        "ListAttachedRolePolicies" => {
            identity_policies::list_attached(ROLE, account, request, behavior)
        }
        "GetGroupPolicy" => identity_policies::get(GROUP, account, request),
        "ListGroupPolicies" => identity_policies::list(GROUP, account, request, behavior),
        "ListAttachedGroupPolicies" => {
            identity_policies::list_attached(GROUP, account, request, behavior)
        }
        other => Err(unknown(other)),
    }
}

/// Executes an action of [`needs_own_content`].
pub(super) fn write(account: &mut Account, request: &Request, behavior: Behavior) -> ActionResult {
    match request.action.as_str() {
        "GenerateServiceLastAccessedDetails" => last_accessed::generate(account, request, behavior),
        "CreateUser" => entities::create(PrincipalKind::User, account, request),
        "CreateRole" => entities::create(PrincipalKind::Role, account, request),
        "DeleteUser" => entities::delete(PrincipalKind::User, account, request),
        "DeleteRole" => entities::delete(PrincipalKind::Role, account, request),
        "CreatePolicy" => policies::create(account, request),
        "DeletePolicy" => policies::delete(account, request),
        "CreatePolicyVersion" => policies::create_version(account, request),
        "SetDefaultPolicyVersion" => policies::set_default_version(account, request),
        "DeletePolicyVersion" => policies::delete_version(account, request),
        "TagUser" => attributes::tag(PrincipalKind::User, account, request),
        "TagRole" => attributes::tag(PrincipalKind::Role, account, request),
        "UntagUser" => attributes::untag(PrincipalKind::User, account, request),
        "UntagRole" => attributes::untag(PrincipalKind::Role, account, request),
        "PutUserPolicy" => identity_policies::put(USER, account, request),
        "DeleteUserPolicy" => identity_policies::delete(USER, account, request),
        "AttachUserPolicy" => identity_policies::attach(USER, account, request),
        "DetachUserPolicy" => identity_policies::detach(USER, account, request),
        "PutRolePolicy" => identity_policies::put(ROLE, account, request),
        "DeleteRolePolicy" => identity_policies::delete(ROLE, account, request),
        "AttachRolePolicy" => identity_policies::attach(ROLE, account, request),
        "DetachRolePolicy" => identity_policies::detach(ROLE, account, request),
        "PutGroupPolicy" => identity_policies::put(GROUP, account, request),
        "DeleteGroupPolicy" => identity_policies::delete(GROUP, account, request),
        "AttachGroupPolicy" => identity_policies::attach(GROUP, account, request),
        "DetachGroupPolicy" => identity_policies::detach(GROUP, account, request),
        "CreateGroup" => groups::create(account, request),
        "AddUserToGroup" => groups::add_user(account, request),
        "PutUserPermissionsBoundary" => {
            entities::put_boundary(PrincipalKind::User, account, request, behavior)
        }
        "PutRolePermissionsBoundary" => {
            entities::put_boundary(PrincipalKind::Role, account, request, behavior)
        }
        "DeleteUserPermissionsBoundary" => {
            entities::delete_boundary(PrincipalKind::User, account, request, behavior)
        }
        "DeleteRolePermissionsBoundary" => {
            entities::delete_boundary(PrincipalKind::Role, account, request, behavior)
        }
        other => Err(unknown(other)),
    }
}

fn unknown(action: &str) -> ErrorResponse {
    let message = format!("Could not find operation {action} for version 2010-05-08");
    ErrorResponse::new(400, "InvalidAction", message)
}

fn account_aliases(account: &Account) -> Vec<Xml> {
    let aliases = account.alias.iter().map(|alias| text("member", alias));
    vec![element("AccountAliases", aliases), text("IsTruncated", false)]
}

fn account_summary(account: &Account) -> Vec<Xml> {
    // The keys that the tool and its tests read; the quotas are AWS's defaults.
    let numbers = [
        ("Users", account.count_of(PrincipalKind::User)),
        ("UsersQuota", 5_000),
        ("Roles", account.count_of(PrincipalKind::Role)),
        ("RolesQuota", 1_000),
        ("Policies", account.policies().len()),
        ("PoliciesQuota", 1_500),
    ];
    let entry = |(key, value)| element("entry", [text("key", key), text("value", value)]);
    vec![element("SummaryMap", numbers.map(entry))]
}
