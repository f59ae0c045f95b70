use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileSet;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::access::Access;
use super::account::Account;
use super::base_identity::{BaseIdentity, RoleAccess};
use super::call_context::CallContext;
use super::clock::SystemClock;
use super::connect_error::ConnectError;
use super::credentials::{MAX_START_TIME, RenewedCredentials, Sources, has_partial_key};
use super::endpoint::{EndpointError, check_endpoints};
use super::http::{Client, Proxies, Trust};
use super::identity::{self, IdentityError, get_caller_identity};
use super::identity_guard::IdentityGuard;
use super::profile::{SelectedProfile, load_credentials_file, load_profiles, profile_files};
use super::redactor::Redactor;
use super::region::{RegionError, check_region, region_chain};
use super::response_check::ResponseCheck;
use super::waits::Waits;
use crate::iam::{AccountId, Partition, Printable, RoleArn};
use crate::inventory::{ApiError, CallerIdentity, RecordedRequest};

/// A connection to AWS: credentials, region and endpoint are configured, and no call is made yet.
#[derive(Debug)]
pub struct Connection {
    opened: Opened,
    /// The role of a fleet, and the account that it is assumed for.
    role: Option<(RoleArn, AccountId)>,
    context: CallContext,
    guard: IdentityGuard,
}

/// The SDK's defaults of this date. A new version of the SDK does not change them.
const BEHAVIOR: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;
/// The timeout of one attempt: IAM needs seconds for a page of 1,000 users.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Connection {
    /// Loads credentials, region and endpoint, without a call to IAM or STS.
    pub async fn open(access: &Access) -> Connection {
        Connection::open_with(access, Waits::default()).await
    }

    /// Like [`Connection::open`]. `waits` tells what the calls of the connection wait for.
    ///
    /// For a role of a fleet, nothing is loaded: the settings are those of the base identity.
    pub async fn open_with(access: &Access, waits: Waits) -> Connection {
        let mut assumed = None;
        let mut opened = match access {
            Access::Chain { .. } => open_chain(access, &waits).await,
            Access::Sandbox { endpoint_url, access_key_id, secret_access_key } => {
                let keys = Credentials::from_keys(*access_key_id, *secret_access_key, None);
                let http = Client::new(Trust::default(), Proxies::default(), waits.clone());
                let config = SdkConfig::builder()
                    .behavior_version(BEHAVIOR())
                    .app_name(app_name())
                    .time_source(SystemClock)
                    .timeout_config(timeouts())
                    .region(Region::from_static(Partition::Aws.home_region()))
                    .endpoint_url(endpoint_url)
                    .credentials_provider(SharedCredentialsProvider::new(keys))
                    .http_client(http.clone())
                    .build();
                let (profile, redactor) = (SelectedProfile::new(None), Redactor::default());
                Opened { config, http, profile, redactor, obstacle: None }
            }
            Access::Role { base, account, role } => {
                let (account, parameters) = (*account, role.clone());
                let role = role.role.in_account(account, base.identity().partition);
                let found = role.account();
                let obstacle = (found != account).then(|| ConnectError::OtherAccount {
                    role: role.clone(),
                    account,
                    found,
                });
                assumed = Some((role.clone(), account));
                let RoleAccess { config, http, profile, redactor } =
                    base.assuming(role, parameters, &waits);
                Opened { config, http, profile, redactor, obstacle }
            }
        };
        let redactor = opened.redactor.clone();
        let mut context = CallContext { redactor, waits, ..CallContext::default() };
        let guard = IdentityGuard::new(&opened.config, context.clone());
        if let Some(provider) = opened.config.credentials_provider() {
            let provider = guard.watch(context.redactor.watch(provider));
            context.credentials = RenewedCredentials::new(provider, context.waits.clone());
            let renewed = SharedCredentialsProvider::new(context.credentials.clone());
            let config = opened.config.to_builder().credentials_provider(renewed);
            opened.config = config.identity_cache(IdentityCache::no_cache()).build();
        }
        Connection { opened, role: assumed, context, guard }
    }

    /// Confirms the caller identity with `sts:GetCallerIdentity`.
    ///
    /// Each call of the account is signed with credentials of that identity's account only. The identity of a role of a
    /// fleet must be of the account that the role is assumed for.
    ///
    /// # Errors
    /// [`ConnectError`], before any call if the credentials are not configured, and after at most 2 minutes if STS or
    /// the source of the credentials is not available.
    pub async fn identify(self) -> Result<Account, ConnectError> {
        self.identify_within(MAX_START_TIME).await
    }

    /// Like [`Connection::identify`], with another maximum time. The time in which a person types an MFA code does not
    /// count, and neither does the time to assume a role of a fleet, which includes its time in the queue.
    ///
    /// # Errors
    /// Those of [`Connection::identify`].
    pub async fn identify_within(self, max_time: Duration) -> Result<Account, ConnectError> {
        let identity = self.confirm(max_time).await?;
        let Connection { opened, context, .. } = self;
        let config = aws_sdk_iam::config::Builder::from(&opened.config)
            .retry_config(RetryConfig::disabled())
            .interceptor(ResponseCheck::of(&context))
            .build();
        let iam = aws_sdk_iam::Client::from_conf(config);
        Ok(Account::new(iam, identity, context, opened.config))
    }

    /// The caller identity, to whose account the credentials are then bound.
    async fn confirm(&self, max_time: Duration) -> Result<CallerIdentity, ConnectError> {
        if let Some(error) = &self.opened.obstacle {
            return Err(error.clone());
        }
        if self.role.is_some() {
            let assumed = self.context.credentials.ready().await;
            assumed.map_err(|error| self.failed(error.in_call(identity::ACTION)))?;
        }
        let identity = get_caller_identity(&self.opened.config, &self.context, max_time).await;
        let identity = identity.map_err(|error| match error {
            IdentityError::Call(error) => self.failed(error),
            IdentityError::Unusable(why) => ConnectError::UnusableIdentity(why.into()),
        })?;
        match &self.role {
            Some((role, account)) if identity.account != *account => {
                let (role, found) = (role.clone(), identity.account);
                return Err(ConnectError::OtherAccount { role, account: *account, found });
            }
            _ => {}
        }
        self.guard.bind(&identity);
        Ok(identity)
    }

    /// The error of a call that failed.
    fn failed(&self, error: ApiError) -> ConnectError {
        let profile = Printable::new(self.opened.profile.name());
        match &*error.code {
            ApiError::NO_CREDENTIALS if self.opened.profile.is_exclusive() => {
                let origin = self.opened.profile.origin();
                ConnectError::ProfileCredentials { profile, origin, why: error.message }
            }
            ApiError::NO_CREDENTIALS => ConnectError::Credentials { profile, why: error.message },
            ApiError::SOURCE_FAILED
            | ApiError::SOURCE_UNAVAILABLE
            | ApiError::SOURCE_TIMED_OUT
            | ApiError::MFA_REQUIRED => ConnectError::Source { profile, error: Box::new(error) },
            _ => error.into(),
        }
    }
}

impl BaseIdentity {
    /// Loads the settings and the credentials of `access`, and confirms their identity with `sts:GetCallerIdentity`.
    /// `waits` tells what its calls wait for. The base can be a role of a fleet, too.
    ///
    /// # Errors
    /// Those of [`Connection::identify`].
    pub async fn open(access: &Access, waits: Waits) -> Result<BaseIdentity, ConnectError> {
        let connection = Connection::open_with(access, waits).await;
        let identity = connection.confirm(MAX_START_TIME).await?;
        let Connection { opened: Opened { config, http, profile, .. }, context, .. } = connection;
        Ok(BaseIdentity::new(identity, config, http, profile, context))
    }
}

/// The settings of the calls, before one is made.
#[derive(Debug)]
struct Opened {
    config: SdkConfig,
    /// The HTTP client of `config`.
    http: Client,
    profile: SelectedProfile,
    redactor: Redactor,
    /// Why no call can be made.
    obstacle: Option<ConnectError>,
}

/// The settings and the credentials of the standard sources, and why no call can be made with them.
async fn open_chain(access: &Access, waits: &Waits) -> Opened {
    let Access::Chain { profile, region, endpoint_url, allow_http, partition, mfa } = access else {
        unreachable!("the caller has matched it")
    };
    let (profile, redactor) = (SelectedProfile::new(profile.as_deref()), Redactor::default());
    let profiles = load_profiles().await;
    let mut obstacle = obstacle(&profile, profiles.as_ref());
    let profiles = profiles.ok();
    let selected = profiles.as_ref().and_then(|profiles| profiles.get_profile(profile.name()));
    let bundle = selected.and_then(|profile| profile.get("ca_bundle"));
    let trust = Trust::load(profile.name(), bundle).unwrap_or_else(|error| {
        obstacle.get_or_insert_with(|| ConnectError::CaBundle(error.to_string().into()));
        Trust::default()
    });
    let proxies = Proxies::from_env().unwrap_or_else(|error| {
        obstacle.get_or_insert_with(|| ConnectError::Proxy(error.to_string().into()));
        Proxies::default()
    });
    let http = Client::new(trust, proxies, waits.clone());
    let expected = partition.as_ref().map(|expected| expected.partition);
    let chain = || region_chain(profile.name(), region.clone(), expected);
    // `--endpoint-url` does not apply to the calls that get credentials.
    let of_credentials = load_config(profile.name(), chain(), None, &http).await;
    let config = match endpoint_url.as_deref() {
        Some(url) => load_config(profile.name(), chain(), Some(url), &http).await,
        None => of_credentials.clone(),
    };
    let flag = endpoint_url.as_deref();
    if let Err(error) = check_endpoints(flag, &of_credentials, profile.name(), *allow_http) {
        obstacle.get_or_insert(match error {
            EndpointError::PlainHttp(error) => ConnectError::PlainHttp(error),
            error @ EndpointError::Invalid(_) => ConnectError::Endpoint(error.to_string().into()),
        });
    }
    if let Some(used) = config.region() {
        let flag = region.as_deref();
        let checked =
            check_region(used.as_ref(), flag, &profile, profiles.as_ref(), partition.as_ref());
        if let Err(error) = checked {
            obstacle.get_or_insert(match error {
                RegionError::Invalid(text) => ConnectError::InvalidRegion(text.into()),
                RegionError::Mismatch(mismatch) => ConnectError::Region(mismatch),
            });
        }
    }
    let credentials_file = load_credentials_file().await.ok();
    let sources = Sources {
        config: &of_credentials,
        http: &http,
        profile: &profile,
        profiles: profiles.as_ref(),
        credentials_file: credentials_file.as_ref(),
        mfa,
        redactor: &redactor,
        waits,
    };
    let config = config.to_builder().credentials_provider(sources.provider()).build();
    Opened { config, http, profile, redactor, obstacle }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}

/// The name of the tool in its user agent, by which its requests are recognized in CloudTrail.
fn app_name() -> AppName {
    AppName::new(RecordedRequest::APP).expect("the app name is valid")
}

/// The settings of the environment and of the profile, without credentials.
async fn load_config(
    profile: &str,
    region: RegionProviderChain,
    endpoint_url: Option<&str>,
    http: &Client,
) -> SdkConfig {
    let mut loader = aws_config::defaults(BEHAVIOR())
        .app_name(app_name())
        .time_source(SystemClock)
        .timeout_config(timeouts())
        // The tool retries calls itself. Without this, the SDK panics if AWS_MAX_ATTEMPTS, AWS_RETRY_MODE or the setting
        // of a profile is invalid.
        .retry_config(RetryConfig::disabled())
        .region(region)
        .profile_name(profile)
        .http_client(http.clone())
        .no_credentials();
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

/// What makes the configured credentials unusable, if it is known before the first call.
fn obstacle(
    profile: &SelectedProfile,
    profiles: Result<&ProfileSet, &String>,
) -> Option<ConnectError> {
    let (name, origin) = (Printable::new(profile.name()), profile.origin());
    match profiles {
        Ok(profiles) if profile.is_named() && profiles.get_profile(profile.name()).is_none() => {
            let files = profile_files();
            Some(ConnectError::NoSuchProfile { profile: name, origin, files })
        }
        Err(why) => Some(ConnectError::UnreadableProfiles(why.as_str().into())),
        _ if !profile.is_exclusive() && has_partial_key() => Some(ConnectError::PartialKey),
        _ => None,
    }
}
