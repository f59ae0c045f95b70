use std::collections::BTreeMap;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::{Once, OnceLock};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{AttachedPermissionsBoundary, SummaryKeyType};
use futures::{StreamExt, TryStreamExt, stream};

use super::pages::{self, DETAILS, PAGE_SIZE};
use super::retry::{Caller, Counter};
use super::secrets::Secrets;
use super::snapshot::Readings;
use super::turnstile::Turnstile;
use super::{ApiError, Bounds, ErrorClass, Inventory, Reading, Retry, RetryPolicy, Stop};
use crate::iam::{PolicyArn, PrincipalName};

/// What reads the account, in the fewest calls.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) iam: Client,
    counter: Counter,
    secrets: Secrets,
    pub(super) policy: RetryPolicy,
    told_of_throttling: Once,
    user_count: OnceLock<usize>,
}

/// So few users are not worth asking how many pages the account has.
const FEW: usize = 2;
/// For more users than that, pages are cheaper in any account that there is.
const MANY: usize = 50;
/// Calls of one kind under way at once, at most.
pub(super) const READS_AT_ONCE: usize = 64;
const ONE_USER: &str = "iam:GetUser";
const SUMMARY: &str = "iam:GetAccountSummary";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Pages,
    OneByOne,
}

impl Reader {
    pub(super) fn new(iam: Client, counter: Counter, secrets: Secrets) -> Self {
        let (told_of_throttling, user_count) = (Once::new(), OnceLock::new());
        let policy = RetryPolicy::default();
        Reader { iam, counter, secrets, policy, told_of_throttling, user_count }
    }

    /// Reads the `listed` users, by account pages or one by one: whichever takes fewer calls. Where the
    /// caller may not do the one, the other is used.
    pub(super) async fn snapshot<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a PrincipalName>,
    ) -> Result<Inventory, ApiError> {
        let listed: Vec<&PrincipalName> = listed.into_iter().collect();
        match self.cheapest_way(listed.len()).await? {
            Way::Pages => match self.by_pages(&listed).await {
                Err(error) if error.class == ErrorClass::Denied => {
                    tracing::info!("{error}; reading {} users by {ONE_USER} instead", listed.len());
                    let snapshot = self.one_by_one(&listed).await?;
                    match denied_for_all(&snapshot) {
                        Some(error) => Err(error),
                        None => Ok(snapshot),
                    }
                }
                read => self.missing_asked_for(&listed, read?).await,
            },
            Way::OneByOne => {
                let mut snapshot = self.one_by_one(&listed).await?;
                let denied = snapshot.denied_of(&listed);
                let Some(error) = denied.first().and_then(|user| snapshot.denied(user)) else {
                    return Ok(snapshot);
                };
                tracing::info!("{error}; reading {} users by {DETAILS} instead", denied.len());
                match self.by_pages_twice(&denied).await {
                    Ok(read) => snapshot.extend(read),
                    Err(error) if error.class != ErrorClass::Denied => return Err(error),
                    // Denied for each of them is denied for all: one message says it better.
                    Err(error) if denied_for_all(&snapshot).is_some() => return Err(error),
                    Err(error) => tracing::info!("{error}"),
                }
                Ok(snapshot)
            }
        }
    }

    /// Asks for each user whom no page named: pages shift when users come and go while they are read,
    /// and then leave out some who are there. Where asking is denied, the pages are read once more.
    async fn missing_asked_for(
        &self,
        listed: &[&PrincipalName],
        mut snapshot: Inventory,
    ) -> Result<Inventory, ApiError> {
        let missing = snapshot.missing_of(listed);
        if missing.is_empty() {
            return Ok(snapshot);
        }
        tracing::debug!("asking by {ONE_USER} for {} users who are on no page", missing.len());
        let mut asked = self.one_by_one(&missing).await?;
        let denied = asked.denied_of(&missing);
        if let Some(error) = denied.first().and_then(|user| asked.denied(user)) {
            tracing::info!("{error}; reading {DETAILS} again, for {} users", denied.len());
            asked.extend(self.by_pages(&denied).await?);
        }
        snapshot.extend(asked);
        Ok(snapshot)
    }

    /// By pages, and once more for those whom no page named: they may have been left out.
    async fn by_pages_twice(&self, listed: &[&PrincipalName]) -> Result<Inventory, ApiError> {
        let mut snapshot = self.by_pages(listed).await?;
        let missing = snapshot.missing_of(listed);
        if !missing.is_empty() {
            snapshot.extend(self.by_pages(&missing).await?);
        }
        Ok(snapshot)
    }

    async fn cheapest_way(&self, listed: usize) -> Result<Way, ApiError> {
        if listed <= FEW {
            return Ok(Way::OneByOne);
        }
        if listed > MANY {
            return Ok(Way::Pages);
        }
        let users = match self.user_count().await {
            Ok(users) => users,
            Err(error) if error.class == ErrorClass::Credentials => return Err(error),
            Err(error) => {
                tracing::info!("{error}; reading by {DETAILS}");
                return Ok(Way::Pages);
            }
        };
        let pages = users.div_ceil(PAGE_SIZE).max(1);
        tracing::debug!(users, pages, listed, "account");
        Ok(if listed <= pages { Way::OneByOne } else { Way::Pages })
    }

    /// How many users the account has: by the summary, unless it is known.
    pub(super) async fn user_count(&self) -> Result<usize, ApiError> {
        if let Some(count) = self.user_count.get() {
            return Ok(*count);
        }
        let summary = || async {
            self.iam
                .get_account_summary()
                .send()
                .await
                .map_err(|error| ApiError::from_sdk(SUMMARY, error))
        };
        let answer = self.ask(&self.caller(SUMMARY, 1, 1), summary).await?;
        let users = answer.summary_map().and_then(|map| map.get(&SummaryKeyType::Users));
        let users = users.and_then(|&users| usize::try_from(users).ok()).ok_or_else(|| {
            ApiError::unreadable(SUMMARY, "the answer does not say how many users there are")
        })?;
        Ok(*self.user_count.get_or_init(|| users))
    }

    /// Keeps what pages that were read to the end told of the number of users.
    pub(super) fn counted(&self, users: usize) {
        self.user_count.get_or_init(|| users);
    }

    /// Stops at the page on which the last of the listed users is found.
    async fn by_pages(&self, listed: &[&PrincipalName]) -> Result<Inventory, ApiError> {
        let mut readings = Readings::of(listed);
        pages::each_detail(self, |user| {
            let name = user
                .user_name()
                .ok_or_else(|| ApiError::unreadable(DETAILS, "a user in the answer has no name"))?;
            readings.found(name, || boundary(DETAILS, user.permissions_boundary()));
            Ok(if readings.are_complete() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })
        .await?;
        Ok(readings.into_snapshot())
    }

    pub(super) async fn one_by_one(
        &self,
        listed: &[&PrincipalName],
    ) -> Result<Inventory, ApiError> {
        let caller = &self.caller(ONE_USER, READS_AT_ONCE, listed.len());
        let readings = listed.iter().copied().cloned().map(|user| async move {
            self.one_user(caller, &user).await.map(|reading| (user, reading))
        });
        Ok(Inventory::of(many_at_once(readings).await?))
    }

    /// One call, as often as it takes.
    pub(super) async fn ask<T, F>(
        &self,
        caller: &Caller,
        call: impl Fn() -> F,
    ) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        caller
            .call(&Stop::never(), call, |retry| self.retrying(&retry))
            .await
            .into_result(caller.action())
    }

    /// One user's reading. An error that concerns every user is an error of the whole.
    async fn one_user(&self, caller: &Caller, user: &PrincipalName) -> Result<Reading, ApiError> {
        let get = || async {
            self.iam
                .get_user()
                .user_name(user.as_str())
                .send()
                .await
                .map_err(|error| ApiError::from_sdk(ONE_USER, error))
        };
        let answer = match self.ask(caller, get).await {
            Ok(answer) => answer,
            Err(error) if error.class == ErrorClass::Credentials => return Err(error),
            Err(error) if error.class == ErrorClass::NotFound => {
                return Ok(Reading::NoSuchUser { differs_by_case: None });
            }
            Err(error) => return Ok(Reading::Unreadable(error)),
        };
        let Some(found) = answer.user() else {
            let error = ApiError::unreadable(ONE_USER, "the answer has no user in it");
            return Ok(Reading::Unreadable(error));
        };
        if found.user_name() == user.as_str() {
            return Ok(boundary(ONE_USER, found.permissions_boundary()));
        }
        Ok(match found.user_name().parse::<PrincipalName>() {
            Ok(other) if other.folded() == user.folded() => {
                Reading::NoSuchUser { differs_by_case: Some(other) }
            }
            _ => Reading::Unreadable(ApiError::unreadable(
                ONE_USER,
                "the answer is about another user than was asked for",
            )),
        })
    }

    /// Says once why reading takes so long. One throttled call is nothing to speak of.
    fn retrying(&self, retry: &Retry) {
        if retry.error.class == ErrorClass::Throttled && retry.attempt > 1 {
            self.told_of_throttling.call_once(|| {
                tracing::warn!("IAM is throttling {}: reading takes longer", retry.error.action);
            });
        }
    }

    pub(super) fn caller(&self, action: &'static str, in_flight: usize, calls: usize) -> Caller {
        let turnstile = Turnstile::new(Bounds { in_flight, calls }, Default::default());
        Caller::new(action, self.policy, turnstile, self.counter.clone(), self.secrets.clone())
    }
}

/// What many calls give that are under way together. The first error ends them all.
pub(super) async fn many_at_once<K: Ord, V>(
    calls: impl IntoIterator<Item: Future<Output = Result<(K, V), ApiError>>>,
) -> Result<BTreeMap<K, V>, ApiError> {
    stream::iter(calls).buffer_unordered(READS_AT_ONCE).try_collect().await
}

/// The error, if the caller may not read any of the users.
pub(super) fn denied_for_all(snapshot: &Inventory) -> Option<ApiError> {
    let mut errors = snapshot.users().map(|user| snapshot.denied(user));
    let first = errors.next()??.clone();
    errors.all(|error| error.is_some()).then_some(first)
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
        Some(Err(error)) => Reading::Unreadable(ApiError::unreadable(
            action,
            &format!("the boundary's ARN in the answer cannot be used: {error}"),
        )),
        None => Reading::Unreadable(ApiError::unreadable(
            action,
            "the boundary in the answer has no ARN",
        )),
    }
}
