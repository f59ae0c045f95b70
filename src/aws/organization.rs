use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Once;

use aws_config::retry::RetryConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::types as sdk;
use futures::{StreamExt, TryStreamExt, stream};

use super::base_identity::BaseIdentity;
use super::call_executor::CallExecutor;
use super::error::CallFailure;
use super::limiter::LimiterOptions;
use super::page_tokens::PageTokens;
use super::rate_limiter::RateLimiter;
use super::response_check::ResponseCheck;
use super::retries::THROTTLING;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use crate::iam::{AccountId, Printable, UnitId};
use crate::inventory::{AccountState, ApiError, ErrorClass, OrganizationAccount, Retry};

const ACCOUNTS: &str = "organizations:ListAccounts";
const ACCOUNTS_OF_UNIT: &str = "organizations:ListAccountsForParent";
const UNITS_OF_UNIT: &str = "organizations:ListOrganizationalUnitsForParent";

/// The maximum number of requests of one action in flight. AWS publishes no rates of this service, and all clients in
/// the organization share them.
const MAX_IN_FLIGHT: usize = 8;
/// The expected number of calls: a page has at most 20 accounts
/// ([ListAccounts](https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html)).
const EXPECTED_CALLS: usize = 100;
/// The maximum numbers of accounts and units: twice and ten times the
/// [quotas](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html) of 50,000 and 2,000.
const MAX_ACCOUNTS: usize = 100_000;
const MAX_UNITS: usize = 20_000;
/// The maximum number of empty pages in a row. A page can be empty although others follow (ListAccounts).
const MAX_EMPTY_PAGES: usize = 20;
/// The maximum number of times that the whole organization is read.
const MAX_READINGS: usize = 2;

/// Reads the accounts of an organization in AWS Organizations.
#[derive(Debug)]
pub struct Organization {
    client: Client,
    accounts: CallExecutor,
    accounts_of_unit: CallExecutor,
    units_of_unit: CallExecutor,
    throttling_warning: Once,
}

/// An account, as far as ListAccounts returns it.
struct Listed {
    name: Printable,
    state: AccountState,
}

/// Why a reading is not whole.
enum Incomplete {
    Call(ApiError),
    /// Two responses contradict each other: the organization has changed while it was read.
    Changed(String),
}

impl From<ApiError> for Incomplete {
    fn from(error: ApiError) -> Self {
        Incomplete::Call(error)
    }
}

/// A page of a list.
struct Page<T> {
    /// `None` if the response has no list.
    items: Option<Vec<T>>,
    next_token: Option<String>,
}

impl Organization {
    /// The code for a unit that does not exist
    /// ([ListAccountsForParent](https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html)).
    pub const NO_PARENT: &str = "ParentNotFoundException";

    /// Every account of the organization of the base identity, by ID, and whether it is in one of `units` or below.
    ///
    /// The base identity must be of the management account or of a delegated administrator, and be allowed
    /// `organizations:ListAccounts`, `organizations:ListAccountsForParent` and
    /// `organizations:ListOrganizationalUnitsForParent`
    /// ([ListAccounts](https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html)).
    ///
    /// The result is never empty or a part: a page that cannot be read is an error, and so is a reading without the
    /// account of the base identity. If a unit has an account that ListAccounts did not return, or was deleted meanwhile,
    /// everything is read again. One thing cannot be detected: an account that moves, while they are read, from a unit
    /// that is not read yet to one that was read before.
    ///
    /// # Errors
    /// If a call fails after its retries, or two readings contradict themselves.
    pub async fn accounts(
        base: &BaseIdentity,
        units: &BTreeSet<UnitId>,
    ) -> Result<Vec<OrganizationAccount>, ApiError> {
        let organization = Organization::of(base);
        let mut contradiction = String::new();
        for _ in 0..MAX_READINGS {
            match organization.read(base.identity().account, units).await {
                Ok(accounts) => return Ok(accounts),
                Err(Incomplete::Call(error)) => return Err(explained(error)),
                Err(Incomplete::Changed(why)) => {
                    tracing::info!("{why}; reading the organization again");
                    contradiction = why;
                }
            }
        }
        let message = format!("{contradiction}, also when read again");
        Err(ApiError::unreadable(ACCOUNTS, &message))
    }

    fn of(base: &BaseIdentity) -> Organization {
        let context = base.context();
        let config = aws_sdk_organizations::config::Builder::from(base.config())
            .retry_config(RetryConfig::disabled())
            .interceptor(ResponseCheck::of(context))
            .build();
        let executor = |action| {
            let options =
                LimiterOptions { max_in_flight: MAX_IN_FLIGHT, expected_calls: EXPECTED_CALLS };
            let rate_limiter = RateLimiter::new(options, Default::default());
            CallExecutor::new(action, RetryPolicy::default(), rate_limiter, context.clone())
        };
        Organization {
            client: Client::from_conf(config),
            accounts: executor(ACCOUNTS),
            accounts_of_unit: executor(ACCOUNTS_OF_UNIT),
            units_of_unit: executor(UNITS_OF_UNIT),
            throttling_warning: Once::new(),
        }
    }

    async fn read(
        &self,
        own: AccountId,
        units: &BTreeSet<UnitId>,
    ) -> Result<Vec<OrganizationAccount>, Incomplete> {
        let all = self.all_accounts().await?;
        if !all.contains_key(&own) {
            let why = format!("the list of accounts has no account {own}, which requested it");
            return Err(Incomplete::Changed(why));
        }
        let in_units = self.accounts_in(units).await?;
        if let Some((id, unit)) = in_units.iter().find(|(id, _)| !all.contains_key(id)) {
            let why = format!("account {id} of unit {unit} is not in the list of accounts");
            return Err(Incomplete::Changed(why));
        }
        // An organization has one root, and every account is below it.
        let has_root = units.iter().any(|unit| unit.as_str().starts_with("r-"));
        let account = |(id, Listed { name, state }): (AccountId, Listed)| OrganizationAccount {
            id,
            name,
            state,
            is_in_units: has_root || in_units.contains_key(&id),
        };
        Ok(all.into_iter().map(account).collect())
    }

    async fn all_accounts(&self) -> Result<BTreeMap<AccountId, Listed>, ApiError> {
        let get = async |token| {
            let sent = self.client.list_accounts().set_next_token(token).send().await;
            sent.map(|page| Page { items: page.accounts, next_token: page.next_token })
                .map_err(|error| CallFailure::from_sdk(ACCOUNTS, error))
        };
        let mut all = BTreeMap::new();
        for account in self.pages(&self.accounts, MAX_ACCOUNTS, get).await? {
            let id = account_id(&account, ACCOUNTS)?;
            let state = account.state().map(sdk::AccountState::as_str);
            // Emulators may not have the newer field yet.
            let state = state.or(account.status().map(sdk::AccountStatus::as_str));
            let state = state.map(AccountState::of).ok_or_else(|| {
                let message = format!("account {id} has neither State nor Status in the response");
                ApiError::unreadable(ACCOUNTS, &message)
            })?;
            let name = Printable::exact(account.name().unwrap_or_default());
            all.insert(id, Listed { name, state });
        }
        Ok(all)
    }

    /// The accounts in `units` and below, each with its unit. Units are nested up to five levels below the root
    /// ([quotas](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html)).
    async fn accounts_in(
        &self,
        units: &BTreeSet<UnitId>,
    ) -> Result<BTreeMap<AccountId, UnitId>, Incomplete> {
        let mut accounts = BTreeMap::new();
        let mut known = units.clone();
        let mut level = units.clone();
        while !level.is_empty() {
            let read = |unit: UnitId| async move {
                let read = futures::try_join!(self.accounts_of(&unit), self.units_of(&unit));
                match read {
                    // A unit below a requested one was deleted meanwhile.
                    Err(error)
                        if error.code == Organization::NO_PARENT && !units.contains(&unit) =>
                    {
                        Err(Incomplete::Changed(format!("unit {unit} does not exist any more")))
                    }
                    read => read.map(|read| (unit, read)).map_err(Incomplete::Call),
                }
            };
            let read = stream::iter(level).map(read).buffer_unordered(2 * MAX_IN_FLIGHT);
            let read: Vec<_> = read.try_collect().await?;
            level = BTreeSet::new();
            for (unit, (its_accounts, its_units)) in read {
                accounts.extend(its_accounts.into_iter().map(|id| (id, unit.clone())));
                level.extend(its_units.into_iter().filter(|unit| known.insert(unit.clone())));
            }
            if known.len() > MAX_UNITS {
                let message = format!("there are more than {MAX_UNITS} organizational units");
                return Err(ApiError::beyond_limit(UNITS_OF_UNIT, &message).into());
            }
        }
        Ok(accounts)
    }

    async fn accounts_of(&self, unit: &UnitId) -> Result<Vec<AccountId>, ApiError> {
        let get = async |token| {
            let request = self.client.list_accounts_for_parent().parent_id(unit.as_str());
            let sent = request.set_next_token(token).send().await;
            sent.map(|page| Page { items: page.accounts, next_token: page.next_token })
                .map_err(|error| CallFailure::from_sdk(ACCOUNTS_OF_UNIT, error))
        };
        let read = self.pages(&self.accounts_of_unit, MAX_ACCOUNTS, get).await;
        let accounts = read.map_err(|error| of_unit(error, unit))?;
        accounts.iter().map(|account| account_id(account, ACCOUNTS_OF_UNIT)).collect()
    }

    async fn units_of(&self, unit: &UnitId) -> Result<Vec<UnitId>, ApiError> {
        let get = async |token| {
            let request =
                self.client.list_organizational_units_for_parent().parent_id(unit.as_str());
            let sent = request.set_next_token(token).send().await;
            sent.map(|page| Page { items: page.organizational_units, next_token: page.next_token })
                .map_err(|error| CallFailure::from_sdk(UNITS_OF_UNIT, error))
        };
        let read = self.pages(&self.units_of_unit, MAX_UNITS, get).await;
        let units = read.map_err(|error| of_unit(error, unit))?;
        let id = |unit: &sdk::OrganizationalUnit| {
            let id = unit.id().unwrap_or_default();
            id.parse().map_err(|_| {
                let message = format!("the ID {id:?} of an organizational unit is not valid");
                ApiError::unreadable(UNITS_OF_UNIT, &message)
            })
        };
        units.iter().map(id).collect()
    }

    /// The items of all pages that `get` returns, at most `max`.
    async fn pages<T>(
        &self,
        executor: &CallExecutor,
        max: usize,
        get: impl AsyncFn(Option<String>) -> Result<Page<T>, CallFailure>,
    ) -> Result<Vec<T>, ApiError> {
        let action = executor.action();
        let mut all = Vec::new();
        let mut tokens = PageTokens::new(action, MAX_EMPTY_PAGES);
        loop {
            let Page { items, next_token } = self.call(executor, || get(tokens.next())).await?;
            // AWS returns an empty list, and no response without one.
            let items = items
                .ok_or_else(|| ApiError::unreadable(action, "the response contains no list"))?;
            let is_empty = items.is_empty();
            all.extend(items);
            if all.len() > max {
                let message = format!("the pages have more than {max} items");
                return Err(ApiError::beyond_limit(action, &message));
            }
            let Some(next) = next_token.filter(|next| !next.is_empty()) else { return Ok(all) };
            tokens.advance(is_empty, next)?;
        }
    }

    async fn call<T, F>(&self, executor: &CallExecutor, call: impl Fn() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let warn = |retry: Retry| {
            if retry.error.class == ErrorClass::Throttled && retry.attempt > 1 {
                self.throttling_warning.call_once(|| {
                    let action = &retry.error.action;
                    tracing::warn!(
                        target: THROTTLING,
                        "AWS Organizations throttles {action}: reading the accounts takes longer"
                    );
                });
            }
        };
        let end = executor.execute(&Stop::never(), call, warn).await;
        end.into_only_result(executor.action())
    }
}

/// The code if the account of the caller is in no organization
/// ([ListAccounts](https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html)).
const NOT_IN_USE: &str = "AWSOrganizationsNotInUseException";

fn account_id(account: &sdk::Account, action: &'static str) -> Result<AccountId, ApiError> {
    let id = account.id().unwrap_or_default();
    id.parse().map_err(|_| {
        ApiError::unreadable(action, &format!("the ID {id:?} of an account is not valid"))
    })
}

/// The error with the unit that the call was for.
fn of_unit(error: ApiError, unit: &UnitId) -> ApiError {
    let message = format!("{} (unit {unit})", error.message);
    ApiError { message: message.into(), ..error }
}

/// The error with the reason that AWS does not name.
fn explained(error: ApiError) -> ApiError {
    if error.class != ErrorClass::Denied && error.code != NOT_IN_USE {
        return error;
    }
    let message = format!(
        "{} (only the management account and delegated administrators of the organization can list its accounts)",
        error.message
    );
    ApiError { message: message.into(), ..error }
}
