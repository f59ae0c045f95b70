use std::collections::HashSet;
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
    each_page(reader, DETAILS, get, |page| each(page.user_detail_list(), &mut take)).await
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
    each_page(reader, LIST, get, |page| each(page.users(), &mut take)).await
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
    for pages in 1.. {
        let page = || get(marker.clone());
        let page = reader.call(&executor, page).await?;
        users += page.users();
        if take(&page)?.is_break() {
            return Ok(pages);
        }
        if !page.is_truncated() {
            reader.remember_user_count(users);
            return Ok(pages);
        }
        match page.marker().filter(|next| !next.is_empty()) {
            Some(next) if markers.insert(next.to_owned()) => marker = Some(next.to_owned()),
            // Without a new marker, the same pages would be read again and again.
            _ => {
                let message = "the response is truncated and has no new marker";
                return Err(ApiError::unreadable(action, message));
            }
        }
    }
    unreachable!("the loop over pages has no end")
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
