use std::time::{Duration, Instant};

use super::account::{Account, User};
use super::managed;
use super::request::{ErrorResponse, Request, marker_after};
use super::sts::CALLER;
use super::unique_id;
use super::xml::{Xml, element, members, text};
use crate::iam::{PolicyArn, PrincipalName, PrincipalNameError, is_name_char};

pub(super) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The result of an action; `None` for an action without a result.
type ActionResult = Result<Option<Vec<Xml>>, ErrorResponse>;

/// The creation date of all users and policies: constant, so that responses do not depend on the clock.
const CREATED: &str = "2026-11-24T00:00:00Z";

/// How the sandbox executes one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behavior {
    /// The maximum number of items on a page.
    pub(super) page_size: usize,
    /// The number of users after its marker at which a page begins; a negative number is before the marker.
    pub(super) shift: isize,
    /// The time until reads return a boundary that this call writes.
    pub(super) staleness: Duration,
    /// Whether account pages leave boundaries out.
    pub(super) omits_boundaries: bool,
}

/// Executes an action. The second value is true if the account may have changed.
pub(super) fn call(
    account: &mut Account,
    request: &Request,
    behavior: Behavior,
) -> (ActionResult, bool) {
    let reads = |result| (result, false);
    let writes = |result| (result, true);
    match request.action.as_str() {
        "GetUser" => reads(get_user(account, request)),
        "ListUsers" => reads(list_users(account, request, behavior)),
        "GetAccountAuthorizationDetails" => reads(account_details(account, request, behavior)),
        "ListAccountAliases" => reads(Ok(Some(account_aliases(account)))),
        "GetAccountSummary" => reads(Ok(Some(account_summary(account)))),
        "GetPolicy" => reads(get_policy(account, request)),
        "CreateUser" => writes(create_user(account, request)),
        "DeleteUser" => writes(delete_user(account, request)),
        "CreatePolicy" => writes(create_policy(account, request)),
        "DeletePolicy" => writes(delete_policy(account, request)),
        "PutUserPermissionsBoundary" => writes(put_boundary(account, request, behavior)),
        "DeleteUserPermissionsBoundary" => writes(delete_boundary(account, request, behavior)),
        other => reads(Err(ErrorResponse::new(
            400,
            "InvalidAction",
            format!("Could not find operation {other} for version 2010-05-08"),
        ))),
    }
}

fn get_user(account: &Account, request: &Request) -> ActionResult {
    let Some(name) = request.get("UserName") else {
        return Ok(Some(vec![whole_user(account, request, CALLER, &User::new("/", None))]));
    };
    checked_name(request)?;
    let user = account.user(name).ok_or_else(|| no_such_user(name))?;
    Ok(Some(vec![whole_user(account, request, name, user)]))
}

/// `ListUsers` returns neither boundaries nor tags
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>).
fn list_users(account: &Account, request: &Request, behavior: Behavior) -> ActionResult {
    let prefix = request.get("PathPrefix").unwrap_or("/");
    let page = page(account, request, behavior, |user| user.path.starts_with(prefix))?;
    let users = page.users.iter().map(|(name, user)| user_fields(account, request, name, user));
    let mut result = vec![members("Users", users)];
    result.extend(page.pagination());
    Ok(Some(result))
}

fn account_details(account: &Account, request: &Request, behavior: Behavior) -> ActionResult {
    let filter = request.list("Filter", "");
    let wants = |kind: &str| filter.is_empty() || filter.contains(&kind);
    let page = page(account, request, behavior, |_| wants("User"))?;
    let details = page.users.iter().map(|(name, user)| {
        let mut fields = user_fields(account, request, name, user);
        fields.push(element("GroupList", []));
        fields.push(element("AttachedManagedPolicies", []));
        fields.extend(boundary_field(user).filter(|_| !behavior.omits_boundaries));
        fields.push(tags_field(user));
        fields
    });
    let mut result = vec![members("UserDetailList", details)];
    result.push(element("GroupDetailList", []));
    result.push(element("RoleDetailList", []));
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
        ("Users", account.user_count()),
        ("UsersQuota", 5_000),
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

fn create_user(account: &mut Account, request: &Request) -> ActionResult {
    let name = checked_name(request)?;
    let path = checked_path(request)?;
    if account.has_user_ignoring_case(name) {
        let message = format!("User with name {name} already exists.");
        return Err(ErrorResponse::new(409, "EntityAlreadyExists", message));
    }
    let boundary = request.get("PermissionsBoundary");
    if let Some(arn) = boundary {
        check_boundary(account, request, arn)?;
    }
    account.put_user(name, path, boundary);
    let keys = request.list("Tags", ".Key").into_iter().map(str::to_owned);
    let values = request.list("Tags", ".Value").into_iter().map(str::to_owned);
    let user = account.user_mut(name).ok_or_else(|| no_such_user(name))?;
    user.tags = keys.zip(values).collect();
    let user = account.user(name).ok_or_else(|| no_such_user(name))?;
    Ok(Some(vec![whole_user(account, request, name, user)]))
}

fn delete_user(account: &mut Account, request: &Request) -> ActionResult {
    let name = checked_name(request)?;
    if account.remove_user(name) { Ok(None) } else { Err(no_such_user(name)) }
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
    if account.boundary_count(arn) > 0 {
        let message = "Cannot delete a policy that is a permissions boundary of an entity.";
        return Err(ErrorResponse::new(409, "DeleteConflict", message));
    }
    account.remove_policy(arn);
    Ok(None)
}

fn put_boundary(account: &mut Account, request: &Request, behavior: Behavior) -> ActionResult {
    let name = checked_name(request)?;
    let arn = request.required("PermissionsBoundary")?;
    check_boundary(account, request, arn)?;
    let user = account.user_mut(name).ok_or_else(|| no_such_user(name))?;
    user.set_boundary(Some(arn), behavior.staleness);
    Ok(None)
}

/// A user without a boundary is not an error: AWS's documentation lists `NoSuchEntity` for an entity that "does
/// not exist" and does not say whether a missing boundary is one. LocalStack returns 200, and so does the
/// sandbox.
fn delete_boundary(account: &mut Account, request: &Request, behavior: Behavior) -> ActionResult {
    let name = checked_name(request)?;
    let user = account.user_mut(name).ok_or_else(|| no_such_user(name))?;
    user.set_boundary(None, behavior.staleness);
    Ok(None)
}

/// Checks that the policy is attachable and belongs to this account or to AWS.
fn check_boundary(account: &Account, request: &Request, arn: &str) -> Result<(), ErrorResponse> {
    let Ok(parsed) = arn.parse::<PolicyArn>() else {
        return Err(ErrorResponse::new(400, "InvalidInput", format!("ARN {arn} is not valid.")));
    };
    if account.policy(arn).is_some() {
        return Ok(());
    }
    match managed::find(request.partition, arn) {
        Some(_) if !parsed.is_for_service_linked_role() => Ok(()),
        Some(_) => Err(ErrorResponse::new(
            400,
            "PolicyNotAttachable",
            format!("Cannot attach a Service Role Policy to a Customer Role or User: {arn}"),
        )),
        None => Err(ErrorResponse::new(
            404,
            "NoSuchEntity",
            format!("Scope ARN: {arn} does not exist or is not attachable."),
        )),
    }
}

fn checked_name(request: &Request) -> Result<&str, ErrorResponse> {
    let name = request.required("UserName")?;
    match name.parse::<PrincipalName>() {
        Ok(_) => Ok(name),
        Err(PrincipalNameError::BadCharacter(_)) => Err(invalid("userName")),
        Err(PrincipalNameError::Empty) => Err(ErrorResponse::constraint(
            "UserName",
            "Member must have length greater than or equal to 1",
        )),
        Err(PrincipalNameError::TooLong(_)) => Err(ErrorResponse::constraint(
            "UserName",
            "Member must have length less than or equal to 64",
        )),
    }
}

fn checked_path(request: &Request) -> Result<&str, ErrorResponse> {
    let path = request.get("Path").unwrap_or("/");
    let is_path = path.starts_with('/')
        && path.ends_with('/')
        && path.len() <= 512
        && path.chars().all(|c| c.is_ascii_graphic());
    if is_path {
        Ok(path)
    } else {
        Err(ErrorResponse::validation(
            "The specified value for path is invalid. It must begin and end with / and contain only \
             alphanumeric characters and/or / characters.",
        ))
    }
}

fn invalid(parameter: &str) -> ErrorResponse {
    ErrorResponse::validation(format!(
        "The specified value for {parameter} is invalid. It must contain only alphanumeric characters \
         and/or the following: +=,.@_-"
    ))
}

fn no_such_user(name: &str) -> ErrorResponse {
    ErrorResponse::new(404, "NoSuchEntity", format!("The user with name {name} cannot be found."))
}

fn no_such_policy(arn: &str) -> ErrorResponse {
    ErrorResponse::new(404, "NoSuchEntity", format!("Policy {arn} was not found."))
}

/// A page of users.
struct Page<'a> {
    users: Vec<(&'a String, &'a User)>,
    is_truncated: bool,
}

impl Page<'_> {
    /// `IsTruncated` and `Marker`.
    fn pagination(&self) -> Vec<Xml> {
        let mut fields = vec![text("IsTruncated", self.is_truncated)];
        if let Some((last, _)) = self.users.last().filter(|_| self.is_truncated) {
            fields.push(text("Marker", marker_after(last)));
        }
        fields
    }
}

fn page<'a>(
    account: &'a Account,
    request: &Request,
    behavior: Behavior,
    keep: impl Fn(&User) -> bool,
) -> Result<Page<'a>, ErrorResponse> {
    let size = request.max_items()?.min(behavior.page_size);
    let marker = request.marker()?;
    let shift = marker.as_ref().map_or(0, |_| behavior.shift);
    let kept = |(_, user): &(&String, &User)| keep(user);
    // If a page ended before its own marker, a client would never reach the last page.
    let earlier = if shift < 0 { shift.unsigned_abs().min(size - 1) } else { 0 };
    let preceding = marker.iter().flat_map(|marker| account.users_until(marker));
    let mut repeated: Vec<_> = preceding.filter(kept).take(earlier).collect();
    repeated.reverse();
    let following = account.users_after(marker.as_deref()).filter(kept);
    let later = usize::try_from(shift).unwrap_or_default();
    let mut rest = repeated.into_iter().chain(following.skip(later));
    let users = rest.by_ref().take(size).collect();
    Ok(Page { users, is_truncated: rest.next().is_some() })
}

fn user_fields(account: &Account, request: &Request, name: &str, user: &User) -> Vec<Xml> {
    let Request { account: id, partition, .. } = request;
    vec![
        text("Path", &user.path),
        text("UserName", name),
        text("UserId", unique_id::of_user(id, name, account.deletions_of(name))),
        text("Arn", format!("arn:{partition}:iam::{id}:user{}{name}", user.path)),
        text("CreateDate", CREATED),
    ]
}

/// A user with its boundary and tags, as the actions on one user return it.
fn whole_user(account: &Account, request: &Request, name: &str, user: &User) -> Xml {
    let mut fields = user_fields(account, request, name, user);
    fields.extend(boundary_field(user));
    fields.extend((!user.tags.is_empty()).then(|| tags_field(user)));
    element("User", fields)
}

fn boundary_field(user: &User) -> Option<Xml> {
    let arn = user.visible_boundary(Instant::now())?;
    Some(element(
        "PermissionsBoundary",
        [text("PermissionsBoundaryType", "Policy"), text("PermissionsBoundaryArn", arn)],
    ))
}

fn tags_field(user: &User) -> Xml {
    members(
        "Tags",
        user.tags.iter().map(|(key, value)| vec![text("Key", key), text("Value", value)]),
    )
}

fn policy_fields(account: &Account, arn: &str, path: &str, name: &str) -> Vec<Xml> {
    vec![
        text("PolicyName", name),
        text("PolicyId", unique_id::of_policy(arn)),
        text("Arn", arn),
        text("Path", path),
        text("DefaultVersionId", "v1"),
        text("AttachmentCount", 0),
        text("PermissionsBoundaryUsageCount", account.boundary_count(arn)),
        // Also true for the policies of service-linked roles, which can be attached to those roles.
        text("IsAttachable", true),
        text("CreateDate", CREATED),
        text("UpdateDate", CREATED),
    ]
}
