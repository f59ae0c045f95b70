use std::ops::ControlFlow;

use aws_sdk_iam::types::{AttachedPermissionsBoundary, SummaryKeyType};

use super::pages::{self, DETAILS, PAGE_SIZE};
use super::reader::{READS_AT_ONCE, Reader, many_at_once};
use super::readings::{Readings, denied_of, missing_of};
use super::retry::Caller;
use crate::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName, UniqueId};
use crate::inventory::{ApiError, ErrorClass, Inventory, Reading};

/// So few users are not worth asking how many pages the account has.
const FEW: usize = 2;
/// For more users than that, pages are cheaper in any account that there is.
const MANY: usize = 50;
const ONE_USER: &str = "iam:GetUser";
const SUMMARY: &str = "iam:GetAccountSummary";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Pages,
    OneByOne,
}

impl Reader {
    /// Reads the `listed` users, by account pages or one by one: whichever takes fewer calls. Where the
    /// caller may not do the one, the other is used.
    pub(super) async fn inventory<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, ApiError> {
        let listed: Vec<&Principal> = listed.into_iter().collect();
        match self.cheapest_way(listed.len()).await? {
            Way::Pages => match self.by_pages(&listed).await {
                Err(error) if error.class == ErrorClass::Denied => {
                    tracing::info!("{error}; reading {} users by {ONE_USER} instead", listed.len());
                    let inventory = self.one_by_one(&listed).await?;
                    match denied_for_all(&inventory) {
                        Some(error) => Err(error),
                        None => Ok(inventory),
                    }
                }
                read => self.missing_asked_for(&listed, read?).await,
            },
            Way::OneByOne => {
                let mut inventory = self.one_by_one(&listed).await?;
                let denied = denied_of(&inventory, &listed);
                let Some(error) = denied.first().and_then(|it| inventory.reading(it).denied())
                else {
                    return Ok(inventory);
                };
                tracing::info!("{error}; reading {} users by {DETAILS} instead", denied.len());
                match self.by_pages_twice(&denied).await {
                    Ok(read) => inventory.extend(read),
                    Err(error) if error.class != ErrorClass::Denied => return Err(error),
                    // Denied for each of them is denied for all: one message says it better.
                    Err(error) if denied_for_all(&inventory).is_some() => return Err(error),
                    Err(error) => tracing::info!("{error}"),
                }
                Ok(inventory)
            }
        }
    }

    /// Asks for each user whom no page named: pages shift when users come and go while they are read,
    /// and then leave out some who are there. Where asking is denied, the pages are read once more.
    async fn missing_asked_for(
        &self,
        listed: &[&Principal],
        mut inventory: Inventory,
    ) -> Result<Inventory, ApiError> {
        let missing = missing_of(&inventory, listed);
        if missing.is_empty() {
            return Ok(inventory);
        }
        tracing::debug!("asking by {ONE_USER} for {} users who are on no page", missing.len());
        let mut asked = self.one_by_one(&missing).await?;
        let denied = denied_of(&asked, &missing);
        if let Some(error) = denied.first().and_then(|it| asked.reading(it).denied()) {
            tracing::info!("{error}; reading {DETAILS} again, for {} users", denied.len());
            asked.extend(self.by_pages(&denied).await?);
        }
        inventory.extend(asked);
        Ok(inventory)
    }

    /// By pages, and once more for those whom no page named: they may have been left out.
    async fn by_pages_twice(&self, listed: &[&Principal]) -> Result<Inventory, ApiError> {
        let mut inventory = self.by_pages(listed).await?;
        let missing = missing_of(&inventory, listed);
        if !missing.is_empty() {
            inventory.extend(self.by_pages(&missing).await?);
        }
        Ok(inventory)
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

    /// Stops at the page on which the last of the listed users is found.
    async fn by_pages(&self, listed: &[&Principal]) -> Result<Inventory, ApiError> {
        let mut readings = Readings::of(listed);
        pages::each_detail(self, |user| {
            let name = user
                .user_name()
                .ok_or_else(|| ApiError::unreadable(DETAILS, "a user in the answer has no name"))?;
            readings.found(PrincipalKind::User, name, || {
                reading(DETAILS, user.user_id(), user.permissions_boundary())
            });
            Ok(if readings.are_complete() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })
        .await?;
        Ok(readings.into_inventory())
    }

    pub(super) async fn one_by_one(&self, listed: &[&Principal]) -> Result<Inventory, ApiError> {
        let caller = &self.caller(ONE_USER, READS_AT_ONCE, listed.len());
        let readings = listed.iter().copied().cloned().map(|principal| async move {
            let PrincipalKind::User = principal.kind;
            self.one_user(caller, &principal.name).await.map(|reading| (principal, reading))
        });
        Ok(Inventory::of(many_at_once(readings).await?))
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
                return Ok(Reading::NotFound { differs_by_case: None });
            }
            Err(error) => return Ok(Reading::Unreadable(error)),
        };
        let Some(found) = answer.user() else {
            let error = ApiError::unreadable(ONE_USER, "the answer has no user in it");
            return Ok(Reading::Unreadable(error));
        };
        if found.user_name() == user.as_str() {
            let unique_id = Some(found.user_id());
            return Ok(reading(ONE_USER, unique_id, found.permissions_boundary()));
        }
        Ok(match found.user_name().parse::<PrincipalName>() {
            Ok(other) if other.folded() == user.folded() => {
                Reading::NotFound { differs_by_case: Some(other) }
            }
            _ => Reading::Unreadable(ApiError::unreadable(
                ONE_USER,
                "the answer is about another user than was asked for",
            )),
        })
    }
}

/// The error, if the caller is not allowed to read any of the principals.
pub(super) fn denied_for_all(inventory: &Inventory) -> Option<ApiError> {
    let mut errors = inventory.iter().map(|(_, reading)| reading.denied());
    let first = errors.next()??.clone();
    errors.all(|error| error.is_some()).then_some(first)
}

/// The reading of a principal that is in a response. A response with a gap is not usable: a missing ID or
/// ARN does not mean that there is none.
pub(super) fn reading(
    action: &'static str,
    unique_id: Option<&str>,
    attached: Option<&AttachedPermissionsBoundary>,
) -> Reading {
    match parsed(unique_id, attached) {
        Ok((unique_id, boundary)) => Reading::Found { unique_id, boundary },
        Err(message) => Reading::Unreadable(ApiError::unreadable(action, &message)),
    }
}

fn parsed(
    unique_id: Option<&str>,
    attached: Option<&AttachedPermissionsBoundary>,
) -> Result<(UniqueId, Option<PolicyArn>), String> {
    let unique_id = unique_id.ok_or("the response has no unique ID for the user")?;
    let unique_id = unique_id
        .parse()
        .map_err(|error| format!("the user's unique ID in the response is not valid: {error}"))?;
    let Some(attached) = attached else { return Ok((unique_id, None)) };
    let arn = attached
        .permissions_boundary_arn()
        .ok_or("the boundary in the response has no ARN")?
        .parse()
        .map_err(|error| format!("the boundary's ARN in the response is not valid: {error}"))?;
    Ok((unique_id, Some(arn)))
}
