use std::ops::Bound::{Excluded, Included, Unbounded};
use std::time::{Duration, SystemTime};

use super::account::{Account, Entity, Key, key};
use super::managed::{MANAGED, Managed};
use super::policy::{Group, Policy};
use super::request::{ErrorResponse, Request, invalid_marker};
use super::xml::{Xml, text};
use crate::iam::{AccountId, PrincipalKind};

/// How the sandbox executes one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behavior {
    /// The maximum number of items on a page.
    pub(super) page_size: usize,
    /// The number of items after its marker at which a page begins; a negative number is before the marker.
    pub(super) shift: isize,
    /// The time until reads return a boundary that this call writes.
    pub(super) staleness: Duration,
    /// Whether account pages leave boundaries out.
    pub(super) omits_boundaries: bool,
    /// Whether account pages list AWS managed policies that are only boundaries.
    pub(super) lists_boundary_policies: bool,
    /// The time until the job that this call starts is complete.
    pub(super) job_time: Duration,
    /// Whether the job that this call starts fails.
    pub(super) job_fails: bool,
    /// When the sandbox started.
    pub(super) started: SystemTime,
    /// The account that `GetCallerIdentity` returns; `None` for that of the credentials.
    pub(super) identity: Option<AccountId>,
    /// The lifetime of the credentials of `AssumeRole`; `None` for what the call asks for.
    pub(super) session_time: Option<Duration>,
    /// Whether lists of AWS Organizations and CloudTrail have an empty page.
    pub(super) is_empty_page: bool,
}

impl Behavior {
    /// Whether reads depend only on the request and the content of the account.
    pub(super) fn is_regular(&self) -> bool {
        self.shift == 0 && !self.omits_boundaries
    }
}

/// An item of a page of users, roles, groups and policies.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    /// A user or role.
    Entity(&'a Key, &'a Entity),
    /// A group with its name.
    Group(&'a str, &'a Group),
    /// A customer managed policy with its ARN.
    Policy(&'a str, &'a Policy),
    /// An AWS managed policy.
    Managed(Managed),
}

/// The position of an item in the order of all pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// Users and roles come first. They are mixed.
    Entity(Key),
    /// The name of a group.
    Group(String),
    /// The ARN of a customer managed policy.
    Policy(String),
    /// The path and the name of an AWS managed policy. It is the same in every partition.
    Managed(String),
}

/// The prefixes of markers. No name contains a slash.
const ROLE: &str = "role/";
const GROUP: &str = "group/";
const POLICY: &str = "policy/";
const MANAGED_POLICY: &str = "managed/";

impl Item<'_> {
    fn position(&self) -> Position {
        match *self {
            Item::Entity(key, _) => Position::Entity(key.clone()),
            Item::Group(name, _) => Position::Group(name.to_owned()),
            Item::Policy(arn, _) => Position::Policy(arn.to_owned()),
            Item::Managed(policy) => Position::Managed(policy.full_name().to_owned()),
        }
    }
}

impl Position {
    /// The text of a marker that begins a page after this position.
    fn marker(&self) -> String {
        match self {
            Position::Entity((name, PrincipalKind::User)) => name.as_ref().to_owned(),
            Position::Entity((name, PrincipalKind::Role)) => format!("{ROLE}{name}"),
            Position::Group(name) => format!("{GROUP}{name}"),
            Position::Policy(arn) => format!("{POLICY}{arn}"),
            Position::Managed(full_name) => format!("{MANAGED_POLICY}{full_name}"),
        }
    }

    fn of_marker(marker: &str) -> Position {
        if let Some(name) = marker.strip_prefix(ROLE) {
            Position::Entity(key(PrincipalKind::Role, name))
        } else if let Some(name) = marker.strip_prefix(GROUP) {
            Position::Group(name.to_owned())
        } else if let Some(arn) = marker.strip_prefix(POLICY) {
            Position::Policy(arn.to_owned())
        } else if let Some(full_name) = marker.strip_prefix(MANAGED_POLICY) {
            Position::Managed(full_name.to_owned())
        } else {
            Position::Entity(key(PrincipalKind::User, marker))
        }
    }
}

/// A page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// The text of the marker of the next page; `None` on the last page.
    next: Option<String>,
}

impl<T> Page<T> {
    /// `IsTruncated` and `Marker`.
    pub(super) fn pagination(&self) -> Vec<Xml> {
        let mut fields = vec![text("IsTruncated", self.next.is_some())];
        fields.extend(self.next.as_deref().map(|next| text("Marker", encoded(next))));
        fields
    }
}

/// A marker is not the plain text, because IAM's markers are opaque to clients. [`Request::marker`] decodes it.
fn encoded(marker: &str) -> String {
    marker.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The page after the marker of the request, with those items that `keep` accepts.
pub(super) fn page<'a>(
    account: &'a Account,
    request: &Request,
    behavior: Behavior,
    keep: impl Fn(&Item<'a>) -> bool,
) -> Result<Page<Item<'a>>, ErrorResponse> {
    let size = request.max_items()?.min(behavior.page_size);
    let marker = request.marker()?.map(|marker| Position::of_marker(&marker));
    let shift = marker.as_ref().map_or(0, |_| behavior.shift);
    // If a page ended before its own marker, a client would never reach the last page.
    let earlier = if shift < 0 { shift.unsigned_abs().min(size - 1) } else { 0 };
    let preceding = marker.iter().flat_map(|marker| until(account, marker));
    let mut repeated: Vec<_> = preceding.filter(&keep).take(earlier).collect();
    repeated.reverse();
    let following = after(account, marker.as_ref()).filter(&keep);
    let later = usize::try_from(shift).unwrap_or_default();
    let mut rest = repeated.into_iter().chain(following.skip(later));
    let items: Vec<Item<'a>> = rest.by_ref().take(size).collect();
    let is_truncated = rest.next().is_some();
    let last = items.last().filter(|_| is_truncated);
    let next = last.map(|item| item.position().marker());
    Ok(Page { items, next })
}

/// All items after `last`. A marker contains a name and not an index, so pages do not shift while users and roles are
/// created and deleted.
fn after<'a>(
    account: &'a Account,
    last: Option<&Position>,
) -> impl Iterator<Item = Item<'a>> + use<'a> {
    let (entities, groups, policies) = match last {
        None => (Some(Unbounded), Some(Unbounded), Some(Unbounded)),
        Some(Position::Entity(last)) => {
            (Some(Excluded(last.clone())), Some(Unbounded), Some(Unbounded))
        }
        Some(Position::Group(last)) => (None, Some(Excluded(last.clone())), Some(Unbounded)),
        Some(Position::Policy(last)) => (None, None, Some(Excluded(last.clone()))),
        Some(Position::Managed(_)) => (None, None, None),
    };
    let entities =
        entities.into_iter().flat_map(|from| account.entities().range((from, Unbounded)));
    let groups = groups.into_iter().flat_map(|from| account.groups().range((from, Unbounded)));
    let policies =
        policies.into_iter().flat_map(|from| account.policies().range((from, Unbounded)));
    let last_managed = managed_name(last);
    let managed = MANAGED.into_iter().filter(move |it| it.full_name() > last_managed.as_str());
    let entities = entities.map(|(key, entity)| Item::Entity(key, entity));
    let groups = groups.map(|(name, group)| Item::Group(name, group));
    let policies = policies.map(|(arn, policy)| Item::Policy(arn, policy));
    entities.chain(groups).chain(policies).chain(managed.map(Item::Managed))
}

/// All items up to and including `last`, in reverse order.
fn until<'a>(account: &'a Account, last: &Position) -> impl Iterator<Item = Item<'a>> + use<'a> {
    let (entities, groups, policies) = match last {
        Position::Entity(last) => (Included(last.clone()), None, None),
        Position::Group(last) => (Unbounded, Some(Included(last.clone())), None),
        Position::Policy(last) => (Unbounded, Some(Unbounded), Some(Included(last.clone()))),
        Position::Managed(_) => (Unbounded, Some(Unbounded), Some(Unbounded)),
    };
    let entities = account.entities().range((Unbounded, entities)).rev();
    let groups = groups.into_iter().flat_map(|to| account.groups().range((Unbounded, to)).rev());
    let policies =
        policies.into_iter().flat_map(|to| account.policies().range((Unbounded, to)).rev());
    let last_managed = managed_name(Some(last));
    let managed = MANAGED.into_iter().rev();
    let managed = managed.filter(move |it| it.full_name() <= last_managed.as_str());
    let entities = entities.map(|(key, entity)| Item::Entity(key, entity));
    let groups = groups.map(|(name, group)| Item::Group(name, group));
    let policies = policies.map(|(arn, policy)| Item::Policy(arn, policy));
    managed.map(Item::Managed).chain(policies).chain(groups).chain(entities)
}

/// The path and the name of the AWS managed policy at the position; empty for every other position.
fn managed_name(position: Option<&Position>) -> String {
    match position {
        Some(Position::Managed(full_name)) => full_name.clone(),
        _ => String::new(),
    }
}

/// The page of a short list after the marker of the request. Each item has a text that identifies it.
pub(super) fn page_of<T>(
    list: impl IntoIterator<Item = (String, T)>,
    request: &Request,
    behavior: Behavior,
) -> Result<Page<T>, ErrorResponse> {
    let size = request.max_items()?.min(behavior.page_size);
    let mut rest = list.into_iter();
    if let Some(marker) = request.marker()?
        && !rest.any(|(id, _)| id == marker)
    {
        return Err(invalid_marker());
    }
    let (mut items, mut last) = (Vec::new(), None);
    for (id, item) in rest.by_ref().take(size) {
        items.push(item);
        last = Some(id);
    }
    Ok(Page { items, next: last.filter(|_| rest.next().is_some()) })
}
