use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput;
use aws_sdk_iam::operation::list_roles::ListRolesOutput;
use aws_sdk_iam::operation::list_users::ListUsersOutput;
use aws_sdk_iam::types::EntityType;

pub(super) use super::detail::DETAILS;
use super::detail::Detail;
use super::error::CallFailure;
use super::policy_collector;
use super::reader::Reader;
use crate::iam::{PrincipalCounts, PrincipalKind};
use crate::inventory::ApiError;

/// The maximum number of principals on a page
/// ([GetAccountAuthorizationDetails](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html),
/// [ListUsers](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html),
/// [ListRoles](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html)).
pub(super) const PAGE_SIZE: usize = 1_000;
/// The maximum number of principals that are read from pages: many times the
/// [quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html) of 5,000 users, and of 1,000
/// roles unless it is increased. A principal can be on several pages.
const MAX_PRINCIPALS: usize = 100_000;
/// The maximum number of pages of an account. A page may have fewer principals than requested, even none: 5,000 users
/// are read even if a page has only five.
const MAX_PAGES: usize = 1_000;
/// The maximum length of a marker, in bytes. A request accepts 320 characters
/// ([ListUsers](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html)).
const MAX_MARKER: usize = 4_096;
pub(super) const UNEXPECTED_MARKER: &str =
    "the response is not truncated, but has a marker for another page";
pub(super) const NO_NEW_MARKER: &str = "the response is truncated and has no new marker";
const MARKER_TOO_LONG: &str = "the marker in the response is longer than 4,096 bytes";

/// Kinds of principals to read, at least one.
pub(super) type Kinds = BTreeSet<PrincipalKind>;

/// The action that lists the names of the principals of this kind.
pub(super) fn list_action(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "iam:ListUsers",
        PrincipalKind::Role => "iam:ListRoles",
    }
}

/// Calls `take` with every principal of these kinds, including its boundary, until `take` breaks or fails. All kinds
/// are read from the same pages. Returns the number of pages that were read.
pub(super) async fn each_detail(
    reader: &Reader,
    kinds: &Kinds,
    mut take: impl FnMut(Detail<'_>) -> Result<ControlFlow<()>, ApiError>,
) -> Result<usize, ApiError> {
    let mut filter: Vec<EntityType> = kinds.iter().map(|&kind| entity_type(kind)).collect();
    if reader.policies.is_some() {
        filter.extend(policy_collector::FILTERS);
    }
    let get = async |marker| {
        reader
            .iam
            .get_account_authorization_details()
            .set_filter(Some(filter.clone()))
            .max_items(PAGE_SIZE as i32)
            .set_marker(marker)
            .send()
            .await
            .map_err(|error| CallFailure::from_sdk(DETAILS, error))
    };
    let mut take_page = |page: &GetAccountAuthorizationDetailsOutput| {
        // A server may ignore the filter.
        if kinds.contains(&PrincipalKind::User)
            && each(DETAILS, page.user_detail_list(), &mut take)?.is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        match kinds.contains(&PrincipalKind::Role) {
            true => each(DETAILS, page.role_detail_list(), &mut take),
            false => Ok(ControlFlow::Continue(())),
        }
    };
    let Some(policies) = &reader.policies else {
        return each_page(reader, DETAILS, kinds, get, take_page).await;
    };
    // The policies are on all pages, also on those after the last principal that is needed.
    let mut is_done = false;
    each_page(reader, DETAILS, kinds, get, |page| {
        policies.take(page);
        is_done = is_done || take_page(page)?.is_break();
        Ok(ControlFlow::Continue(()))
    })
    .await
}

fn entity_type(kind: PrincipalKind) -> EntityType {
    match kind {
        PrincipalKind::User => EntityType::User,
        PrincipalKind::Role => EntityType::Role,
    }
}

/// Calls `take` with every principal of this kind, like [`each_detail`]. `ListUsers` and `ListRoles` do not return
/// boundaries ([ListUsers](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html),
/// [ListRoles](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html)).
pub(super) async fn each_listed(
    reader: &Reader,
    kind: PrincipalKind,
    mut take: impl FnMut(Detail<'_>) -> Result<ControlFlow<()>, ApiError>,
) -> Result<usize, ApiError> {
    let (action, kinds) = (list_action(kind), Kinds::from([kind]));
    match kind {
        PrincipalKind::User => {
            let get = async |marker| {
                let request = reader.iam.list_users().max_items(PAGE_SIZE as i32);
                let sent = request.set_marker(marker).send().await;
                sent.map_err(|error| CallFailure::from_sdk(action, error))
            };
            let take = |page: &ListUsersOutput| each(action, page.users(), &mut take);
            each_page(reader, action, &kinds, get, take).await
        }
        PrincipalKind::Role => {
            let get = async |marker| {
                let request = reader.iam.list_roles().max_items(PAGE_SIZE as i32);
                let sent = request.set_marker(marker).send().await;
                sent.map_err(|error| CallFailure::from_sdk(action, error))
            };
            let take = |page: &ListRolesOutput| each(action, page.roles(), &mut take);
            each_page(reader, action, &kinds, get, take).await
        }
    }
}

/// A page of an IAM response. A page may contain fewer items than requested: only `is_truncated` tells whether
/// another one follows
/// ([GetAccountAuthorizationDetails](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html)).
trait Page {
    fn counts(&self) -> PrincipalCounts;
    fn is_truncated(&self) -> bool;
    fn marker(&self) -> Option<&str>;
}

/// Implements [`Page`] with the numbers of users and roles on a page.
macro_rules! page {
    ($output:ty, |$page:ident| ($users:expr, $roles:expr)) => {
        impl Page for $output {
            fn counts(&self) -> PrincipalCounts {
                let $page = self;
                PrincipalCounts { users: $users, roles: $roles }
            }

            fn is_truncated(&self) -> bool {
                self.is_truncated()
            }

            fn marker(&self) -> Option<&str> {
                self.marker()
            }
        }
    };
}

page!(GetAccountAuthorizationDetailsOutput, |page| (
    page.user_detail_list().len(),
    page.role_detail_list().len()
));
page!(ListUsersOutput, |page| (page.users().len(), 0));
page!(ListRolesOutput, |page| (0, page.roles().len()));

async fn each_page<P: Page>(
    reader: &Reader,
    action: &'static str,
    kinds: &Kinds,
    get: impl AsyncFn(Option<String>) -> Result<P, CallFailure>,
    mut take: impl FnMut(&P) -> Result<ControlFlow<()>, ApiError>,
) -> Result<usize, ApiError> {
    let executor = reader.executor(action, 1, 1);
    let mut marker: Option<String> = None;
    let mut markers = HashSet::new();
    let mut counts = PrincipalCounts::default();
    for pages in 1..=MAX_PAGES {
        let page = || get(marker.clone());
        let page = reader.only_call(&executor, page).await?;
        counts += page.counts();
        if counts.total() > MAX_PRINCIPALS {
            let message =
                format!("the pages have more than 100,000 {}, and {QUOTAS}", plural(kinds));
            return Err(ApiError::beyond_limit(action, &message));
        }
        let next = page.marker().filter(|next| !next.is_empty());
        if !page.is_truncated() && next.is_some() {
            // IAM has a marker only on a page that another one follows. If there is one, principals would be missing.
            return Err(ApiError::unreadable(action, UNEXPECTED_MARKER));
        }
        if take(&page)?.is_break() {
            return Ok(pages);
        }
        marker = match (page.is_truncated(), next) {
            (false, _) => {
                for &kind in kinds {
                    reader.remember_count(kind, counts.of_kind(kind));
                }
                return Ok(pages);
            }
            (true, Some(next)) if next.len() > MAX_MARKER => {
                return Err(ApiError::beyond_limit(action, MARKER_TOO_LONG));
            }
            (true, Some(next)) if markers.insert(next.to_owned()) => Some(next.to_owned()),
            // Without a new marker, the same pages would be read again and again.
            (true, _) => return Err(ApiError::unreadable(action, NO_NEW_MARKER)),
        };
    }
    let message =
        format!("the account has more than 1,000 pages of {}, and {QUOTAS}", plural(kinds));
    Err(ApiError::beyond_limit(action, &message))
}

const QUOTAS: &str = "the quotas of IAM allow far fewer";

/// The words for principals of these kinds: `users and roles`.
fn plural(kinds: &Kinds) -> String {
    kinds.iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(" and ")
}

/// Calls `take` with each principal of a list of a page, until it breaks.
fn each<T>(
    action: &'static str,
    items: &[T],
    mut take: impl FnMut(Detail<'_>) -> Result<ControlFlow<()>, ApiError>,
) -> Result<ControlFlow<()>, ApiError>
where
    T: PartialEq,
    for<'t> Detail<'t>: From<&'t T>,
{
    each_once(action, items)?;
    for item in items {
        if take(Detail::from(item))?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Checks that a list does not contradict itself: a principal that is in it twice is the same both times.
fn each_once<T>(action: &'static str, items: &[T]) -> Result<(), ApiError>
where
    T: PartialEq,
    for<'t> Detail<'t>: From<&'t T>,
{
    let mut known: HashMap<&str, &T> = HashMap::with_capacity(items.len());
    for item in items {
        let detail = Detail::from(item);
        let Some(name) = detail.name() else { continue };
        if known.insert(name, item).is_some_and(|other| other != item) {
            let message = format!(
                "the response contains the {} {name:?} twice, with different content",
                detail.kind.noun()
            );
            return Err(ApiError::unreadable(action, &message));
        }
    }
    Ok(())
}
