//! The actions on the tags of a user or role.

use super::account::Account;
use super::checks::{ActionResult, checked_tags};
use super::entities::{checked_name, modifiable};
use super::request::{ErrorResponse, Request};
use crate::iam::PrincipalKind;

/// The maximum number of tags
/// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
const MAX_TAGS: usize = 50;

pub(super) fn tag(kind: PrincipalKind, account: &mut Account, request: &Request) -> ActionResult {
    let name = checked_name(kind, request)?;
    let tags = checked_tags(request)?;
    let entity = modifiable(kind, account, name)?;
    let mut tagged = entity.clone();
    tags.into_iter().for_each(|(key, value)| tagged.tag(key, value));
    if tagged.tags.len() > MAX_TAGS {
        let message = format!("The number of tags has reached the maximum limit of {MAX_TAGS}.");
        return Err(ErrorResponse::new(409, "LimitExceeded", message));
    }
    *entity = tagged;
    Ok(None)
}

/// A key that the user or role does not have is not an error.
pub(super) fn untag(kind: PrincipalKind, account: &mut Account, request: &Request) -> ActionResult {
    let name = checked_name(kind, request)?;
    let entity = modifiable(kind, account, name)?;
    request.list("TagKeys", "").into_iter().for_each(|key| entity.untag(key));
    Ok(None)
}
