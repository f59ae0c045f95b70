use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;

use super::pages;
use super::pages::DETAILS;
use super::read::{Reader, boundary, denied_for_all};
use super::{ApiError, ErrorClass, Reading};
use crate::iam::{PolicyArn, PrincipalName};

/// Every user of an account, each with the present boundary, or none.
pub type Everyone = BTreeMap<PrincipalName, Option<PolicyArn>>;

/// Why it is not known who is in the account.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EveryoneError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// IAM named these users, and what it said of them cannot be used.
    #[error("{} of the account's users cannot be read:{}", .0.len(), Lines(.0))]
    Unreadable(Vec<Unreadable>),
}

/// A user of whom something is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The name as IAM gave it, which may be what is wrong.
    pub name: String,
    /// What is not known, and why.
    pub why: String,
}

struct Lines<'a>(&'a [Unreadable]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|Unreadable { name, why }| write!(f, "\n  {name:?}: {why}"))
    }
}

/// How often the pages are read, at most, until a reading names nobody new. Pages shift when users come
/// and go while they are read, and then leave out some who are there.
const READINGS: usize = 5;

impl Reader {
    /// Reads every user by account pages, or by `ListUsers` and one by one where these are denied.
    pub(super) async fn everyone(&self) -> Result<Everyone, EveryoneError> {
        match self.everyone_by_pages().await {
            Err(error) if error.class == ErrorClass::Denied => {
                tracing::info!("{error}; reading the users by {} one by one instead", pages::LIST);
                match self.everyone_one_by_one().await {
                    // Both ways are closed: the first is the one to open.
                    Err(other)
                        if other.action == pages::LIST && other.class == ErrorClass::Denied =>
                    {
                        Err(error.into())
                    }
                    found => found?.whole(),
                }
            }
            found => found?.whole(),
        }
    }

    async fn everyone_by_pages(&self) -> Result<Found, ApiError> {
        let mut found = Found::default();
        for _ in 0..READINGS {
            let known = found.count();
            let pages = pages::each_detail(self, |user| {
                let name = user.user_name().ok_or_else(|| {
                    ApiError::unreadable(DETAILS, "a user in the answer has no name")
                })?;
                if let Some(name) = found.name(name) {
                    found.reading(name, boundary(DETAILS, user.permissions_boundary()));
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
            if pages == 1 || found.count() == known {
                break;
            }
        }
        Ok(found)
    }

    async fn everyone_one_by_one(&self) -> Result<Found, ApiError> {
        let mut found = Found::default();
        let mut names = BTreeSet::new();
        for _ in 0..READINGS {
            let known = names.len();
            let pages = pages::each_user(self, |user| {
                names.extend(found.name(user.user_name()));
                Ok(ControlFlow::Continue(()))
            })
            .await?;
            if pages == 1 || names.len() == known {
                break;
            }
        }
        let snapshot = self.one_by_one(&names.iter().collect::<Vec<_>>()).await?;
        if let Some(error) = denied_for_all(&snapshot) {
            return Err(error);
        }
        for name in names {
            let reading = snapshot.reading(&name).cloned();
            found.reading(name, reading.unwrap_or(Reading::NoSuchUser { differs_by_case: None }));
        }
        Ok(found)
    }
}

/// What was read so far, and of whom something could not be, with why.
#[derive(Default)]
struct Found {
    users: Everyone,
    unreadable: BTreeMap<String, String>,
}

impl Found {
    fn count(&self) -> usize {
        self.users.len() + self.unreadable.len()
    }

    fn name(&mut self, text: &str) -> Option<PrincipalName> {
        match text.parse::<PrincipalName>() {
            Ok(name) => Some(name),
            Err(error) => {
                self.unreadable.insert(text.to_owned(), error.to_string());
                None
            }
        }
    }

    /// The newer reading counts.
    fn reading(&mut self, name: PrincipalName, reading: Reading) {
        let why = match reading {
            Reading::Boundary(boundary) => {
                self.unreadable.remove(name.as_str());
                self.users.insert(name, boundary);
                return;
            }
            Reading::NoSuchUser { .. } => {
                "IAM listed the user, and then had no such user: it may just have been deleted"
                    .to_owned()
            }
            Reading::Unreadable(error) => error.to_string(),
        };
        self.users.remove(&name);
        self.unreadable.insert(name.as_str().to_owned(), why);
    }

    fn whole(self) -> Result<Everyone, EveryoneError> {
        if self.unreadable.is_empty() {
            return Ok(self.users);
        }
        let each = self.unreadable.into_iter().map(|(name, why)| Unreadable { name, why });
        Err(EveryoneError::Unreadable(each.collect()))
    }
}
