use super::account::Account;
use super::checks::{ActionResult, CREATED, checked_path, invalid};
use super::page::{Behavior, page};
use super::request::{ErrorResponse, Request};
use super::xml::{Xml, element, members, text};
use super::{attributes, entities, groups, managed, unique_id};
use crate::iam::{PrincipalKind, is_name_char};

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
        "GetAccountAuthorizationDetails" => reads(account_details(account, request, behavior)),
        "ListAccountAliases" => reads(Ok(Some(account_aliases(account)))),
        "GetAccountSummary" => reads(Ok(Some(account_summary(account)))),
        "GetPolicy" => reads(get_policy(account, request)),
        "CreateUser" => writes(entities::create(PrincipalKind::User, account, request)),
        "CreateRole" => writes(entities::create(PrincipalKind::Role, account, request)),
        "DeleteUser" => writes(entities::delete(PrincipalKind::User, account, request)),
        "DeleteRole" => writes(entities::delete(PrincipalKind::Role, account, request)),
        "CreatePolicy" => writes(create_policy(account, request)),
        "DeletePolicy" => writes(delete_policy(account, request)),
        "TagUser" => writes(attributes::tag(PrincipalKind::User, account, request)),
        "TagRole" => writes(attributes::tag(PrincipalKind::Role, account, request)),
        "UntagUser" => writes(attributes::untag(PrincipalKind::User, account, request)),
        "UntagRole" => writes(attributes::untag(PrincipalKind::Role, account, request)),
        "AttachUserPolicy" => writes(attributes::attach(PrincipalKind::User, account, request)),
        "AttachRolePolicy" => writes(attributes::attach(PrincipalKind::Role, account, request)),
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

fn account_details(account: &Account, request: &Request, behavior: Behavior) -> ActionResult {
    let filter = request.list("Filter", "");
    let wants = |kind: &str| filter.is_empty() || filter.contains(&kind);
    let page = page(account, request, behavior, |(_, kind), _| match kind {
        PrincipalKind::User => wants("User"),
        PrincipalKind::Role => wants("Role"),
    })?;
    let of_kind = |kind| {
        let entities = page.entities.iter().filter(move |((_, it), _)| *it == kind);
        entities.map(|(key, entity)| entities::detail(account, request, key, entity, behavior))
    };
    let mut result = vec![members("UserDetailList", of_kind(PrincipalKind::User))];
    let groups = account.groups().iter().filter(|_| wants("Group"));
    let groups = groups.map(|(name, path)| groups::detail(request, name, path));
    result.push(members("GroupDetailList", groups));
    result.push(members("RoleDetailList", of_kind(PrincipalKind::Role)));
    let policies = account.policies().filter(|_| wants("LocalManagedPolicy"));
    result.push(members(
        "Policies",
        policies.map(|(arn, policy)| policy_fields(account, arn, &policy.path, &policy.name)),
    ));
    result.extend(page.pagination());
    Ok(Some(result))
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

fn get_policy(account: &Account, request: &Request) -> ActionResult {
    let arn = request.required("PolicyArn")?;
    let fields = if let Some(policy) = account.policy(arn) {
        policy_fields(account, arn, &policy.path, &policy.name)
    } else if let Some(managed) = managed::find(request.partition, arn) {
        policy_fields(account, arn, managed.path, managed.name)
    } else {
        return Err(no_such_policy(arn));
    };
    Ok(Some(vec![element("Policy", fields)]))
}

fn create_policy(account: &mut Account, request: &Request) -> ActionResult {
    let name = request.required("PolicyName")?;
    if name.is_empty() || name.len() > 128 || !name.chars().all(is_name_char) {
        return Err(invalid("policyName"));
    }
    let path = checked_path(request)?;
    let document = request.required("PolicyDocument")?;
    if serde_json::from_str::<serde_json::Value>(document).is_err() {
        let message = "Syntax errors in policy.";
        return Err(ErrorResponse::new(400, "MalformedPolicyDocument", message));
    }
    let (partition, owner) = (request.partition, &request.account);
    let arn = format!("arn:{partition}:iam::{owner}:policy{path}{name}");
    if account.policies().any(|(_, policy)| policy.name.eq_ignore_ascii_case(name)) {
        let message =
            format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(ErrorResponse::new(409, "EntityAlreadyExists", message));
    }
    account.put_policy(&arn, path, name);
    Ok(Some(vec![element("Policy", policy_fields(account, &arn, path, name))]))
}

fn delete_policy(account: &mut Account, request: &Request) -> ActionResult {
    let arn = request.required("PolicyArn")?;
    if account.policy(arn).is_none() {
        return Err(no_such_policy(arn));
    }
    if account.attachment_count(arn) > 0 {
        let message = "Cannot delete a policy attached to entities.";
        return Err(ErrorResponse::new(409, "DeleteConflict", message));
    }
    if account.boundary_count(arn) > 0 {
        let message = "Cannot delete a policy that is a permissions boundary of an entity.";
        return Err(ErrorResponse::new(409, "DeleteConflict", message));
    }
    account.remove_policy(arn);
    Ok(None)
}

fn no_such_policy(arn: &str) -> ErrorResponse {
    ErrorResponse::new(404, "NoSuchEntity", format!("Policy {arn} was not found."))
}

fn policy_fields(account: &Account, arn: &str, path: &str, name: &str) -> Vec<Xml> {
    vec![
        text("PolicyName", name),
        text("PolicyId", unique_id::of_policy(arn)),
        text("Arn", arn),
        text("Path", path),
        text("DefaultVersionId", "v1"),
        text("AttachmentCount", account.attachment_count(arn)),
        text("PermissionsBoundaryUsageCount", account.boundary_count(arn)),
        // Also true for the policies of service-linked roles, which can be attached to those roles.
        text("IsAttachable", true),
        text("CreateDate", CREATED),
        text("UpdateDate", CREATED),
    ]
}
