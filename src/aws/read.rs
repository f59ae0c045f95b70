use std::collections::BTreeMap;
use std::ops::ControlFlow;

use aws_sdk_iam::types::SummaryKeyType;

use super::call_executor::CallExecutor;
use super::detail::Detail;
use super::error::CallFailure;
use super::pages::{self, DETAILS, PAGE_SIZE};
use super::reader::{MAX_READS_IN_FLIGHT, Reader, concurrently};
use super::readings::{Readings, denied_of, kinds_of, missing_of};
use crate::iam::{Principal, PrincipalKind, PrincipalName};
use crate::inventory::{ApiError, Attributes, ErrorClass, Inventory, Reading};

/// For up to this many principals, single calls are used without a call for the number of pages.
const FEW: usize = 2;
/// For more principals than this, pages need fewer calls in any account: an account has at most 5,000 users and 1,000
/// roles, unless the quota of roles is increased
/// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)), and a page may have
/// fewer than [`PAGE_SIZE`].
const MANY: usize = 50;
const SUMMARY: &str = "iam:GetAccountSummary";

/// The action that reads one principal of this kind.
fn get_action(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "iam:GetUser",
        PrincipalKind::Role => "iam:GetRole",
    }
}

/// The numbers of users and of roles of an account, as far as IAM returned them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AccountCounts([Option<usize>; PrincipalKind::ALL.len()]);

impl AccountCounts {
    pub(super) fn of_kind(self, kind: PrincipalKind) -> Option<usize> {
        self.0[kind as usize]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadMethod {
    Pages,
    OneByOne,
}

impl Reader {
    /// Reads the `listed` principals, by account pages or one by one: whichever needs fewer calls. If the caller is
    /// not allowed to use one method, the other is used.
    pub(super) async fn inventory<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, ApiError> {
        let listed: Vec<&Principal> = listed.into_iter().collect();
        match self.cheapest_method(&listed).await? {
            ReadMethod::Pages => match self.by_pages(&listed).await {
                Err(error) if error.class == ErrorClass::Denied => {
                    tracing::info!("{error}; reading {} principals one by one", listed.len());
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
                tracing::info!("{error}; reading {} principals by {DETAILS}", denied.len());
                match self.by_pages_twice(&denied).await {
                    Ok(read) => inventory.extend(read),
                    Err(error) if error.class != ErrorClass::Denied => return Err(error),
                    // Everything is denied: one error is clearer than one for each principal.
                    Err(error) if denied_for_all(&inventory).is_some() => return Err(error),
                    Err(error) => tracing::info!("{error}"),
                }
                Ok(inventory)
            }
        }
    }

    /// Reads each principal that was on no page by `GetUser` or `GetRole`: if principals are created or deleted
    /// meanwhile, pages shift and can omit existing ones. If that is denied, the pages are read again.
    pub(super) async fn with_missing(
        &self,
        listed: &[&Principal],
        mut inventory: Inventory,
    ) -> Result<Inventory, ApiError> {
        let missing = missing_of(&inventory, listed);
        if missing.is_empty() {
            return Ok(inventory);
        }
        tracing::debug!("reading {} principals that are on no page one by one", missing.len());
        let mut found = self.one_by_one(&missing).await?;
        let denied = denied_of(&found, &missing);
        if let Some(error) = denied.first().and_then(|it| found.reading(it).denied()) {
            tracing::info!("{error}; reading {} principals by {DETAILS} again", denied.len());
            found.extend(self.by_pages(&denied).await?);
        }
        inventory.extend(found);
        Ok(inventory)
    }

    /// Looks, for each principal that `GetUser` or `GetRole` did not find, for one whose name differs only in case. AWS
    /// documents that names are not distinguished by case
    /// ([CreateUser](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html)), and not what these
    /// actions do with a name in another case: emulators find nobody.
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
                // Single calls decide whether a principal exists; the pages only add a name.
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

    /// Reads principals by pages, and reads the pages again if some are missing: shifting pages may have omitted
    /// them.
    async fn by_pages_twice(&self, listed: &[&Principal]) -> Result<Inventory, ApiError> {
        let mut inventory = self.by_pages(listed).await?;
        let missing = missing_of(&inventory, listed);
        if !missing.is_empty() {
            inventory.extend(self.by_pages(&missing).await?);
        }
        Ok(inventory)
    }

    pub(super) async fn cheapest_method(
        &self,
        listed: &[&Principal],
    ) -> Result<ReadMethod, ApiError> {
        if self.policies.is_some() && !listed.is_empty() {
            // Only pages have the policies of principals.
            return Ok(ReadMethod::Pages);
        }
        if listed.len() <= FEW {
            return Ok(ReadMethod::OneByOne);
        }
        if listed.len() > MANY {
            return Ok(ReadMethod::Pages);
        }
        // The principals of all kinds are on the same pages.
        let mut principals = 0;
        for kind in kinds_of(listed) {
            principals += match self.count_of(kind).await {
                Ok(count) => count,
                Err(error) if error.class == ErrorClass::Credentials => return Err(error),
                Err(error) => {
                    tracing::info!("{error}; reading {} principals by {DETAILS}", listed.len());
                    return Ok(ReadMethod::Pages);
                }
            };
        }
        let (pages, listed) = (principals.div_ceil(PAGE_SIZE).max(1), listed.len());
        tracing::debug!(principals, pages, listed, "size of the account");
        Ok(if listed <= pages { ReadMethod::OneByOne } else { ReadMethod::Pages })
    }

    /// The number of principals of this kind in the account, from `GetAccountSummary` unless it is known.
    pub(super) async fn count_of(&self, kind: PrincipalKind) -> Result<usize, ApiError> {
        if let Some(count) = self.count(kind) {
            return Ok(count);
        }
        self.account_counts().await?.of_kind(kind).ok_or_else(|| {
            let message = format!("the response does not contain the number of {}", kind.plural());
            ApiError::unreadable(SUMMARY, &message)
        })
    }

    /// The numbers of principals in the account now, from `GetAccountSummary`.
    pub(super) async fn account_counts(&self) -> Result<AccountCounts, ApiError> {
        let summary = || async {
            self.iam
                .get_account_summary()
                .send()
                .await
                .map_err(|error| CallFailure::from_sdk(SUMMARY, error))
        };
        let response = self.call(&self.executor(SUMMARY, 1, 1), summary).await?;
        let counts = PrincipalKind::ALL.map(|kind| {
            let key = match kind {
                PrincipalKind::User => SummaryKeyType::Users,
                PrincipalKind::Role => SummaryKeyType::Roles,
            };
            let count = response.summary_map().and_then(|map| map.get(&key));
            let count = count.and_then(|&count| usize::try_from(count).ok());
            count.inspect(|&count| self.remember_count(kind, count))
        });
        Ok(AccountCounts(counts))
    }

    /// Reads pages up to the one with the last of the listed principals.
    pub(super) async fn by_pages(&self, listed: &[&Principal]) -> Result<Inventory, ApiError> {
        let mut readings = Readings::of(listed);
        pages::each_detail(self, &kinds_of(listed), |detail| {
            let name = detail.required_name(DETAILS)?;
            readings.found(detail.kind, name, || detail.read(DETAILS, &self.texts));
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
        // IAM throttles each action separately.
        let [users, roles] = &PrincipalKind::ALL.map(|kind| {
            let calls = listed.iter().filter(|it| it.kind == kind).count();
            self.executor(get_action(kind), MAX_READS_IN_FLIGHT, calls)
        });
        let reads = listed.iter().copied().cloned().map(|principal| async move {
            let executor = match principal.kind {
                PrincipalKind::User => users,
                PrincipalKind::Role => roles,
            };
            self.one(executor, &principal).await.map(|read| (principal, read))
        });
        let (mut readings, mut attributes) = (BTreeMap::new(), BTreeMap::new());
        for (principal, (reading, its)) in concurrently(reads).await? {
            attributes.extend(its.map(|its| (principal.clone(), its)));
            readings.insert(principal, reading);
        }
        Ok(Inventory::of(readings).with_attributes(attributes))
    }

    /// Reads principals by single calls, whatever their number. If the caller may not read the first user, the other
    /// users are not requested; the same applies to roles.
    ///
    /// # Errors
    /// If the caller may read neither users nor roles, or an error concerns every principal.
    pub(super) async fn singly<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, ApiError> {
        let listed: Vec<&Principal> = listed.into_iter().collect();
        let mut inventory = Inventory::default();
        for kind in kinds_of(&listed) {
            let of_kind: Vec<&Principal> =
                listed.iter().copied().filter(|it| it.kind == kind).collect();
            let Some((first, others)) = of_kind.split_first() else { continue };
            let mut read = self.one_by_one(&[first]).await?;
            match read.reading(first).denied().cloned() {
                Some(error) => read.extend(Inventory::of(
                    others
                        .iter()
                        .map(|&it| (it.clone(), Reading::Unreadable(error.clone())))
                        .collect(),
                )),
                None => read.extend(self.one_by_one(others).await?),
            }
            inventory.extend(read);
        }
        match denied_for_all(&inventory) {
            Some(error) => Err(error),
            None => Ok(inventory),
        }
    }

    /// The reading of one principal, with its attributes if it exists.
    ///
    /// # Errors
    /// Only errors that concern every principal.
    async fn one(
        &self,
        executor: &CallExecutor,
        principal: &Principal,
    ) -> Result<(Reading, Option<Attributes>), ApiError> {
        let (name, action) = (principal.name.as_str(), executor.action());
        let unreadable =
            |message: String| Reading::Unreadable(ApiError::unreadable(action, &message));
        let named = |detail: Detail<'_>| {
            (detail.name().unwrap_or_default().to_owned(), detail.read(action, &self.texts))
        };
        let read = match principal.kind {
            PrincipalKind::User => {
                let get = || async {
                    let sent = self.iam.get_user().user_name(name).send().await;
                    sent.map_err(|error| CallFailure::from_sdk(action, error))
                };
                let read = self.call(executor, get).await;
                read.map(|response| response.user().map(|user| named(user.into())))
            }
            PrincipalKind::Role => {
                let get = || async {
                    let sent = self.iam.get_role().role_name(name).send().await;
                    sent.map_err(|error| CallFailure::from_sdk(action, error))
                };
                let read = self.call(executor, get).await;
                read.map(|response| response.role().map(|role| named(role.into())))
            }
        };
        let noun = principal.kind.noun();
        let reading = match read {
            Err(error) if error.class == ErrorClass::Credentials => return Err(error),
            Err(error) if error.class == ErrorClass::NotFound => {
                Reading::NotFound { differs_by_case: None }
            }
            Err(error) => Reading::Unreadable(error),
            Ok(None) => unreadable(format!("the response contains no {noun}")),
            Ok(Some((found, read))) if found == name => return Ok(read),
            Ok(Some((found, _))) => match found.parse::<PrincipalName>() {
                Ok(other) if other.folded() == principal.name.folded() => {
                    Reading::NotFound { differs_by_case: Some(other) }
                }
                _ => unreadable(format!("the response contains another {noun} than requested")),
            },
        };
        Ok((reading, None))
    }
}

/// The error, if the caller is not allowed to read any principal of the inventory.
pub(super) fn denied_for_all(inventory: &Inventory) -> Option<ApiError> {
    let mut errors = inventory.iter().map(|(_, reading)| reading.denied());
    let first = errors.next()??.clone();
    errors.all(|error| error.is_some()).then_some(first)
}
