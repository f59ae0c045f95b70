use super::account::Account;
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

/// Executes an action. The second value is true if the account may have changed.
pub(super) fn call(
    account: &mut Account,
    request: &Request,
    behavior: Behavior,
) -> (ActionResult, bool) {
    let reads = |result| (result, false);
    let writes = |result| (result, true);
    match request.action.as_str() {
        "GetUser" => reads(entities::get(PrincipalKind::User, account, request)),
        "GetRole" => reads(entities::get(PrincipalKind::Role, account, request)),
        "ListUsers" => reads(entities::list(PrincipalKind::User, account, request, behavior)),
        "ListRoles" => reads(entities::list(PrincipalKind::Role, account, request, behavior)),
        "GetAccountAuthorizationDetails" => reads(account_details::get(account, request, behavior)),
        // Jobs are not in the state file.
        "GenerateServiceLastAccessedDetails" => {
            reads(last_accessed::generate(account, request, behavior))
        }
        "GetServiceLastAccessedDetails" => reads(last_accessed::get(account, request, behavior)),
        "ListAccountAliases" => reads(Ok(Some(account_aliases(account)))),
        "GetAccountSummary" => reads(Ok(Some(account_summary(account)))),
        "GetPolicy" => reads(policies::get(account, request)),
        "GetPolicyVersion" => reads(policies::get_version(account, request)),
        "ListPolicyVersions" => reads(policies::list_versions(account, request, behavior)),
        "CreateUser" => writes(entities::create(PrincipalKind::User, account, request)),
        "CreateRole" => writes(entities::create(PrincipalKind::Role, account, request)),
        "DeleteUser" => writes(entities::delete(PrincipalKind::User, account, request)),
        "DeleteRole" => writes(entities::delete(PrincipalKind::Role, account, request)),
        "CreatePolicy" => writes(policies::create(account, request)),
        "DeletePolicy" => writes(policies::delete(account, request)),
        "CreatePolicyVersion" => writes(policies::create_version(account, request)),
        "SetDefaultPolicyVersion" => writes(policies::set_default_version(account, request)),
        "DeletePolicyVersion" => writes(policies::delete_version(account, request)),
        "TagUser" => writes(attributes::tag(PrincipalKind::User, account, request)),
        "TagRole" => writes(attributes::tag(PrincipalKind::Role, account, request)),
        "UntagUser" => writes(attributes::untag(PrincipalKind::User, account, request)),
        "UntagRole" => writes(attributes::untag(PrincipalKind::Role, account, request)),
        "GetUserPolicy" => reads(identity_policies::get(USER, account, request)),
        "ListUserPolicies" => reads(identity_policies::list(USER, account, request, behavior)),
        "ListAttachedUserPolicies" => {
            reads(identity_policies::list_attached(USER, account, request, behavior))
        }
        "PutUserPolicy" => writes(identity_policies::put(USER, account, request)),
        "DeleteUserPolicy" => writes(identity_policies::delete(USER, account, request)),
        "AttachUserPolicy" => writes(identity_policies::attach(USER, account, request)),
        "DetachUserPolicy" => writes(identity_policies::detach(USER, account, request)),
        "GetRolePolicy" => reads(identity_policies::get(ROLE, account, request)),
        "ListRolePolicies" => reads(identity_policies::list(ROLE, account, request, behavior)),
        "ListAttachedRolePolicies" => {
            reads(identity_policies::list_attached(ROLE, account, request, behavior))
        }
        "PutRolePolicy" => writes(identity_policies::put(ROLE, account, request)),
        "DeleteRolePolicy" => writes(identity_policies::delete(ROLE, account, request)),
        "AttachRolePolicy" => writes(identity_policies::attach(ROLE, account, request)),
        "DetachRolePolicy" => writes(identity_policies::detach(ROLE, account, request)),
        "GetGroupPolicy" => reads(identity_policies::get(GROUP, account, request)),
        "ListGroupPolicies" => reads(identity_policies::list(GROUP, account, request, behavior)),
        "ListAttachedGroupPolicies" => {
            reads(identity_policies::list_attached(GROUP, account, request, behavior))
        }
        "PutGroupPolicy" => writes(identity_policies::put(GROUP, account, request)),
        "DeleteGroupPolicy" => writes(identity_policies::delete(GROUP, account, request)),
        "AttachGroupPolicy" => writes(identity_policies::attach(GROUP, account, request)),
        "DetachGroupPolicy" => writes(identity_policies::detach(GROUP, account, request)),
        "CreateGroup" => writes(groups::create(account, request)),
        "AddUserToGroup" => writes(groups::add_user(account, request)),
        "PutUserPermissionsBoundary" => {
            writes(entities::put_boundary(PrincipalKind::User, account, request, behavior))
        }
        "PutRolePermissionsBoundary" => {
            writes(entities::put_boundary(PrincipalKind::Role, account, request, behavior))
        }
        "DeleteUserPermissionsBoundary" => {
            writes(entities::delete_boundary(PrincipalKind::User, account, request, behavior))
        }
        "DeleteRolePermissionsBoundary" => {
            writes(entities::delete_boundary(PrincipalKind::Role, account, request, behavior))
        }
        other => reads(Err(ErrorResponse::new(
            400,
            "InvalidAction",
            format!("Could not find operation {other} for version 2010-05-08"),
        ))),
    }
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
