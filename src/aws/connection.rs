use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::access::Access;
use super::account::Account;
use super::call_counter::CallCounter;
use super::call_executor::CallExecutor;
use super::error::CallFailure;
use super::identity::parse_identity;
use super::limiter::LimiterOptions;
use super::rate_limiter::RateLimiter;
use super::redactor::Redactor;
use super::response_check::ResponseCheck;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use crate::iam::Partition;
use crate::inventory::{ApiError, ErrorClass};

/// A connection to AWS: credentials, region and endpoint are configured, and no call is made yet.
#[derive(Debug)]
pub struct Connection {
    config: SdkConfig,
    profile: String,
    counter: CallCounter,
    redactor: Redactor,
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
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let config = match access {
            Access::Chain { profile, region, endpoint_url, partition } => {
                let region = region_chain(profile.as_deref(), region.clone(), *partition);
                let app = AppName::new("iam-boundaries").expect("the app name is valid");
                let mut loader = aws_config::defaults(BEHAVIOR())
                    .app_name(app)
                    .timeout_config(timeouts)
                    .region(region);
                if let Some(profile) = profile {
                    loader = loader.profile_name(profile);
                }
                if let Some(url) = endpoint_url {
                    loader = loader.endpoint_url(url);
                }
                loader.load().await
            }
            Access::Sandbox { endpoint_url, access_key_id, secret_access_key } => {
                let keys = Credentials::from_keys(*access_key_id, *secret_access_key, None);
                SdkConfig::builder()
                    .behavior_version(BEHAVIOR())
                    .timeout_config(timeouts)
                    .region(Region::from_static(Partition::Aws.home_region()))
                    .endpoint_url(endpoint_url)
                    .credentials_provider(SharedCredentialsProvider::new(keys))
                    .http_client(aws_smithy_http_client::Builder::new().build_http())
                    .build()
            }
        };
        let profile = match access {
            Access::Chain { profile: Some(profile), .. } => profile.clone(),
            _ => std::env::var("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned()),
        };
        let redactor = Redactor::default();
        let config = match config.credentials_provider() {
            Some(provider) => {
                config.to_builder().credentials_provider(redactor.watch(provider)).build()
            }
            None => config,
        };
        Connection { config, profile, counter: CallCounter::default(), redactor }
    }

    /// Confirms the caller identity with `sts:GetCallerIdentity`.
    ///
    /// # Errors
    /// [`ConnectError`], within seconds if there are no credentials or there is no network.
    pub async fn identify(self) -> Result<Account, ConnectError> {
        const ACTION: &str = "sts:GetCallerIdentity";
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .interceptor(ResponseCheck)
            .build();
        let sts = aws_sdk_sts::Client::from_conf(config);
        let options = LimiterOptions { max_in_flight: 1, expected_calls: 1 };
        let rate_limiter = RateLimiter::new(options, Arc::default());
        let (counter, redactor) = (self.counter, self.redactor);
        let policy = RetryPolicy::interactive();
        let executor =
            CallExecutor::new(ACTION, policy, rate_limiter, counter.clone(), redactor.clone());
        let get = || async {
            sts.get_caller_identity()
                .send()
                .await
                .map_err(|error| CallFailure::from_sdk(ACTION, error))
        };
        let end = executor.execute(&Stop::never(), get, |_| {}).await;
        let response = match end.into_result(ACTION) {
            Ok(response) => response,
            // An error with a request ID is AWS's; the others are the credential providers'.
            Err(error) if error.class == ErrorClass::Credentials && error.request_id.is_none() => {
                return Err(ConnectError::Credentials {
                    profile: self.profile,
                    why: error.message,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let identity = parse_identity(response.account(), response.arn())
            .map_err(ConnectError::UnusableIdentity)?;
        tracing::debug!(account = %identity.account, arn = identity.arn, "caller identity");
        let config = aws_sdk_iam::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .interceptor(ResponseCheck)
            .build();
        let iam = aws_sdk_iam::Client::from_conf(config);
        Ok(Account::new(iam, identity, counter, redactor))
    }
}

/// The sources of the region: `region`, the environment, the profile, and the home region of the partition.
///
/// IAM is global, so only the partition of the region matters. The region of an instance is therefore not
/// requested from its metadata service.
fn region_chain(
    profile: Option<&str>,
    region: Option<String>,
    partition: Option<Partition>,
) -> RegionProviderChain {
    let mut from_profile = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        from_profile = from_profile.profile_name(profile);
    }
    let home = partition.unwrap_or(Partition::Aws).home_region();
    RegionProviderChain::first_try(region.map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(from_profile.build())
        .or_else(Region::from_static(home))
}
