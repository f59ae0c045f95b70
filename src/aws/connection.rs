use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileLoadError, ProfileFileRegionProvider, ProfileSet};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::access::Access;
use super::account::Account;
use super::call_counter::CallCounter;
use super::clock::SystemClock;
use super::credentials::{credentials_provider, has_partial_key};
use super::identity::{IdentityError, get_caller_identity};
use super::identity_guard::IdentityGuard;
use super::profile::{
    ProfileOrigin, SelectedProfile, load_credentials_file, load_profiles, profile_files,
};
use super::redactor::Redactor;
use super::response_check::ResponseCheck;
use crate::iam::{Partition, printable};
use crate::inventory::{ApiError, ErrorClass};

/// A connection to AWS: credentials, region and endpoint are configured, and no call is made yet.
#[derive(Debug)]
pub struct Connection {
    config: SdkConfig,
    profile: SelectedProfile,
    /// Why no call can be made.
    obstacle: Option<ConnectError>,
    counter: CallCounter,
    redactor: Redactor,
    guard: IdentityGuard,
}

/// Why the caller identity could not be confirmed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// No source has credentials, or the chosen source failed.
    #[error("no AWS credentials found in profile {profile} or any other source: {why}")]
    Credentials {
        /// The profile that was searched.
        profile: String,
        /// The message of the source that failed.
        why: String,
    },
    /// The profile of `--profile` has no usable credentials. No other source is used.
    #[error("no AWS credentials found in profile {profile:?} of --profile: {why}")]
    ProfileCredentials {
        /// The profile.
        profile: String,
        /// What the profile lacks, or the message of the source that it names.
        why: String,
    },
    /// The profile that `--profile` or a variable names does not exist.
    #[error("the AWS profile {profile:?} of {origin} does not exist in {} or {}", files[0], files[1])]
    NoSuchProfile {
        /// The profile.
        profile: String,
        /// What names it.
        origin: ProfileOrigin,
        /// The paths of the configuration file and the credentials file.
        files: [String; 2],
    },
    /// A file with profiles cannot be read or parsed.
    #[error("cannot read the AWS profile {profile:?} of {origin}: {why}")]
    UnreadableProfiles {
        /// The profile.
        profile: String,
        /// What names it.
        origin: ProfileOrigin,
        /// The reason.
        why: String,
    },
    /// The environment has an access key ID without its secret access key.
    #[error("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")]
    PartialKey,
    /// The call to STS failed.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// The response of STS cannot be used.
    #[error("sts:GetCallerIdentity returned an unusable response: {0}")]
    UnusableIdentity(String),
}

/// The SDK's defaults of this date. A new version of the SDK does not change them.
const BEHAVIOR: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;
/// The timeout of one attempt: IAM needs long for a page of 1,000 users.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Connection {
    /// Loads credentials, region and endpoint, without a call to IAM or STS.
    pub async fn open(access: &Access) -> Connection {
        let flag = match access {
            Access::Chain { profile, .. } => profile.as_deref(),
            Access::Sandbox { .. } => None,
        };
        let profile = SelectedProfile::new(flag);
        let (config, obstacle) = match access {
            Access::Chain { region, endpoint_url, partition, .. } => {
                let profiles = load_profiles().await;
                let region = region_chain(profile.name(), region.clone(), *partition);
                let config = load_config(profile.name(), region, endpoint_url.as_deref()).await;
                let obstacle = obstacle(&profile, profiles.as_ref());
                let provider = credentials_provider(
                    &config,
                    &profile,
                    profiles.as_ref().ok(),
                    load_credentials_file().await.as_ref().ok(),
                );
                (config.to_builder().credentials_provider(provider).build(), obstacle)
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
                    .http_client(aws_smithy_http_client::Builder::new().build_http())
                    .build();
                (config, None)
            }
        };
        let (counter, redactor) = (CallCounter::default(), Redactor::default());
        let guard = IdentityGuard::new(&config, counter.clone(), redactor.clone());
        let config = match config.credentials_provider() {
            Some(provider) => {
                let provider = guard.watch(redactor.watch(provider));
                config.to_builder().credentials_provider(provider).build()
            }
            None => config,
        };
        Connection { config, profile, obstacle, counter, redactor, guard }
    }

    /// Confirms the caller identity with `sts:GetCallerIdentity`.
    ///
    /// Each call of the account is signed with credentials of that identity's account only.
    ///
    /// # Errors
    /// [`ConnectError`], before any call if the credentials are not configured, and within seconds if there is no
    /// network.
    pub async fn identify(self) -> Result<Account, ConnectError> {
        if let Some(error) = self.obstacle {
            return Err(error);
        }
        let (counter, redactor) = (self.counter, self.redactor);
        let identity = match get_caller_identity(&self.config, &counter, &redactor).await {
            Ok(identity) => identity,
            // An error with a request ID is AWS's; the others are the credential providers'.
            Err(IdentityError::Call(error))
                if error.class == ErrorClass::Credentials && error.request_id.is_none() =>
            {
                let (profile, why) = (self.profile.name().to_owned(), error.message);
                return Err(match self.profile.is_exclusive() {
                    true => ConnectError::ProfileCredentials { profile, why },
                    false => ConnectError::Credentials { profile, why },
                });
            }
            Err(IdentityError::Call(error)) => return Err(error.into()),
            Err(IdentityError::Unusable(why)) => return Err(ConnectError::UnusableIdentity(why)),
        };
        self.guard.bind(&identity);
        let config = aws_sdk_iam::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .interceptor(ResponseCheck)
            .build();
        let iam = aws_sdk_iam::Client::from_conf(config);
        Ok(Account::new(iam, identity, counter, redactor))
    }
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
) -> SdkConfig {
    let app = AppName::new("iam-boundaries").expect("the app name is valid");
    let mut loader = aws_config::defaults(BEHAVIOR())
        .app_name(app)
        .time_source(SystemClock)
        .timeout_config(timeouts())
        .region(region)
        .profile_name(profile)
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
    let (name, origin) = (profile.name().to_owned(), profile.origin());
    match profiles {
        Ok(profiles) if profile.is_named() && profiles.get_profile(&name).is_none() => {
            let files = profile_files();
            Some(ConnectError::NoSuchProfile { profile: name, origin, files })
        }
        Err(error) if profile.is_named() => {
            let why = printable(&error.to_string());
            Some(ConnectError::UnreadableProfiles { profile: name, origin, why })
        }
        _ if !profile.is_exclusive() && has_partial_key() => Some(ConnectError::PartialKey),
        _ => None,
    }
}

/// The sources of the region: `region`, the environment, the profile, and the home region of the partition.
///
/// IAM is global, so only the partition of the region matters. The region of an instance is therefore not
/// requested from its metadata service.
fn region_chain(
    profile: &str,
    region: Option<String>,
    partition: Option<Partition>,
) -> RegionProviderChain {
    let from_profile = ProfileFileRegionProvider::builder().profile_name(profile);
    let home = partition.unwrap_or(Partition::Aws).home_region();
    RegionProviderChain::first_try(region.map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(from_profile.build())
        .or_else(Region::from_static(home))
}
