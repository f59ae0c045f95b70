use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};
use aws_sdk_sts::operation::assume_role::AssumeRoleOutput;
use tokio::time::Instant;

use super::super::error::{CallFailure, credentials_failure};
use super::super::redactor::Redactor;
use super::super::response_check::ResponseCheck;
use super::super::waits::Waits;
use super::bounds::{AHEAD, MARGIN, sts_timeouts};
use super::mfa::{Mfa, MfaRole, MfaSession};
use super::role::Role;
use crate::inventory::{ApiError, ErrorClass};

pub(in crate::aws) const ACTION: &str = "sts:AssumeRole";

/// The credentials of a role that is assumed with the credentials of `base`, and roles after it.
///
/// The SDK's provider of profiles sends neither `mfa_serial` nor `duration_seconds`, and its errors do not say
/// whether STS refused.
#[derive(Debug)]
pub(super) struct AssumedRole {
    base: SharedCredentialsProvider,
    /// The name of `base` in messages.
    source: String,
    steps: Vec<Step>,
    /// The settings of the calls to STS.
    config: SdkConfig,
    mfa: Mfa,
    redactor: Redactor,
    waits: Waits,
}

#[derive(Debug)]
struct Step {
    role: Role,
    mfa: MfaRole,
    /// Whether this provider has used a session that was opened with a code. A run does not ask again.
    has_session: AtomicBool,
}

/// How long a code is sent again. A device shows a new code every 30 seconds.
const CODE_LIFETIME: Duration = Duration::from_secs(30);

impl AssumedRole {
    pub(super) fn new(
        (base, source): (SharedCredentialsProvider, String),
        roles: Vec<Role>,
        config: &SdkConfig,
        mfa: &Mfa,
        redactor: &Redactor,
        waits: &Waits,
    ) -> AssumedRole {
        let config = config
            .to_builder()
            .timeout_config(sts_timeouts(config))
            .identity_cache(IdentityCache::no_cache())
            .build();
        let step = |role: Role| Step { mfa: mfa.of(&role), role, has_session: false.into() };
        let steps = roles.into_iter().map(step).collect();
        let (mfa, redactor, waits) = (mfa.clone(), redactor.clone(), waits.clone());
        AssumedRole { base, source, steps, config, mfa, redactor, waits }
    }

    async fn assume(&self, step: &Step, with: Credentials) -> Result<Credentials, ApiError> {
        let Step { role, mfa, has_session } = step;
        let Some(serial) = &role.mfa_serial else {
            return self.call(role, with, None).await;
        };
        let mut mfa = {
            // Another connection may be asking.
            let _typing = self.waits.typing();
            mfa.lock().await
        };
        if let Some(session) = &mfa.session {
            let is_used = has_session.load(Ordering::Relaxed);
            // A session that ends soon would end during the run that begins with it.
            let needed =
                if is_used { MARGIN } else { MARGIN.max(AHEAD.min(session.lifetime() / 4)) };
            if session.lasts(needed) {
                has_session.store(true, Ordering::Relaxed);
                self.redactor.remember(&session.credentials);
                return Ok(session.credentials.clone());
            }
            if is_used {
                return Err(ApiError::mfa_session_expired(format!(
                    "the session of profile {:?} that was opened with an MFA code has expired",
                    role.profile
                )));
            }
        }
        let unanswered = mfa.unanswered.take();
        let (code, typed) = match unanswered.filter(|(_, typed)| typed.elapsed() < CODE_LIFETIME) {
            Some(unanswered) => unanswered,
            None => (self.ask(role, serial).await?, Instant::now()),
        };
        let opened = self.call(role, with, Some((serial, code.clone()))).await;
        match &opened {
            Ok(opened) => {
                mfa.session = Some(MfaSession::new(opened.clone()));
                has_session.store(true, Ordering::Relaxed);
            }
            Err(error) if error.class == ErrorClass::Transient => {
                mfa.unanswered = Some((code, typed));
            }
            Err(_) => {}
        }
        opened
    }

    async fn ask(&self, role: &Role, serial: &str) -> Result<String, ApiError> {
        let _typing = self.waits.typing();
        let (mfa, asked) = (self.mfa.prompt(), serial.to_owned());
        let answer = tokio::task::spawn_blocking(move || mfa.ask(&asked)).await;
        let profile = &role.profile;
        match answer.map_err(std::io::Error::other).flatten() {
            Ok(Some(code)) => Ok(code),
            Ok(None) => Err(ApiError::mfa_required(profile)),
            Err(error) => Err(credentials_failure(format!("cannot read the MFA code: {error}"))),
        }
    }

    async fn call(
        &self,
        role: &Role,
        with: Credentials,
        mfa: Option<(&str, String)>,
    ) -> Result<Credentials, ApiError> {
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .credentials_provider(SharedCredentialsProvider::new(with))
            .retry_config(RetryConfig::disabled())
            // The response contains new secrets, which may be those of the last session.
            .interceptor(ResponseCheck::default())
            .build();
        let sts = aws_sdk_sts::Client::from_conf(config);
        self.waits.asks_source(&format!("{ACTION} of role {}", role.arn), "AssumeRole");
        let (serial, code) = mfa.map(|(serial, code)| (serial.to_owned(), code)).unzip();
        let session_name = role.session_name.clone().unwrap_or_else(default_session_name);
        let call = || async {
            sts.assume_role()
                .role_arn(&role.arn)
                .role_session_name(&session_name)
                .set_external_id(role.external_id.clone())
                .set_duration_seconds(role.duration)
                .set_serial_number(serial.clone())
                .set_token_code(code.clone())
                .send()
                .await
                .map_err(|error| CallFailure::from_sdk(ACTION, error).error)
        };
        let mut response = call().await;
        if response.as_ref().is_err_and(|error| error.code == ApiError::CLOCK_SKEW) {
            // The client has learned the time of STS.
            response = call().await;
        }
        let of_profile = format!("role {} of profile {:?}", role.arn, role.profile);
        let response =
            response.map_err(|error| self.redactor.redact(of_role(error, &of_profile)))?;
        let credentials = session(&response)?;
        self.redactor.remember(&credentials);
        Ok(credentials)
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            let mut credentials = match self.base.provide_credentials().await {
                Ok(credentials) => credentials,
                // The role of the profile is the only source: no other source follows.
                Err(CredentialsError::CredentialsNotLoaded(_)) => {
                    let profile = self.steps.first().map_or("", |step| &step.role.profile);
                    return Err(CredentialsError::provider_error(credentials_failure(format!(
                        "{}, the source of profile {profile:?}, has no credentials",
                        self.source
                    ))));
                }
                Err(error) => return Err(error),
            };
            self.redactor.remember(&credentials);
            for step in &self.steps {
                credentials = self
                    .assume(step, credentials)
                    .await
                    .map_err(CredentialsError::provider_error)?;
            }
            Ok(credentials)
        })
    }
}

/// The credentials in the response to AssumeRole.
///
/// # Errors
/// If it contains none.
pub(in crate::aws) fn session(response: &AssumeRoleOutput) -> Result<Credentials, ApiError> {
    let credentials = response.credentials().ok_or_else(|| {
        credentials_failure(format!("the response to {ACTION} contains no credentials"))
    })?;
    Ok(Credentials::new(
        credentials.access_key_id(),
        credentials.secret_access_key(),
        Some(credentials.session_token().to_owned()),
        SystemTime::try_from(*credentials.expiration()).ok(),
        "AssumedRole",
    ))
}

/// The error of AssumeRole with the `role` that it concerns. Only an error that can pass is not one of the
/// credentials.
pub(in crate::aws) fn of_role(error: ApiError, role: &str) -> ApiError {
    let class = match error.class {
        ErrorClass::Throttled | ErrorClass::Transient => ErrorClass::Transient,
        // A proxy or a load balancer refused, and not STS.
        ErrorClass::Rejected if error.is_without_code() => ErrorClass::Transient,
        _ => ErrorClass::Credentials,
    };
    let message = format!("{} ({role})", error.message);
    ApiError { class, message: message.into(), ..error }
}

/// The name of a session that begins now.
pub(in crate::aws) fn default_session_name() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    format!("iam-boundaries-{}", now.as_secs())
}
