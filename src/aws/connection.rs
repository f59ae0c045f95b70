use std::collections::BTreeMap;
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

use super::pace::Bounds;
use super::reader::Reader;
use super::retry::{Caller, Counter, RetryPolicy};
use super::secrets::Secrets;
use super::stop::Stop;
use super::turnstile::Turnstile;
use super::whole_answer::WholeAnswers;
use super::write::Writer;
use crate::iam::{Partition, PolicyArn, Principal, Rate};
use crate::inventory::{
    ApiError, CallCount, CallerIdentity, ErrorClass, EveryPrincipal, EveryPrincipalError,
    Inventory, PolicyState,
};

/// How to reach IAM, and as whom.
#[derive(Debug, Clone)]
pub enum Access {
    /// As every AWS tool: environment, profiles, SSO, `credential_process`, web identity, containers'
    /// and instances' roles, in the order of the
    /// [SDK's chain](https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
    Chain {
        /// The profile to use, instead of `AWS_PROFILE` or `default`.
        profile: Option<String>,
        /// The region to use, instead of `AWS_REGION` or the profile's.
        region: Option<String>,
        /// Where IAM and STS are, instead of AWS's own addresses.
        endpoint_url: Option<String>,
        /// The partition that the file's ARNs name: it gives the region where nothing else does.
        partition: Option<Partition>,
    },
    /// A fake on this machine, with keys that are no secret. Environment and proxies are not looked at.
    Sandbox {
        /// Its address.
        endpoint_url: String,
        /// Its key id.
        access_key_id: &'static str,
        /// Its key.
        secret_access_key: &'static str,
    },
}

impl Access {
    /// The same access to an account in `partition`: it decides the region where nothing else does.
    pub fn for_partition(mut self, partition: Option<Partition>) -> Access {
        if let Access::Chain { partition: of_chain, .. } = &mut self {
            *of_chain = partition.or(*of_chain);
        }
        self
    }
}

/// A way to AWS: credentials, region and addresses settled, nothing called yet.
#[derive(Debug)]
pub struct Connection {
    config: SdkConfig,
    profile: String,
    counter: Counter,
    secrets: Secrets,
}

/// Why it could not be found out who we are.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// No source of credentials has any, or the one that was chosen failed.
    #[error(
        "there are no usable AWS credentials in the profile {profile} or any other source: {why}"
    )]
    Credentials {
        /// The profile that was looked for.
        profile: String,
        /// What the last of the sources said.
        why: String,
    },
    /// STS did not answer, or refused.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// STS named an identity that makes no sense.
    #[error("sts:GetCallerIdentity gave an answer that cannot be used: {0}")]
    StrangeIdentity(String),
}

/// An account whose identity is known: it can be read, and written to.
#[derive(Debug)]
pub struct Account {
    iam: aws_sdk_iam::Client,
    identity: CallerIdentity,
    reader: Reader,
    counter: Counter,
    secrets: Secrets,
}

/// The SDK's own defaults as of this day: a new SDK does not change them unasked.
const BEHAVIOR: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;
/// One attempt may take this long: a page of 1,000 users is slow to make.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Connection {
    /// Settles credentials, region and addresses, without a call to AWS.
    pub async fn open(access: &Access) -> Connection {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let config = match access {
            Access::Chain { profile, region, endpoint_url, partition } => {
                let region = region_chain(profile.as_deref(), region.clone(), *partition);
                let app = AppName::new("iam-boundaries").expect("letters and - are an app name");
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
        let secrets = Secrets::default();
        let config = match config.credentials_provider() {
            Some(provider) => {
                config.to_builder().credentials_provider(secrets.of(provider)).build()
            }
            None => config,
        };
        Connection { config, profile, counter: Counter::default(), secrets }
    }

    /// Asks STS who we are.
    ///
    /// # Errors
    /// [`ConnectError`], within seconds where there are no credentials or no network.
    pub async fn identify(self) -> Result<Account, ConnectError> {
        const ACTION: &str = "sts:GetCallerIdentity";
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .interceptor(WholeAnswers)
            .build();
        let sts = aws_sdk_sts::Client::from_conf(config);
        let turnstile = Turnstile::new(Bounds { in_flight: 1, calls: 1 }, Arc::default());
        let policy = RetryPolicy::impatient();
        let caller =
            Caller::new(ACTION, policy, turnstile, self.counter.clone(), self.secrets.clone());
        let who = || async {
            sts.get_caller_identity()
                .send()
                .await
                .map_err(|error| ApiError::from_sdk(ACTION, error))
        };
        let answer = match caller.call(&Stop::never(), who, |_| {}).await.into_result(ACTION) {
            Ok(answer) => answer,
            // Errors that AWS itself gave keep its words; the others come from the providers.
            Err(error) if error.class == ErrorClass::Credentials && error.request_id.is_none() => {
                return Err(ConnectError::Credentials {
                    profile: self.profile,
                    why: error.message,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let identity = CallerIdentity::from_answer(answer.account(), answer.arn())?;
        tracing::debug!(account = %identity.account, arn = identity.arn, "identity");
        let config = aws_sdk_iam::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .interceptor(WholeAnswers)
            .build();
        let iam = aws_sdk_iam::Client::from_conf(config);
        let reader = Reader::new(iam.clone(), self.counter.clone(), self.secrets.clone());
        let (counter, secrets) = (self.counter, self.secrets);
        Ok(Account { iam, identity, reader, counter, secrets })
    }
}

impl CallerIdentity {
    fn from_answer(account: Option<&str>, arn: Option<&str>) -> Result<Self, ConnectError> {
        let strange = |what: String| ConnectError::StrangeIdentity(what);
        let account = account.ok_or_else(|| strange("it names no account".to_owned()))?;
        let arn = arn.ok_or_else(|| strange("it names no ARN".to_owned()))?;
        let partition = arn
            .split(':')
            .nth(1)
            .unwrap_or_default()
            .parse::<Partition>()
            .map_err(|error| strange(format!("in the ARN {arn:?}, {error}")))?;
        let account = account
            .parse()
            .map_err(|error| strange(format!("the account {account:?}: {error}")))?;
        Ok(CallerIdentity { account, partition, arn: arn.to_owned() })
    }
}

impl Account {
    /// Who the credentials belong to.
    pub fn identity(&self) -> &CallerIdentity {
        &self.identity
    }

    /// Reads with these retries instead of [`RetryPolicy::default`]'s.
    pub fn reading_with(mut self, policy: RetryPolicy) -> Account {
        self.reader.policy = policy;
        self
    }

    /// Reads the present boundary of each of the `listed` users.
    ///
    /// # Errors
    /// When the account cannot be read. A user who alone could not be read is no error of the whole:
    /// the snapshot says so at that user.
    pub async fn inventory<'a>(
        &self,
        listed: impl IntoIterator<Item = &'a Principal>,
    ) -> Result<Inventory, ApiError> {
        self.reader.inventory(listed).await
    }

    /// Reads every user of the account, with boundary.
    ///
    /// # Errors
    /// When the account cannot be read, or something of a single user: nobody is left out in silence.
    pub async fn every_principal(&self) -> Result<EveryPrincipal, EveryPrincipalError> {
        self.reader.every_principal().await
    }

    /// Whether each of the policies `arns` is there and can be a boundary: one `GetPolicy` for each.
    ///
    /// # Errors
    /// When credentials are useless. A policy that alone could not be read is no error of the whole.
    pub async fn policies<'a>(
        &self,
        arns: impl IntoIterator<Item = &'a PolicyArn>,
    ) -> Result<BTreeMap<PolicyArn, PolicyState>, ApiError> {
        self.reader.policies(arns).await
    }

    /// How many users the account has: by `GetAccountSummary`, or without a call if an earlier summary told
    /// it, or an earlier reading went through all pages. Users who came and went since are not counted.
    ///
    /// # Errors
    /// When it is not known yet, and the call fails: the caller may be denied it.
    pub async fn user_count(&self) -> Result<usize, ApiError> {
        self.reader.user_count().await
    }

    /// The calls made so far to learn who we are and to read.
    pub fn calls(&self) -> CallCount {
        self.counter.calls()
    }

    /// What can change this account, within `bounds` and at no more than `ceiling` calls per second.
    pub fn writer(&self, bounds: Bounds, ceiling: Option<Rate>, policy: RetryPolicy) -> Writer {
        Writer::new(self.iam.clone(), bounds, ceiling, policy, self.secrets.clone())
    }
}

/// `--region`, environment, profile, and at last the home of the file's partition.
///
/// IAM is global, so an instance's own region is not asked for: only the partition matters.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_taken_only_whole() {
        let arn = Some("arn:aws-us-gov:sts::123456789012:assumed-role/ci/run");
        let identity = CallerIdentity::from_answer(Some("123456789012"), arn).unwrap();
        assert_eq!(identity.partition, Partition::AwsUsGov);
        for (account, arn) in [
            (None, arn),
            (Some("123456789012"), None),
            (Some(""), arn),
            (Some("123456789012"), Some("alice")),
        ] {
            assert!(CallerIdentity::from_answer(account, arn).is_err(), "{account:?} {arn:?}");
        }
    }
}
