use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future::ProvideCredentials as Provided};

use super::call_end::CallEnd;
use super::call_executor::CallExecutor;
use super::credentials::{ASSUME_ROLE, MAX_START_TIME, error_of_role, session_of, sts_timeouts};
use super::error::CallFailure;
use super::response_check::ResponseCheck;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use super::waits::Waits;
use crate::iam::{AccountId, AssumeRole, RoleArn};
use crate::inventory::{ApiError, ErrorClass};

/// The credentials of a role in an account of a fleet, each from one `sts:AssumeRole` call with the credentials of the
/// base identity.
#[derive(Debug)]
pub(super) struct AccountRole {
    pub(super) role: RoleArn,
    /// The other parameters.
    pub(super) parameters: AssumeRole,
    /// The account of the base identity, whose quota the calls use.
    pub(super) caller: AccountId,
    /// The name of the session if the parameters have none.
    pub(super) session_name: String,
    /// The settings and the credentials of the calls.
    pub(super) config: SdkConfig,
    /// Executes the calls at the rate that STS sustains for the whole fleet.
    pub(super) executor: CallExecutor,
    pub(super) waits: Waits,
    /// Whether there was a session before.
    pub(super) has_begun: AtomicBool,
}

/// A throttled call is retried for as long as STS accepts those of other accounts. Other transient errors end the call:
/// [`RenewedCredentials`](super::credentials::RenewedCredentials) repeats it.
pub(super) const POLICY: fn() -> RetryPolicy = || RetryPolicy {
    attempts: 1,
    retry_for: Duration::ZERO,
    give_up_after: MAX_START_TIME,
    ..RetryPolicy::default()
};

impl AccountRole {
    async fn assume(&self) -> Result<Credentials, ApiError> {
        let AccountRole { role, parameters, session_name, .. } = self;
        let of_role = format!("role {role}");
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .timeout_config(sts_timeouts(&self.config))
            .retry_config(RetryConfig::disabled())
            // The response contains new secrets, which may be those of the last session.
            .interceptor(ResponseCheck::default())
            .build();
        let sts = aws_sdk_sts::Client::from_conf(config);
        let session_name =
            parameters.session_name.as_ref().map_or(session_name.as_str(), |name| name.as_str());
        self.waits.asks_source(&format!("{ASSUME_ROLE} of {of_role}"), "AssumeRole");
        let call = || async {
            sts.assume_role()
                .role_arn(role.as_str())
                .role_session_name(session_name)
                .set_external_id(parameters.external_id.as_ref().map(|id| id.as_str().to_owned()))
                .set_duration_seconds(parameters.duration.map(|it| it.seconds().into()))
                .send()
                .await
                .map_err(|error| CallFailure::from_sdk(ASSUME_ROLE, error))
        };
        let end = self.executor.execute(&Stop::never(), call, |_| {}).await;
        let response = match end {
            CallEnd::Failed { error, attempts, wait: Some(wait), .. }
                if error.class == ErrorClass::Throttled =>
            {
                let time = wait.time();
                let call = format!(
                    "{of_role}, throttled for {time}: {attempts} attempts with credentials of account {}",
                    self.caller
                );
                let error = error_of_role(error, &call);
                // For the first session, the call was retried for as long as any source of credentials is.
                let class = match self.has_begun.load(Ordering::Relaxed) {
                    true => error.class,
                    false => ErrorClass::Throttled,
                };
                return Err(ApiError { class, ..error });
            }
            end => end.into_result(ASSUME_ROLE).map_err(|error| error_of_role(error, &of_role))?,
        };
        let credentials = session_of(&response).map_err(|error| error_of_role(error, &of_role))?;
        self.has_begun.store(true, Ordering::Relaxed);
        Ok(credentials)
    }
}

impl ProvideCredentials for AccountRole {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async { self.assume().await.map_err(CredentialsError::provider_error) })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;

    use aws_config::{BehaviorVersion, Region};
    use aws_credential_types::provider::SharedCredentialsProvider;
    use tokio::time::Instant;

    use super::super::call_context::CallContext;
    use super::super::http::{Client, Proxies, Trust};
    use super::super::limiter::LimiterOptions;
    use super::super::rate_limiter::RateLimiter;
    use super::*;

    /// Starts an STS that throttles every request. Returns its URL.
    fn throttling_sts() -> String {
        const BODY: &str = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>\
             </ErrorResponse>";
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut request = BufReader::new(stream);
                let (mut line, mut length) = (String::new(), 0);
                while request.read_line(&mut line).is_ok_and(|read| read > 2) {
                    let header = line.to_ascii_lowercase();
                    if let Some(value) = header.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                request.read_exact(&mut vec![0; length]).unwrap();
                let head = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n";
                let response = format!("{head}Content-Length: {}\r\n\r\n{BODY}", BODY.len());
                request.get_mut().write_all(response.as_bytes()).unwrap();
            }
        });
        url
    }

    #[tokio::test]
    async fn the_error_of_a_throttled_role_says_for_how_long_and_whose_quota_it_is() {
        for (has_begun, class) in [(false, ErrorClass::Throttled), (true, ErrorClass::Transient)] {
            let (context, waits) = (CallContext::default(), Waits::default());
            let options = LimiterOptions { max_in_flight: 1, expected_calls: 1 };
            let rate_limiter = RateLimiter::new(options, Arc::default());
            let policy = RetryPolicy { give_up_after: Duration::from_secs(1), ..POLICY() };
            let config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::from_static("us-east-1"))
                .endpoint_url(throttling_sts())
                .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(
                    "any", "any", None,
                )))
                .http_client(Client::new(Trust::default(), Proxies::default(), waits.clone()))
                .build();
            let role = AccountRole {
                role: "arn:aws:iam::200000000001:role/r".parse().unwrap(),
                parameters: AssumeRole::of("role/r".parse().unwrap()),
                caller: "123456789012".parse().unwrap(),
                session_name: "run".to_owned(),
                config,
                executor: CallExecutor::new(ASSUME_ROLE, policy, rate_limiter, context),
                waits,
                has_begun: has_begun.into(),
            };
            let error = role.assume().await.unwrap_err();
            assert_eq!(error.class, class, "{error}");
            let text = error.to_string();
            let expected = "sts:AssumeRole failed: Throttling: Rate exceeded \
                            (role arn:aws:iam::200000000001:role/r, throttled for ";
            let rest = text.strip_prefix(expected).unwrap_or_else(|| panic!("{text}"));
            let (time, rest) = rest.split_once(": ").unwrap();
            assert!(time.contains(" second"), "{text}");
            let (attempts, rest) = rest.split_once(' ').unwrap();
            assert!(attempts.parse::<u32>().unwrap() > 1, "{text}");
            let expected = "attempts with credentials of account 123456789012)";
            assert_eq!(rest, expected, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_call_ends_with_the_time_for_the_first_credentials_and_others_at_once() {
        let end = async |class| {
            let options = LimiterOptions { max_in_flight: 1, expected_calls: 1 };
            let rate_limiter = RateLimiter::new(options, Arc::default());
            let executor =
                CallExecutor::new(ASSUME_ROLE, POLICY(), rate_limiter, CallContext::default());
            let error = ApiError { class, ..ApiError::unreadable(ASSUME_ROLE, "no") };
            let call = || std::future::ready(Err::<(), CallFailure>(error.clone().into()));
            let began = Instant::now();
            match executor.execute(&Stop::never(), call, |_| {}).await {
                CallEnd::Failed { error, attempts, .. } => {
                    (error.class, attempts > 1, began.elapsed())
                }
                other => panic!("{other:?}"),
            }
        };
        let (class, is_retried, time) = end(ErrorClass::Throttled).await;
        assert_eq!((class, is_retried), (ErrorClass::Throttled, true));
        assert!(
            time >= MAX_START_TIME && time < MAX_START_TIME + Duration::from_secs(5),
            "{time:?}"
        );
        for class in [ErrorClass::Transient, ErrorClass::Denied, ErrorClass::Rejected] {
            let (ended, is_retried, _) = end(class).await;
            assert_eq!((ended, is_retried), (class, false));
        }
    }
}
