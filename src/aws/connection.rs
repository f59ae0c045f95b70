use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileLoadError, ProfileSet};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::access::Access;
use super::account::Account;
use super::call_context::CallContext;
use super::clock::SystemClock;
use super::credentials::{MAX_START_TIME, RenewedCredentials, Sources, has_partial_key};
use super::endpoint::{PlainHttp, check_endpoints};
use super::http::{Client, Proxies, Trust};
use super::identity::{IdentityError, get_caller_identity};
use super::identity_guard::IdentityGuard;
use super::profile::{
    ProfileOrigin, SelectedProfile, load_credentials_file, load_profiles, profile_files,
};
use super::redactor::Redactor;
use super::region::{RegionMismatch, check_region, region_chain};
use super::response_check::ResponseCheck;
use super::waits::Waits;
use crate::iam::{Partition, Printable};
use crate::inventory::ApiError;

/// A connection to AWS: credentials, region and endpoint are configured, and no call is made yet.
#[derive(Debug)]
pub struct Connection {
    config: SdkConfig,
    profile: SelectedProfile,
    /// Why no call can be made.
    obstacle: Option<ConnectError>,
    context: CallContext,
    guard: IdentityGuard,
}

/// Why the caller identity could not be confirmed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// No source has credentials, or the chosen source failed.
    #[error("no AWS credentials found in profile {profile} or any other source: {why}")]
    Credentials {
        /// The profile that was searched.
        profile: Printable,
        /// The message of the source that failed.
        why: Printable,
    },
    /// The profile of `--profile` has no usable credentials. No other source is used.
    #[error("no AWS credentials found in profile {profile:?} of --profile: {why}")]
    ProfileCredentials {
        /// The profile.
        profile: Printable,
        /// What the profile lacks, or the message of the source that it names.
        why: Printable,
    },
    /// The source of the credentials failed.
    #[error("cannot get credentials: {}", error.message)]
    Source {
        /// The profile that was searched.
        profile: Printable,
        /// The error of the source.
        error: Box<ApiError>,
    },
    /// The bundle of certificate authorities cannot be used. The text says which, and why.
    #[error("{0}")]
    CaBundle(Printable),
    /// The value of a proxy variable cannot be used. The text says which, and why.
    #[error("{0}")]
    Proxy(Printable),
    /// The region is in another partition than the ARNs.
    #[error(transparent)]
    Region(Box<RegionMismatch>),
    /// An endpoint is without encryption.
    #[error(transparent)]
    PlainHttp(PlainHttp),
    /// The profile that `--profile` or a variable names does not exist.
    #[error("the AWS profile {profile:?} of {origin} does not exist in {} or {}", files[0], files[1])]
    NoSuchProfile {
        /// The profile.
        profile: Printable,
        /// What names it.
        origin: ProfileOrigin,
        /// The paths of the configuration file and the credentials file.
        files: [Printable; 2],
    },
    /// A file with profiles cannot be read or parsed.
    #[error("cannot read the AWS profile {profile:?} of {origin}: {why}")]
    UnreadableProfiles {
        /// The profile.
        profile: Printable,
        /// What names it.
        origin: ProfileOrigin,
        /// The reason.
        why: Printable,
    },
    /// The environment has an access key ID without its secret access key.
    #[error("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")]
    PartialKey,
    /// The call to STS failed.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// The response of STS cannot be used.
    #[error("sts:GetCallerIdentity returned an unusable response: {0}")]
    UnusableIdentity(Printable),
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
    pub async fn open_with(access: &Access, waits: Waits) -> Connection {
        let redactor = Redactor::default();
        let (profile, config, obstacle) = match access {
            Access::Chain { profile, .. } => {
                let profile = SelectedProfile::new(profile.as_deref());
                let (config, obstacle) = open_chain(access, &profile, &redactor, &waits).await;
                (profile, config, obstacle)
            }
            Access::Sandbox { endpoint_url, access_key_id, secret_access_key } => {
                let keys = Credentials::from_keys(*access_key_id, *secret_access_key, None);
                let config = SdkConfig::builder()
                    .behavior_version(BEHAVIOR())
                    .time_source(SystemClock)
                    .timeout_config(timeouts())
                    .region(Region::from_static(Partition::Aws.home_region()))
                    .endpoint_url(endpoint_url)
                    .credentials_provider(SharedCredentialsProvider::new(keys))
                    .http_client(Client::new(Trust::default(), Proxies::default(), waits.clone()))
                    .build();
                (SelectedProfile::new(None), config, None)
            }
        };
        let mut context = CallContext { redactor, waits, ..CallContext::default() };
        let guard = IdentityGuard::new(&config, context.clone());
        let config = match config.credentials_provider() {
            Some(provider) => {
                let provider = guard.watch(context.redactor.watch(provider));
                context.credentials = RenewedCredentials::new(provider, context.waits.clone());
                config
                    .to_builder()
                    .credentials_provider(SharedCredentialsProvider::new(
                        context.credentials.clone(),
                    ))
                    .identity_cache(IdentityCache::no_cache())
                    .build()
            }
            None => config,
        };
        Connection { config, profile, obstacle, context, guard }
    }

    /// Confirms the caller identity with `sts:GetCallerIdentity`.
    ///
    /// Each call of the account is signed with credentials of that identity's account only.
    ///
    /// # Errors
    /// [`ConnectError`], before any call if the credentials are not configured, and after at most 2 minutes if STS or
    /// the source of the credentials is not available.
    pub async fn identify(self) -> Result<Account, ConnectError> {
        self.identify_within(MAX_START_TIME).await
    }

    /// Like [`Connection::identify`], with another maximum time. The time in which a person types an MFA code does not
    /// count.
    ///
    /// # Errors
    /// Those of [`Connection::identify`].
    pub async fn identify_within(self, max_time: Duration) -> Result<Account, ConnectError> {
        if let Some(error) = self.obstacle {
            return Err(error);
        }
        let context = self.context;
        let identity = match get_caller_identity(&self.config, &context, max_time).await {
            Ok(identity) => identity,
            Err(IdentityError::Call(error)) => {
                let profile = Printable::new(self.profile.name());
                return Err(match &*error.code {
                    ApiError::NO_CREDENTIALS if self.profile.is_exclusive() => {
                        ConnectError::ProfileCredentials { profile, why: error.message }
                    }
                    ApiError::NO_CREDENTIALS => {
                        ConnectError::Credentials { profile, why: error.message }
                    }
                    ApiError::SOURCE_FAILED
                    | ApiError::SOURCE_UNAVAILABLE
                    | ApiError::SOURCE_TIMED_OUT
                    | ApiError::MFA_REQUIRED => {
                        ConnectError::Source { profile, error: Box::new(error) }
                    }
                    _ => error.into(),
                });
            }
            Err(IdentityError::Unusable(why)) => {
                return Err(ConnectError::UnusableIdentity(why.into()));
            }
        };
        self.guard.bind(&identity);
        let config = aws_sdk_iam::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .interceptor(ResponseCheck { redactor: context.redactor.clone() })
            .build();
        let iam = aws_sdk_iam::Client::from_conf(config);
        Ok(Account::new(iam, identity, context))
    }
}

/// The settings and the credentials of the standard sources, and why no call can be made with them.
async fn open_chain(
    access: &Access,
    profile: &SelectedProfile,
    redactor: &Redactor,
    waits: &Waits,
) -> (SdkConfig, Option<ConnectError>) {
    let Access::Chain { region, endpoint_url, allow_http, partition, mfa, .. } = access else {
        unreachable!("the caller has matched it")
    };
    let profiles = load_profiles().await;
    let mut obstacle = obstacle(profile, profiles.as_ref());
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
    if !allow_http
        && let Err(error) =
            check_endpoints(endpoint_url.as_deref(), &of_credentials, profile.name())
    {
        obstacle.get_or_insert(ConnectError::PlainHttp(error));
    }
    if let Some(used) = config.region() {
        let flag = region.as_deref();
        let checked =
            check_region(used.as_ref(), flag, profile, profiles.as_ref(), partition.as_ref());
        if let Err(error) = checked {
            obstacle.get_or_insert_with(|| ConnectError::Region(Box::new(error)));
        }
    }
    let credentials_file = load_credentials_file().await.ok();
    let sources = Sources {
        config: &of_credentials,
        http: &http,
        profile,
        profiles: profiles.as_ref(),
        credentials_file: credentials_file.as_ref(),
        mfa: mfa.clone(),
        redactor,
        waits,
    };
    let config = config.to_builder().credentials_provider(sources.provider()).build();
    (config, obstacle)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}

/// The settings of the environment and of the profile, without credentials.
async fn load_config(
    profile: &str,
    region: RegionProviderChain,
    endpoint_url: Option<&str>,
    http: &Client,
) -> SdkConfig {
    let app = AppName::new("iam-boundaries").expect("the app name is valid");
    let mut loader = aws_config::defaults(BEHAVIOR())
        .app_name(app)
        .time_source(SystemClock)
        .timeout_config(timeouts())
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
    profiles: Result<&ProfileSet, &ProfileFileLoadError>,
) -> Option<ConnectError> {
    let (name, origin) = (Printable::new(profile.name()), profile.origin());
    match profiles {
        Ok(profiles) if profile.is_named() && profiles.get_profile(profile.name()).is_none() => {
            let files = profile_files();
            Some(ConnectError::NoSuchProfile { profile: name, origin, files })
        }
        Err(error) if profile.is_named() => {
            let why = error.to_string().into();
            Some(ConnectError::UnreadableProfiles { profile: name, origin, why })
        }
        _ if !profile.is_exclusive() && has_partial_key() => Some(ConnectError::PartialKey),
        _ => None,
    }
}
