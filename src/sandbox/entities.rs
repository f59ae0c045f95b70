//! The actions on users and roles.

use std::time::{Instant, SystemTime};

use super::account::{Account, Entity, Key, key};
use super::checks::{ActionResult, CREATED, check_boundary, checked_path, checked_tags, invalid};
use super::document::percent_encoded;
use super::page::{Behavior, Item, page};
use super::policy_lists::{attached_field, inline_field};
use super::request::{ErrorResponse, Request, name_parameter};
use super::sts::CALLER;
use super::unique_id;
use super::xml::{Xml, element, members, text};
use crate::iam::{PrincipalKind, PrincipalName, PrincipalNameError, UnmodifiableRole};

pub(super) fn get(kind: PrincipalKind, account: &Account, request: &Request) -> ActionResult {
    let found = |name: &str, entity: &Entity| {
        let mut fields = whole(account, request, &key(kind, name), entity);
        fields.extend(session_field(kind));
        fields.extend(last_used_field(kind));
        Ok(Some(vec![element(element_name(kind), fields)]))
    };
    if kind == PrincipalKind::User && request.get(name_parameter(kind)).is_none() {
        if request.session.is_some() {
            let message = "Must specify userName when calling with non-User credentials";
            return Err(ErrorResponse::validation(message));
        }
        return found(CALLER, &Entity::new("/", None));
    }
    let name = checked_name(kind, request)?;
    found(name, account.entity(kind, name).ok_or_else(|| no_such(kind, name))?)
}

/// `ListUsers` and `ListRoles` return neither boundaries nor tags
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html>).
pub(super) fn list(
    kind: PrincipalKind,
    account: &Account,
    request: &Request,
    behavior: Behavior,
) -> ActionResult {
    let prefix = request.get("PathPrefix").unwrap_or("/");
    let page = page(account, request, behavior, |item| match item {
        Item::Entity((_, it), entity) => *it == kind && entity.path.starts_with(prefix),
        _ => false,
    })?;
    let listed = page.items.iter().filter_map(|item| {
        let Item::Entity(key, entity) = item else { return None };
        let mut fields = fields(account, request, key, entity);
        fields.extend(session_field(kind));
        Some(fields)
    });
    let list = match kind {
        PrincipalKind::User => "Users",
        PrincipalKind::Role => "Roles",
    };
    let mut result = vec![members(list, listed)];
    result.extend(page.pagination());
    Ok(Some(result))
}

pub(super) fn create(
    kind: PrincipalKind,
    account: &mut Account,
    request: &Request,
) -> ActionResult {
    let name = checked_name(kind, request)?;
    let path = checked_path(request)?;
    let trust_policy = match kind {
        PrincipalKind::User => None,
        PrincipalKind::Role => Some(request.required("AssumeRolePolicyDocument")?.to_owned()),
    };
    if account.has_ignoring_case(kind, name) {
        let message = format!("{} with name {name} already exists.", element_name(kind));
        return Err(ErrorResponse::new(409, "EntityAlreadyExists", message));
    }
    let boundary = request.get("PermissionsBoundary");
    if let Some(arn) = boundary {
        check_boundary(account, request, arn)?;
    }
    let tags = checked_tags(request)?;
    let entity = account.put(kind, name, path, boundary);
    tags.into_iter().for_each(|(key, value)| entity.tag(key, value));
    entity.trust_policy = trust_policy;
    entity.created = Some(humantime::format_rfc3339_seconds(SystemTime::now()).to_string());
    let entity = account.entity(kind, name).ok_or_else(|| no_such(kind, name))?;
    let fields = whole(account, request, &key(kind, name), entity);
    Ok(Some(vec![element(element_name(kind), fields)]))
}

pub(super) fn delete(
    kind: PrincipalKind,
    account: &mut Account,
    request: &Request,
) -> ActionResult {
    let name = checked_name(kind, request)?;
    modifiable(kind, account, name)?;
    account.remove(kind, name);
    Ok(None)
}

pub(super) fn put_boundary(
    kind: PrincipalKind,
    account: &mut Account,
    request: &Request,
    behavior: Behavior,
) -> ActionResult {
    let name = checked_name(kind, request)?;
    let arn = request.required("PermissionsBoundary")?;
    check_boundary(account, request, arn)?;
    modifiable(kind, account, name)?.set_boundary(Some(arn), behavior.staleness);
    Ok(None)
}

/// A user or role without a boundary is not an error: AWS's documentation lists `NoSuchEntity` for an entity that
/// "does not exist" and does not say whether a missing boundary is one. LocalStack returns 200, and so does the
/// sandbox.
pub(super) fn delete_boundary(
    kind: PrincipalKind,
    account: &mut Account,
    request: &Request,
    behavior: Behavior,
) -> ActionResult {
    let name = checked_name(kind, request)?;
    modifiable(kind, account, name)?.set_boundary(None, behavior.staleness);
    Ok(None)
}

/// The user or role with this name, unless AWS manages it. The message is IAM's.
pub(super) fn modifiable<'a>(
    kind: PrincipalKind,
    account: &'a mut Account,
    name: &str,
) -> Result<&'a mut Entity, ErrorResponse> {
    let entity = account.entity_mut(kind, name).ok_or_else(|| no_such(kind, name))?;
    if kind == PrincipalKind::Role && UnmodifiableRole::of_path(&entity.path).is_some() {
        let message = format!(
            "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
        );
        return Err(ErrorResponse::new(400, "UnmodifiableEntity", message));
    }
    Ok(entity)
}

pub(super) fn checked_name(kind: PrincipalKind, request: &Request) -> Result<&str, ErrorResponse> {
    let parameter = name_parameter(kind);
    let name = request.required(parameter)?;
    match name.parse::<PrincipalName>() {
        Ok(_) => Ok(name),
        Err(PrincipalNameError::BadCharacter(_)) => Err(invalid(match kind {
            PrincipalKind::User => "userName",
            PrincipalKind::Role => "roleName",
        })),
        Err(PrincipalNameError::Empty) => Err(ErrorResponse::constraint(
            parameter,
            "Member must have length greater than or equal to 1",
        )),
        Err(PrincipalNameError::TooLong(_)) => Err(ErrorResponse::constraint(
            parameter,
            "Member must have length less than or equal to 64",
        )),
    }
}

pub(super) fn no_such(kind: PrincipalKind, name: &str) -> ErrorResponse {
    let message = format!("The {} with name {name} cannot be found.", kind.noun());
    ErrorResponse::new(404, "NoSuchEntity", message)
}

fn element_name(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "User",
        PrincipalKind::Role => "Role",
    }
}

/// The ARN of a user or role.
pub(super) fn arn(request: &Request, (name, kind): &Key, entity: &Entity) -> String {
    let Request { account, partition, .. } = request;
    format!("arn:{partition}:iam::{account}:{}{}{name}", kind.noun(), entity.path)
}

/// The fields that every action returns.
fn fields(account: &Account, request: &Request, key: &Key, entity: &Entity) -> Vec<Xml> {
    let (name, kind) = key;
    let (name_field, id_field) = match kind {
        PrincipalKind::User => ("UserName", "UserId"),
        PrincipalKind::Role => ("RoleName", "RoleId"),
    };
    let unique_id = unique_id::of(*kind, &request.account, name, account.deletions_of(*kind, name));
    let mut fields = vec![
        text("Path", &entity.path),
        text(name_field, name),
        text(id_field, unique_id),
        text("Arn", arn(request, key, entity)),
        text("CreateDate", entity.created.as_deref().unwrap_or(CREATED)),
    ];
    if *kind == PrincipalKind::Role {
        fields.push(text(
            "AssumeRolePolicyDocument",
            percent_encoded(&trust_policy(request, entity)),
        ));
    }
    fields
}

/// A user or role with its boundary and tags, as the actions on one of them return it.
fn whole(account: &Account, request: &Request, key: &Key, entity: &Entity) -> Vec<Xml> {
    let mut fields = fields(account, request, key, entity);
    fields.extend(boundary_field(entity));
    fields.extend((!entity.tags.is_empty()).then(|| tags_field(entity)));
    fields
}

/// The field that `GetRole` and `ListRoles` return, and `CreateRole` and account pages do not.
fn session_field(kind: PrincipalKind) -> Option<Xml> {
    (kind == PrincipalKind::Role).then(|| text("MaxSessionDuration", 3_600))
}

/// The field that `GetRole` and account pages return. It is empty for a role that was never used.
fn last_used_field(kind: PrincipalKind) -> Option<Xml> {
    (kind == PrincipalKind::Role).then(|| element("RoleLastUsed", []))
}

/// A user or role on an account page.
pub(super) fn detail(
    account: &Account,
    request: &Request,
    key: &Key,
    entity: &Entity,
    behavior: Behavior,
) -> Vec<Xml> {
    let mut fields = fields(account, request, key, entity);
    fields.extend(match key.1 {
        PrincipalKind::User => {
            let groups = entity.groups.iter().map(|group| text("member", group));
            // IAM leaves the list out of a user without inline policies, but not out of a role.
            let has_inline = !entity.policies.inline.is_empty();
            let inline = has_inline.then(|| inline_field("UserPolicyList", &entity.policies));
            inline.into_iter().chain([element("GroupList", groups)]).collect()
        }
        PrincipalKind::Role => {
            vec![
                element("InstanceProfileList", []),
                inline_field("RolePolicyList", &entity.policies),
            ]
        }
    });
    fields.push(attached_field("AttachedManagedPolicies", &entity.policies.attached));
    fields.extend(boundary_field(entity).filter(|_| !behavior.omits_boundaries));
    fields.push(tags_field(entity));
    fields.extend(last_used_field(key.1));
    fields
}

fn boundary_field(entity: &Entity) -> Option<Xml> {
    let arn = entity.visible_boundary(Instant::now())?;
    Some(element(
        "PermissionsBoundary",
        [text("PermissionsBoundaryType", "Policy"), text("PermissionsBoundaryArn", arn)],
    ))
}

fn tags_field(entity: &Entity) -> Xml {
    members(
        "Tags",
        entity.tags.iter().map(|(key, value)| vec![text("Key", key), text("Value", value)]),
    )
}

/// The trust policy of a role.
fn trust_policy(request: &Request, entity: &Entity) -> String {
    entity.trust_policy.clone().unwrap_or_else(|| {
        let Request { account, partition, .. } = request;
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:{partition}:iam::{account}:root"}},"Action":"sts:AssumeRole"}}]}}"#
        )
    })
}
