use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;

use super::call_context::CallContext;
use super::call_executor::CallExecutor;
use super::credentials::sts_timeouts;
use super::error::CallFailure;
use super::limiter::LimiterOptions;
use super::rate_limiter::RateLimiter;
use super::response_check::ResponseCheck;
use super::retries::Outage;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use crate::iam::{AccountId, Partition};
use crate::inventory::{ApiError, CallerIdentity};

pub(super) const ACTION: &str = "sts:GetCallerIdentity";

/// Why the identity of a caller is unknown.
#[derive(Debug)]
pub(super) enum IdentityError {
    /// The call failed.
    Call(ApiError),
    /// The response cannot be used.
    Unusable(String),
}

/// The identity that the credentials of `config` belong to, from `sts:GetCallerIdentity`. Transient errors are retried
/// for `max_time`, in which the credentials must be available, too.
pub(super) async fn get_caller_identity(
    config: &SdkConfig,
    context: &CallContext,
    max_time: Duration,
) -> Result<CallerIdentity, IdentityError> {
    let config = aws_sdk_sts::config::Builder::from(config)
        .timeout_config(sts_timeouts(config))
        .retry_config(RetryConfig::disabled())
        .interceptor(ResponseCheck::of(context))
        .build();
    let sts = aws_sdk_sts::Client::from_conf(config);
    let options = LimiterOptions { max_in_flight: 1, expected_calls: 1 };
    let rate_limiter = RateLimiter::new(options, Arc::default());
    let policy =
        RetryPolicy { retry_for: max_time, give_up_after: max_time, ..RetryPolicy::default() };
    // Responses of IAM say nothing about STS.
    let context = CallContext { outage: Outage::default(), ..context.clone() };
    let waits = context.waits.clone();
    let executor = CallExecutor::new(ACTION, policy, rate_limiter, context);
    let get = || async {
        sts.get_caller_identity().send().await.map_err(|error| CallFailure::from_sdk(ACTION, error))
    };
    let over = async {
        waits.over(max_time).await;
        ApiError::given_up(ACTION, waits.of_call(ACTION))
    };
    let stop = Stop::never();
    let response = tokio::select! {
        end = executor.execute(&stop, get, |_| {}) => end.into_only_result(ACTION),
        error = over => Err(error),
    };
    let response = response.map_err(IdentityError::Call)?;
    let identity =
        parse_identity(response.account(), response.arn()).map_err(IdentityError::Unusable)?;
    tracing::debug!(account = %identity.account, arn = %identity.arn, "caller identity");
    Ok(identity)
}

/// The identity in a response of
/// [GetCallerIdentity](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
///
/// # Errors
/// What makes the response unusable: a missing or invalid account or ARN.
fn parse_identity(account: Option<&str>, arn: Option<&str>) -> Result<CallerIdentity, String> {
    let account = account.ok_or("it contains no account")?;
    let arn = arn.ok_or("it contains no ARN")?;
    // arn:partition:service:…
    let partition = arn.split(':').nth(1).unwrap_or_default();
    let partition = partition
        .parse::<Partition>()
        .map_err(|error| format!("the ARN {arn:?} is not valid: {error}"))?;
    let account = account
        .parse::<AccountId>()
        .map_err(|error| format!("the account {account:?} is not valid: {error}"))?;
    Ok(CallerIdentity { account, partition, arn: arn.into() })
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;

    use super::super::credentials::MAX_START_TIME;
    use super::super::http::{Client, Proxies, Trust};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_sts_that_never_responds_fails_after_exactly_the_maximum_time() {
        // The system accepts the connections.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let context = CallContext::default();
        let waits = context.waits.clone();
        let keys = Credentials::from_keys("any", "any", None);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(&endpoint)
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(Client::new(Trust::default(), Proxies::default(), waits))
            .build();
        let began = tokio::time::Instant::now();
        let error = get_caller_identity(&config, &context, MAX_START_TIME).await.unwrap_err();
        let IdentityError::Call(error) = error else { panic!("{error:?}") };
        // Each attempt has 10 seconds. The last one is cut off.
        assert_eq!(began.elapsed().as_secs(), MAX_START_TIME.as_secs());
        assert!(error.is_timeout(), "{error}");
        let made = context.counter.calls().made;
        assert!((9..=11).contains(&made), "{made}");
        let tried = format!("({endpoint}, {} attempts in 120 seconds)", made + 1);
        assert!(error.message.ends_with(&tried), "{tried}: {error}");
        assert_eq!(context.waits.longest(Duration::ZERO), None);
    }

    #[test]
    fn an_identity_needs_a_valid_account_and_a_valid_arn() {
        let arn = Some("arn:aws-us-gov:sts::123456789012:assumed-role/ci/run");
        let identity = parse_identity(Some("123456789012"), arn).unwrap();
        assert_eq!(identity.partition, Partition::AwsUsGov);
        for (account, arn) in [
            (None, arn),
            (Some("123456789012"), None),
            (Some(""), arn),
            (Some("123456789012"), Some("alice")),
        ] {
            assert!(parse_identity(account, arn).is_err(), "{account:?} {arn:?}");
        }
    }
}
