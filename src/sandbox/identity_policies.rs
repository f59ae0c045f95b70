//! The actions on the policies of a user, role or group: those that are attached, and inline policies.

use super::account::Account;
use super::checks::{ActionResult, checked_document, checked_policy_name};
use super::entities::{checked_name, modifiable, no_such};
use super::groups::{checked_group, no_such_group};
use super::managed;
use super::page::{Behavior, page_of};
use super::policies::no_such_policy;
use super::policy::Policies;
use super::policy_lists::attached_field;
use super::request::{ErrorResponse, Request, name_parameter};
use super::xml::{element, text};
use crate::iam::PrincipalKind;

/// What has policies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holder {
    Entity(PrincipalKind),
    Group,
}

pub(super) const USER: Holder = Holder::Entity(PrincipalKind::User);
pub(super) const ROLE: Holder = Holder::Entity(PrincipalKind::Role);
pub(super) const GROUP: Holder = Holder::Group;

impl Holder {
    fn noun(self) -> &'static str {
        match self {
            Holder::Entity(kind) => kind.noun(),
            Holder::Group => "group",
        }
    }

    fn name_field(self) -> &'static str {
        match self {
            Holder::Entity(kind) => name_parameter(kind),
            Holder::Group => "GroupName",
        }
    }

    fn checked_name(self, request: &Request) -> Result<&str, ErrorResponse> {
        match self {
            Holder::Entity(kind) => checked_name(kind, request),
            Holder::Group => checked_group(request),
        }
    }

    /// The maximum size of all inline policies, in characters without whitespace
    /// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
    fn max_inline_size(self) -> usize {
        match self {
            Holder::Entity(PrincipalKind::User) => 2_048,
            Holder::Entity(PrincipalKind::Role) => 10_240,
            Holder::Group => 5_120,
        }
    }

    fn policies<'a>(
        self,
        account: &'a Account,
        request: &Request,
    ) -> Result<&'a Policies, ErrorResponse> {
        let name = self.checked_name(request)?;
        match self {
            Holder::Entity(kind) => {
                let entity = account.entity(kind, name).ok_or_else(|| no_such(kind, name))?;
                Ok(&entity.policies)
            }
            Holder::Group => {
                let group = account.groups().get(name).ok_or_else(|| no_such_group(name))?;
                Ok(&group.policies)
            }
        }
    }

    fn policies_mut<'a>(
        self,
        account: &'a mut Account,
        request: &Request,
    ) -> Result<&'a mut Policies, ErrorResponse> {
        let name = self.checked_name(request)?;
        match self {
            Holder::Entity(kind) => Ok(&mut modifiable(kind, account, name)?.policies),
            Holder::Group => {
                let group = account.group_mut(name).ok_or_else(|| no_such_group(name))?;
                Ok(&mut group.policies)
            }
        }
    }
}

pub(super) fn attach(holder: Holder, account: &mut Account, request: &Request) -> ActionResult {
    let arn = request.required("PolicyArn")?;
    if account.policy(arn).is_none() && managed::find(request.partition, arn).is_none() {
        let message = format!("Policy {arn} does not exist or is not attachable.");
        return Err(ErrorResponse::new(404, "NoSuchEntity", message));
    }
    holder.policies_mut(account, request)?.attached.insert(arn.to_owned());
    Ok(None)
}

pub(super) fn detach(holder: Holder, account: &mut Account, request: &Request) -> ActionResult {
    let arn = request.required("PolicyArn")?;
    match holder.policies_mut(account, request)?.attached.remove(arn) {
        true => Ok(None),
        false => Err(no_such_policy(arn)),
    }
}

pub(super) fn list_attached(
    holder: Holder,
    account: &Account,
    request: &Request,
    behavior: Behavior,
) -> ActionResult {
    let attached = &holder.policies(account, request)?.attached;
    let page = page_of(attached.iter().map(|arn| (arn.clone(), arn)), request, behavior)?;
    let mut result = vec![attached_field("AttachedPolicies", page.items.iter().copied())];
    result.extend(page.pagination());
    Ok(Some(result))
}

pub(super) fn put(holder: Holder, account: &mut Account, request: &Request) -> ActionResult {
    let name = checked_policy_name(request)?;
    let document = checked_document(request)?;
    let inline = &mut holder.policies_mut(account, request)?.inline;
    let others = inline.iter().filter(|(other, _)| *other != name);
    let size = others.map(|(_, other)| other.size()).sum::<usize>() + document.size();
    let max = holder.max_inline_size();
    if size > max {
        let (noun, holder) = (holder.noun(), holder.checked_name(request)?);
        let message = format!("Maximum policy size of {max} bytes exceeded for {noun} {holder}");
        return Err(ErrorResponse::new(409, "LimitExceeded", message));
    }
    inline.insert(name.to_owned(), document);
    Ok(None)
}

pub(super) fn get(holder: Holder, account: &Account, request: &Request) -> ActionResult {
    let name = checked_policy_name(request)?;
    let document = holder.policies(account, request)?.inline.get(name);
    let document = document.ok_or_else(|| no_such_inline(holder, name))?;
    Ok(Some(vec![
        text(holder.name_field(), holder.checked_name(request)?),
        text("PolicyName", name),
        document.field("PolicyDocument"),
    ]))
}

pub(super) fn list(
    holder: Holder,
    account: &Account,
    request: &Request,
    behavior: Behavior,
) -> ActionResult {
    let inline = &holder.policies(account, request)?.inline;
    let page = page_of(inline.keys().map(|name| (name.clone(), name)), request, behavior)?;
    let names = page.items.iter().map(|name| text("member", name));
    let mut result = vec![element("PolicyNames", names)];
    result.extend(page.pagination());
    Ok(Some(result))
}

pub(super) fn delete(holder: Holder, account: &mut Account, request: &Request) -> ActionResult {
    let name = checked_policy_name(request)?;
    match holder.policies_mut(account, request)?.inline.remove(name) {
        Some(_) => Ok(None),
        None => Err(no_such_inline(holder, name)),
    }
}

fn no_such_inline(holder: Holder, name: &str) -> ErrorResponse {
    let message = format!("The {} policy with name {name} cannot be found.", holder.noun());
    ErrorResponse::new(404, "NoSuchEntity", message)
}
