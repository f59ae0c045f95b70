use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::pages;
use super::pages::DETAILS;
use super::read::{denied_for_all, reading};
use super::reader::Reader;
use crate::iam::Principal;
use crate::inventory::{
    ApiError, ErrorClass, EveryPrincipal, EveryPrincipalError, Reading, UnreadablePrincipal,
};

/// The maximum number of times that all pages are read, until no new user appears. If users are created or
/// deleted while pages are read, the pages shift and can omit existing users.
const MAX_READINGS: usize = 5;

impl Reader {
    /// Reads every user by account pages. If that is denied, reads the names by `ListUsers` and then each user.
    pub(super) async fn every_principal(&self) -> Result<EveryPrincipal, EveryPrincipalError> {
        match self.every_principal_by_pages().await {
            Err(error) if error.class == ErrorClass::Denied => {
                tracing::info!(
                    "{error}; reading every user by {} and iam:GetUser instead",
                    pages::LIST
                );
                match self.every_principal_one_by_one().await {
                    // Both methods are denied: the first one needs fewer calls, so its error is returned.
                    Err(other)
                        if other.action == pages::LIST && other.class == ErrorClass::Denied =>
                    {
                        Err(error.into())
                    }
                    found => found?.into_result(),
                }
            }
            found => found?.into_result(),
        }
    }

    async fn every_principal_by_pages(&self) -> Result<Found, ApiError> {
        let mut found = Found::default();
        for _ in 0..MAX_READINGS {
            let known = found.count();
            let pages = pages::each_detail(self, |user| {
                let name = user.user_name().ok_or_else(|| {
                    ApiError::unreadable(DETAILS, "a user in the response has no name")
                })?;
                if let Some(name) = found.parse_name(name) {
                    let reading = reading(DETAILS, user.user_id(), user.permissions_boundary());
                    found.add(name, reading);
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
            if pages == 1 || found.count() == known {
                return Ok(found);
            }
        }
        Ok(Found { is_unstable: true, ..found })
    }

    async fn every_principal_one_by_one(&self) -> Result<Found, ApiError> {
        let mut found = Found::default();
        let mut names = BTreeSet::new();
        found.is_unstable = true;
        for _ in 0..MAX_READINGS {
            let known = names.len();
            let pages = pages::each_user(self, |user| {
                names.extend(found.parse_name(user.user_name()));
                Ok(ControlFlow::Continue(()))
            })
            .await?;
            if pages == 1 || names.len() == known {
                found.is_unstable = false;
                break;
            }
        }
        if found.is_unstable {
            return Ok(found);
        }
        let inventory = self.one_by_one(&names.iter().collect::<Vec<_>>()).await?;
        if let Some(error) = denied_for_all(&inventory) {
            return Err(error);
        }
        for name in names {
            let reading = inventory.reading(&name).clone();
            found.add(name, reading);
        }
        Ok(found)
    }
}

/// The users read so far, and the reasons why others could not be read.
#[derive(Default)]
struct Found {
    users: EveryPrincipal,
    /// Whether even the last reading had new users, so that others can be missing.
    is_unstable: bool,
    unreadable: BTreeMap<String, String>,
}

impl Found {
    fn count(&self) -> usize {
        self.users.len() + self.unreadable.len()
    }

    /// The user with this name; an invalid name is unreadable.
    fn parse_name(&mut self, text: &str) -> Option<Principal> {
        match text.parse() {
            Ok(name) => Some(Principal::user(name)),
            Err(error) => {
                self.unreadable.insert(text.to_owned(), error.to_string());
                None
            }
        }
    }

    /// Adds a reading. It replaces an earlier one of the same principal.
    fn add(&mut self, principal: Principal, reading: Reading) {
        let why = match reading {
            Reading::Found { boundary, .. } => {
                self.unreadable.remove(principal.name.as_str());
                self.users.insert(principal, boundary);
                return;
            }
            Reading::NotFound { .. } => {
                "IAM listed the user and then did not find it: it may have been deleted meanwhile"
                    .to_owned()
            }
            Reading::Unreadable(error) => error.to_string(),
        };
        self.users.remove(&principal);
        self.unreadable.insert(principal.name.as_str().to_owned(), why);
    }

    fn into_result(self) -> Result<EveryPrincipal, EveryPrincipalError> {
        if self.is_unstable {
            return Err(EveryPrincipalError::Unstable(MAX_READINGS));
        }
        if self.unreadable.is_empty() {
            return Ok(self.users);
        }
        let each = self
            .unreadable
            .into_iter()
            .map(|(name, why)| UnreadablePrincipal { name: name.into(), why: why.into() });
        Err(EveryPrincipalError::Unreadable(each.collect()))
    }
}
