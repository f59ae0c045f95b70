use std::collections::{BTreeMap, HashMap};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::AttachedPermissionsBoundary;
use futures::{StreamExt, TryStreamExt, stream};

use super::pages::{self, DETAILS};
use super::retry::Caller;
use super::{CallError, ErrorClass, Stop};
use crate::values::{PolicyArn, UserName};

/// The listed users as IAM has them, at one time. Every listed user is in it, whatever was found.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    users: BTreeMap<UserName, Reading>,
}

/// What IAM says of one listed user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The user is there, with this boundary or none.
    Boundary(Option<PolicyArn>),
    /// IAM has no such user.
    NoSuchUser {
        /// A user whose name differs from it by case alone.
        differs_by_case: Option<UserName>,
    },
    /// It could not be found out, for this user alone.
    Unreadable(CallError),
}

impl Snapshot {
    /// A snapshot made of what is known otherwise.
    pub fn of(users: BTreeMap<UserName, Reading>) -> Self {
        Snapshot { users }
    }

    /// What was found of `user`; none if the snapshot was not asked for it.
    pub fn reading(&self, user: &UserName) -> Option<&Reading> {
        self.users.get(user)
    }
}

/// `GetUser` calls under way at once, where the account's pages may not be read.
const READS_AT_ONCE: usize = 16;
const ONE_USER: &str = "iam:GetUser";

/// Reads by account pages, or user by user where the caller may not read pages.
pub(super) async fn snapshot<'a>(
    iam: &Client,
    caller: &Caller,
    listed: impl IntoIterator<Item = &'a UserName>,
) -> Result<Snapshot, CallError> {
    let listed: Vec<&UserName> = listed.into_iter().collect();
    match by_pages(iam, caller, &listed).await {
        Err(error) if error.class == ErrorClass::Denied => {
            tracing::info!("{error}; reading {} users by {ONE_USER} instead", listed.len());
            by_user(iam, caller, &listed).await
        }
        read => read,
    }
}

async fn by_pages(
    iam: &Client,
    caller: &Caller,
    listed: &[&UserName],
) -> Result<Snapshot, CallError> {
    let mut readings = Readings::of(listed);
    pages::each_detail(iam, caller, |user| {
        let name = user
            .user_name()
            .ok_or_else(|| CallError::unreadable(DETAILS, "a user in the answer has no name"))?;
        readings.found(name, || boundary(DETAILS, user.permissions_boundary()));
        Ok(())
    })
    .await?;
    Ok(readings.into_snapshot())
}

pub(super) async fn by_user(
    iam: &Client,
    caller: &Caller,
    listed: &[&UserName],
) -> Result<Snapshot, CallError> {
    let users: BTreeMap<UserName, Reading> = stream::iter(listed.iter().copied().cloned())
        .map(|user| async move { one_user(iam, caller, &user).await.map(|found| (user, found)) })
        .buffer_unordered(READS_AT_ONCE)
        .try_collect()
        .await?;
    // Denied for each of them is denied for all: one message says it better than a thousand.
    let denied = users.values().map(|reading| match reading {
        Reading::Unreadable(error) if error.class == ErrorClass::Denied => Some(error),
        _ => None,
    });
    match denied.collect::<Option<Vec<_>>>() {
        Some(errors) if !errors.is_empty() => Err(errors[0].clone()),
        _ => Ok(Snapshot { users }),
    }
}

/// One user's reading. An error that concerns every user is an error of the whole.
async fn one_user(iam: &Client, caller: &Caller, user: &UserName) -> Result<Reading, CallError> {
    let get = || async {
        iam.get_user()
            .user_name(user.as_str())
            .send()
            .await
            .map_err(|error| CallError::from_sdk(ONE_USER, error))
    };
    let answer = match caller.call(&Stop::never(), get, |_| {}).await.into_result(ONE_USER) {
        Ok(answer) => answer,
        Err(error) if error.class == ErrorClass::Credentials => return Err(error),
        Err(error) if error.class == ErrorClass::NotFound => {
            return Ok(Reading::NoSuchUser { differs_by_case: None });
        }
        Err(error) => return Ok(Reading::Unreadable(error)),
    };
    let Some(found) = answer.user() else {
        let error = CallError::unreadable(ONE_USER, "the answer has no user in it");
        return Ok(Reading::Unreadable(error));
    };
    if found.user_name() == user.as_str() {
        return Ok(boundary(ONE_USER, found.permissions_boundary()));
    }
    Ok(match found.user_name().parse::<UserName>() {
        Ok(other) if other.folded() == user.folded() => {
            Reading::NoSuchUser { differs_by_case: Some(other) }
        }
        _ => Reading::Unreadable(CallError::unreadable(
            ONE_USER,
            "the answer is about another user than was asked for",
        )),
    })
}

pub(super) fn boundary(
    action: &'static str,
    attached: Option<&AttachedPermissionsBoundary>,
) -> Reading {
    let Some(attached) = attached else {
        return Reading::Boundary(None);
    };
    match attached.permissions_boundary_arn().map(str::parse::<PolicyArn>) {
        Some(Ok(arn)) => Reading::Boundary(Some(arn)),
        Some(Err(error)) => Reading::Unreadable(CallError::unreadable(
            action,
            &format!("the boundary's ARN in the answer cannot be used: {error}"),
        )),
        None => Reading::Unreadable(CallError::unreadable(
            action,
            "the boundary in the answer has no ARN",
        )),
    }
}

/// The readings of the listed users while pages come in; nothing is kept of the others.
struct Readings {
    users: BTreeMap<UserName, Reading>,
    by_folded: HashMap<String, UserName>,
}

impl Readings {
    fn of(listed: &[&UserName]) -> Self {
        let absent = Reading::NoSuchUser { differs_by_case: None };
        Readings {
            users: listed.iter().map(|&user| (user.clone(), absent.clone())).collect(),
            by_folded: listed.iter().map(|&user| (user.folded(), user.clone())).collect(),
        }
    }

    fn found(&mut self, name: &str, reading: impl FnOnce() -> Reading) {
        let Some(user) = self.by_folded.get(&name.to_ascii_lowercase()) else { return };
        let Some(known) = self.users.get_mut(user) else { return };
        if user.as_str() == name {
            *known = reading();
        } else if let (Reading::NoSuchUser { differs_by_case }, Ok(other)) = (known, name.parse()) {
            *differs_by_case = Some(other);
        }
    }

    fn into_snapshot(self) -> Snapshot {
        Snapshot { users: self.users }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        text.parse().unwrap()
    }

    #[test]
    fn a_user_that_differs_by_case_alone_is_remembered_but_is_not_the_user() {
        let (alice, bob) = (name("alice"), name("bob"));
        let mut readings = Readings::of(&[&alice, &bob]);
        readings.found("Alice", || Reading::Boundary(None));
        readings.found("bob", || Reading::Boundary(None));
        readings.found("BOB", || unreachable!("only an exact name is read"));
        let snapshot = readings.into_snapshot();
        let differs_by_case = Some(name("Alice"));
        assert_eq!(snapshot.reading(&alice), Some(&Reading::NoSuchUser { differs_by_case }));
        assert_eq!(snapshot.reading(&bob), Some(&Reading::Boundary(None)));
    }

    #[test]
    fn nothing_is_kept_of_unlisted_users() {
        let alice = name("alice");
        let mut readings = Readings::of(&[&alice]);
        readings.found("mallory", || unreachable!("an unlisted user is not read"));
        assert_eq!(readings.into_snapshot().users.len(), 1);
    }
}
