use std::ops::ControlFlow;

use aws_sdk_iam::types::{AttachedPermissionsBoundary, SummaryKeyType};

use super::call_executor::CallExecutor;
use super::error::CallFailure;
use super::pages::{self, DETAILS, PAGE_SIZE};
use super::reader::{MAX_READS_IN_FLIGHT, Reader, concurrently};
use super::readings::{Readings, denied_of, missing_of};
use crate::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName, UniqueId};
use crate::inventory::{ApiError, ErrorClass, Inventory, Reading};

/// For up to this many users, single calls are used without a call for the number of pages.
const FEW: usize = 2;
/// For more users than this, pages need fewer calls in any account: an account has at most 5,000 users
/// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)), and a page may have
/// fewer than [`PAGE_SIZE`].
const MANY: usize = 50;
const ONE_USER: &str = "iam:GetUser";
const SUMMARY: &str = "iam:GetAccountSummary";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadMethod {
    Pages,
    OneByOne,
}

impl Reader {
    /// Reads the `listed` users, by account pages or one by one: whichever needs fewer calls. If the caller is not
    /// allowed to use one method, the other is used.
    pub(super) async fn inventory<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, ApiError> {
        let listed: Vec<&Principal> = listed.into_iter().collect();
        match self.cheapest_method(listed.len()).await? {
            ReadMethod::Pages => match self.by_pages(&listed).await {
                Err(error) if error.class == ErrorClass::Denied => {
                    tracing::info!("{error}; reading {} users by {ONE_USER} instead", listed.len());
                    let inventory = self.one_by_one(&listed).await?;
                    match denied_for_all(&inventory) {
                        Some(error) => Err(error),
                        None => Ok(inventory),
                    }
                }
                read => self.with_missing(&listed, read?).await,
            },
            ReadMethod::OneByOne => {
                let mut inventory = self.one_by_one(&listed).await?;
                let denied = denied_of(&inventory, &listed);
                let Some(error) = denied.first().and_then(|it| inventory.reading(it).denied())
                else {
                    return self.with_names_in_other_case(&listed, inventory).await;
                };
                tracing::info!("{error}; reading {} users by {DETAILS} instead", denied.len());
                match self.by_pages_twice(&denied).await {
                    Ok(read) => inventory.extend(read),
                    Err(error) if error.class != ErrorClass::Denied => return Err(error),
                    // Every user is denied: one error is clearer than one for each user.
                    Err(error) if denied_for_all(&inventory).is_some() => return Err(error),
                    Err(error) => tracing::info!("{error}"),
                }
                Ok(inventory)
            }
        }
    }

    /// Reads each user that was on no page by `GetUser`: if users are created or deleted meanwhile, pages shift
    /// and can omit existing users. If `GetUser` is denied, the pages are read again.
    async fn with_missing(
        &self,
        listed: &[&Principal],
        mut inventory: Inventory,
    ) -> Result<Inventory, ApiError> {
        let missing = missing_of(&inventory, listed);
        if missing.is_empty() {
            return Ok(inventory);
        }
        tracing::debug!("reading {} users that are on no page by {ONE_USER}", missing.len());
        let mut found = self.one_by_one(&missing).await?;
        let denied = denied_of(&found, &missing);
        if let Some(error) = denied.first().and_then(|it| found.reading(it).denied()) {
            tracing::info!("{error}; reading {} users by {DETAILS} again", denied.len());
            found.extend(self.by_pages(&denied).await?);
        }
        inventory.extend(found);
        Ok(inventory)
    }

    /// Looks, for each user that `GetUser` did not find, for one whose name differs only in case. AWS documents that
    /// names are not distinguished by case ([CreateUser](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html)),
    /// and not what `GetUser` does with a name in another case: emulators find nobody.
    async fn with_names_in_other_case(
        &self,
        listed: &[&Principal],
        mut inventory: Inventory,
    ) -> Result<Inventory, ApiError> {
        let is_unexplained = |it: &&&Principal| {
            *inventory.reading(it) == Reading::NotFound { differs_by_case: None }
        };
        let missing: Vec<&Principal> = listed.iter().filter(is_unexplained).copied().collect();
        if missing.is_empty() {
            return Ok(inventory);
        }
        match self.by_pages(&missing).await {
            Ok(read) => {
                // `GetUser` decides whether a user exists; the pages only add a name.
                let is_missing = |(_, reading): &(&Principal, &Reading)| reading.is_not_found();
                let named = read.iter().filter(is_missing);
                inventory.extend(Inventory::of(
                    named.map(|(it, reading)| (it.clone(), reading.clone())).collect(),
                ));
            }
            Err(error) if error.class == ErrorClass::Credentials => return Err(error),
            Err(error) => tracing::info!("{error}; names in another case are not looked for"),
        }
        Ok(inventory)
    }

    /// Reads users by pages, and reads the pages again if users are missing: shifting pages may have omitted them.
    async fn by_pages_twice(&self, listed: &[&Principal]) -> Result<Inventory, ApiError> {
        let mut inventory = self.by_pages(listed).await?;
        let missing = missing_of(&inventory, listed);
        if !missing.is_empty() {
            inventory.extend(self.by_pages(&missing).await?);
        }
        Ok(inventory)
    }

    async fn cheapest_method(&self, listed: usize) -> Result<ReadMethod, ApiError> {
        if listed <= FEW {
            return Ok(ReadMethod::OneByOne);
        }
        if listed > MANY {
            return Ok(ReadMethod::Pages);
        }
        let users = match self.user_count().await {
            Ok(users) => users,
            Err(error) if error.class == ErrorClass::Credentials => return Err(error),
            Err(error) => {
                tracing::info!("{error}; reading {listed} users by {DETAILS}");
                return Ok(ReadMethod::Pages);
            }
        };
        let pages = users.div_ceil(PAGE_SIZE).max(1);
        tracing::debug!(users, pages, listed, "size of the account");
        Ok(if listed <= pages { ReadMethod::OneByOne } else { ReadMethod::Pages })
    }

    /// The number of users of the account, from `GetAccountSummary` unless it is known.
    pub(super) async fn user_count(&self) -> Result<usize, ApiError> {
        if let Some(count) = self.user_count.get() {
            return Ok(*count);
        }
        let summary = || async {
            self.iam
                .get_account_summary()
                .send()
                .await
                .map_err(|error| CallFailure::from_sdk(SUMMARY, error))
        };
        let response = self.call(&self.executor(SUMMARY, 1, 1), summary).await?;
        let users = response.summary_map().and_then(|map| map.get(&SummaryKeyType::Users));
        let users = users.and_then(|&users| usize::try_from(users).ok()).ok_or_else(|| {
            ApiError::unreadable(SUMMARY, "the response does not contain the number of users")
        })?;
        Ok(*self.user_count.get_or_init(|| users))
    }

    /// Reads pages up to the one with the last of the listed users.
    async fn by_pages(&self, listed: &[&Principal]) -> Result<Inventory, ApiError> {
        let mut readings = Readings::of(listed);
        pages::each_detail(self, |user| {
            let name = user.user_name().ok_or_else(|| {
                ApiError::unreadable(DETAILS, "a user in the response has no name")
            })?;
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
        let executor = &self.executor(ONE_USER, MAX_READS_IN_FLIGHT, listed.len());
        let readings = listed.iter().copied().cloned().map(|principal| async move {
            let PrincipalKind::User = principal.kind;
            self.one_user(executor, &principal.name).await.map(|reading| (principal, reading))
        });
        Ok(Inventory::of(concurrently(readings).await?))
    }

    /// Reads users by `GetUser`, whatever the number of calls. If the caller may not read the first one, the
    /// others are not requested.
    ///
    /// # Errors
    /// If the caller may not read the first user, or an error concerns every user.
    pub(super) async fn by_get_user<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, ApiError> {
        let listed: Vec<&Principal> = listed.into_iter().collect();
        let Some((first, others)) = listed.split_first() else { return Ok(Inventory::default()) };
        let mut inventory = self.one_by_one(&[first]).await?;
        if let Some(error) = inventory.reading(first).denied() {
            return Err(error.clone());
        }
        inventory.extend(self.one_by_one(others).await?);
        Ok(inventory)
    }

    /// The reading of one user.
    ///
    /// # Errors
    /// Only errors that concern every user.
    async fn one_user(
        &self,
        executor: &CallExecutor,
        user: &PrincipalName,
    ) -> Result<Reading, ApiError> {
        let get = || async {
            self.iam
                .get_user()
                .user_name(user.as_str())
                .send()
                .await
                .map_err(|error| CallFailure::from_sdk(ONE_USER, error))
        };
        let response = match self.call(executor, get).await {
            Ok(response) => response,
            Err(error) if error.class == ErrorClass::Credentials => return Err(error),
            Err(error) if error.class == ErrorClass::NotFound => {
                return Ok(Reading::NotFound { differs_by_case: None });
            }
            Err(error) => return Ok(Reading::Unreadable(error)),
        };
        let Some(found) = response.user() else {
            let error = ApiError::unreadable(ONE_USER, "the response contains no user");
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
                "the response contains another user than requested",
            )),
        })
    }
}

/// The error, if the caller is not allowed to read any principal of the inventory.
pub(super) fn denied_for_all(inventory: &Inventory) -> Option<ApiError> {
    let mut errors = inventory.iter().map(|(_, reading)| reading.denied());
    let first = errors.next()??.clone();
    errors.all(|error| error.is_some()).then_some(first)
}

/// The reading of a principal in a response. An incomplete response is unusable: a missing ID or ARN does not
/// mean that the principal has none.
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
