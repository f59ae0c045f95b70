use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput;
use aws_sdk_iam::operation::list_users::ListUsersOutput;
use aws_sdk_iam::types::{EntityType, User, UserDetail};

use super::error::CallFailure;
use super::reader::Reader;
use crate::inventory::ApiError;

/// The maximum number of users on a page
/// ([GetAccountAuthorizationDetails](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html),
/// [ListUsers](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html)).
pub(super) const PAGE_SIZE: usize = 1_000;
/// The maximum number of users that are read from pages: 20 times the quota of
/// [5,000 users](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). A user can be on
/// several pages.
const MAX_USERS: usize = 100_000;
const TOO_MANY_USERS: &str =
    "the pages have more than 100,000 users, and an account has at most 5,000";
/// The maximum number of pages of an account. A page may have fewer users than requested, even none: 5,000 users
/// are read even if a page has only five.
const MAX_PAGES: usize = 1_000;
const TOO_MANY_PAGES: &str =
    "the account has more than 1,000 pages of users, and an account has at most 5,000 users";
/// The maximum length of a marker, in bytes. A request accepts 320 characters
/// ([ListUsers](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html)).
const MAX_MARKER: usize = 4_096;
const MARKER_TOO_LONG: &str = "the marker in the response is longer than 4,096 bytes";
pub(super) const DETAILS: &str = "iam:GetAccountAuthorizationDetails";
pub(super) const LIST: &str = "iam:ListUsers";

/// Calls `take` with every user of the account, including its boundary, until `take` breaks or fails. Returns the
/// number of pages that were read.
pub(super) async fn each_detail(
    reader: &Reader,
    mut take: impl FnMut(&UserDetail) -> Result<ControlFlow<()>, ApiError>,
) -> Result<usize, ApiError> {
    let get = async |marker| {
        reader
            .iam
            .get_account_authorization_details()
            .filter(EntityType::User)
            .max_items(PAGE_SIZE as i32)
            .set_marker(marker)
            .send()
            .await
            .map_err(|error| CallFailure::from_sdk(DETAILS, error))
    };
    each_page(reader, DETAILS, get, |page| {
        let users = page.user_detail_list();
        each_once(DETAILS, users, |user| user.user_name())?;
        each(users, &mut take)
    })
    .await
}

/// Calls `take` with every user of the account, like [`each_detail`]. `ListUsers` does not return boundaries
/// ([ListUsers](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html)).
pub(super) async fn each_user(
    reader: &Reader,
    mut take: impl FnMut(&User) -> Result<ControlFlow<()>, ApiError>,
) -> Result<usize, ApiError> {
    let get = async |marker| {
        reader
            .iam
            .list_users()
            .max_items(PAGE_SIZE as i32)
            .set_marker(marker)
            .send()
            .await
            .map_err(|error| CallFailure::from_sdk(LIST, error))
    };
    each_page(reader, LIST, get, |page| {
        let users = page.users();
        each_once(LIST, users, |user| Some(user.user_name()))?;
        each(users, &mut take)
    })
    .await
}

/// A page of an IAM response. A page may contain fewer items than requested: only `is_truncated` tells whether
/// another one follows
/// ([GetAccountAuthorizationDetails](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html)).
trait Page {
    fn users(&self) -> usize;
    fn is_truncated(&self) -> bool;
    fn marker(&self) -> Option<&str>;
}

impl Page for GetAccountAuthorizationDetailsOutput {
    fn users(&self) -> usize {
        self.user_detail_list().len()
    }

    fn is_truncated(&self) -> bool {
        self.is_truncated()
    }

    fn marker(&self) -> Option<&str> {
        self.marker()
    }
}

impl Page for ListUsersOutput {
    fn users(&self) -> usize {
        self.users().len()
    }

    fn is_truncated(&self) -> bool {
        self.is_truncated()
    }

    fn marker(&self) -> Option<&str> {
        self.marker()
    }
}

async fn each_page<P: Page>(
    reader: &Reader,
    action: &'static str,
    get: impl AsyncFn(Option<String>) -> Result<P, CallFailure>,
    mut take: impl FnMut(&P) -> Result<ControlFlow<()>, ApiError>,
) -> Result<usize, ApiError> {
    let executor = reader.executor(action, 1, 1);
    let mut marker: Option<String> = None;
    let mut markers = HashSet::new();
    let mut users = 0;
    for pages in 1..=MAX_PAGES {
        let page = || get(marker.clone());
        let page = reader.only_call(&executor, page).await?;
        users += page.users();
        if users > MAX_USERS {
            return Err(ApiError::beyond_limit(action, TOO_MANY_USERS));
        }
        let next = page.marker().filter(|next| !next.is_empty());
        if !page.is_truncated() && next.is_some() {
            // IAM has a marker only on a page that another one follows. If there is one, users would be missing.
            let message = "the response is not truncated, but has a marker for another page";
            return Err(ApiError::unreadable(action, message));
        }
        if take(&page)?.is_break() {
            return Ok(pages);
        }
        marker = match (page.is_truncated(), next) {
            (false, _) => {
                reader.remember_user_count(users);
                return Ok(pages);
            }
            (true, Some(next)) if next.len() > MAX_MARKER => {
                return Err(ApiError::beyond_limit(action, MARKER_TOO_LONG));
            }
            (true, Some(next)) if markers.insert(next.to_owned()) => Some(next.to_owned()),
            // Without a new marker, the same pages would be read again and again.
            (true, _) => {
                let message = "the response is truncated and has no new marker";
                return Err(ApiError::unreadable(action, message));
            }
        };
    }
    Err(ApiError::beyond_limit(action, TOO_MANY_PAGES))
}

/// Checks that a page does not contradict itself: a user that is on it twice is the same both times.
fn each_once<T: PartialEq>(
    action: &'static str,
    users: &[T],
    name: impl Fn(&T) -> Option<&str>,
) -> Result<(), ApiError> {
    let mut known: HashMap<&str, &T> = HashMap::with_capacity(users.len());
    for user in users {
        let Some(name) = name(user) else { continue };
        if known.insert(name, user).is_some_and(|other| other != user) {
            let message =
                format!("the response contains the user {name:?} twice, with different content");
            return Err(ApiError::unreadable(action, &message));
        }
    }
    Ok(())
}

fn each<T>(
    users: &[T],
    mut take: impl FnMut(&T) -> Result<ControlFlow<()>, ApiError>,
) -> Result<ControlFlow<()>, ApiError> {
    for user in users {
        if take(user)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
