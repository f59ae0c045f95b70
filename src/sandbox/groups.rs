//! The actions on groups.

use super::account::Account;
use super::checks::{ActionResult, CREATED, checked_path, invalid};
use super::entities::{checked_name, modifiable};
use super::policy::Group;
use super::policy_lists::{attached_field, inline_field};
use super::request::{ErrorResponse, Request};
use super::unique_id;
use super::xml::{Xml, element, text};
use crate::iam::{PrincipalKind, is_name_char};

pub(super) fn create(account: &mut Account, request: &Request) -> ActionResult {
    let name = checked_group(request)?;
    let path = checked_path(request)?;
    if account.groups().keys().any(|other| other.eq_ignore_ascii_case(name)) {
        let message = format!("Group with name {name} already exists.");
        return Err(ErrorResponse::new(409, "EntityAlreadyExists", message));
    }
    account.put_group(name, path);
    Ok(Some(vec![element("Group", fields(request, name, path))]))
}

pub(super) fn add_user(account: &mut Account, request: &Request) -> ActionResult {
    let (group, user) = (checked_group(request)?, checked_name(PrincipalKind::User, request)?);
    if !account.groups().contains_key(group) {
        return Err(no_such_group(group));
    }
    modifiable(PrincipalKind::User, account, user)?.groups.insert(group.to_owned());
    Ok(None)
}

/// A group on an account page.
pub(super) fn detail(request: &Request, name: &str, group: &Group) -> Vec<Xml> {
    let mut fields = fields(request, name, &group.path);
    fields.push(inline_field("GroupPolicyList", &group.policies));
    fields.push(attached_field("AttachedManagedPolicies", &group.policies.attached));
    fields
}

pub(super) fn no_such_group(name: &str) -> ErrorResponse {
    let message = format!("The group with name {name} cannot be found.");
    ErrorResponse::new(404, "NoSuchEntity", message)
}

fn fields(request: &Request, name: &str, path: &str) -> Vec<Xml> {
    let Request { account, partition, .. } = request;
    vec![
        text("Path", path),
        text("GroupName", name),
        text("GroupId", unique_id::of_group(name)),
        text("Arn", format!("arn:{partition}:iam::{account}:group{path}{name}")),
        text("CreateDate", CREATED),
    ]
}

pub(super) fn checked_group(request: &Request) -> Result<&str, ErrorResponse> {
    let name = request.required("GroupName")?;
    match (1..=128).contains(&name.len()) && name.chars().all(is_name_char) {
        true => Ok(name),
        false => Err(invalid("groupName")),
    }
}
