use std::fmt;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::account_role::{AccountRole, POLICY};
use super::call_context::CallContext;
use super::call_executor::CallExecutor;
use super::credentials::{ASSUME_ROLE, default_session_name};
use super::http::Client;
use super::limiter::LimiterOptions;
use super::profile::SelectedProfile;
use super::rate_limiter::RateLimiter;
use super::redactor::Redactor;
use super::retries::Outage;
use super::waits::Waits;
use crate::iam::{AssumeRole, RoleArn};
use crate::inventory::{CallCount, CallerIdentity};

/// The identity that assumes the roles of a fleet. Clones share it.
///
/// The accounts share its settings, its credentials, its connections and the rate of its calls to STS. STS counts
/// AssumeRole calls for the account of the base identity, also those for roles in other accounts
/// ([IAM and AWS STS quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
#[derive(Clone)]
pub struct BaseIdentity(Arc<Shared>);

struct Shared {
    identity: CallerIdentity,
    config: SdkConfig,
    http: Client,
    profile: SelectedProfile,
    context: CallContext,
    rate_limiter: RateLimiter,
    /// Whether STS is available.
    outage: Outage,
    session_name: String,
}

/// What an account of a fleet is read and written with.
pub(super) struct RoleAccess {
    pub(super) config: SdkConfig,
    pub(super) http: Client,
    pub(super) profile: SelectedProfile,
    pub(super) redactor: Redactor,
}

/// The calls of a fleet with 2,000 accounts: at a latency of 100 milliseconds, 320 calls a second. AWS documents a quota
/// of 600 calls a second.
const OPTIONS: LimiterOptions = LimiterOptions { max_in_flight: 32, expected_calls: 2_000 };

impl BaseIdentity {
    pub(super) fn new(
        identity: CallerIdentity,
        config: SdkConfig,
        http: Client,
        profile: SelectedProfile,
        context: CallContext,
    ) -> BaseIdentity {
        BaseIdentity(Arc::new(Shared {
            identity,
            config,
            http,
            profile,
            context,
            rate_limiter: RateLimiter::new(OPTIONS, Arc::default()),
            outage: Outage::default(),
            session_name: default_session_name(),
        }))
    }

    /// The caller identity of the credentials that assume the roles.
    pub fn identity(&self) -> &CallerIdentity {
        &self.0.identity
    }

    /// The number of its own calls so far: `sts:GetCallerIdentity`, `sts:AssumeRole` and those to AWS Organizations.
    pub fn calls(&self) -> CallCount {
        self.0.context.counter.calls()
    }

    /// The settings and the credentials of its calls.
    pub(super) fn config(&self) -> &SdkConfig {
        &self.0.config
    }

    /// The context of its calls.
    pub(super) fn context(&self) -> &CallContext {
        &self.0.context
    }

    /// The settings and the credentials of `role`, whose calls are visible in `waits`. Nothing is read or called.
    pub(super) fn assuming(
        &self,
        role: RoleArn,
        parameters: AssumeRole,
        waits: &Waits,
    ) -> RoleAccess {
        let shared = &*self.0;
        let http = shared.http.telling(waits.clone());
        let config = shared.config.to_builder().http_client(http.clone()).build();
        let redactor = shared.context.redactor.of_role();
        let context = CallContext {
            redactor: redactor.clone(),
            waits: waits.clone(),
            outage: shared.outage.clone(),
            ..shared.context.clone()
        };
        let rate_limiter = shared.rate_limiter.clone();
        let provider = AccountRole {
            role,
            parameters,
            caller: shared.identity.account,
            session_name: shared.session_name.clone(),
            config: config.clone(),
            executor: CallExecutor::new(ASSUME_ROLE, POLICY(), rate_limiter, context),
            waits: waits.clone(),
            has_begun: false.into(),
        };
        let provider = SharedCredentialsProvider::new(provider);
        let config = config.to_builder().credentials_provider(provider).build();
        RoleAccess { config, http, profile: shared.profile.clone(), redactor }
    }
}

impl fmt::Debug for BaseIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseIdentity({})", self.0.identity.arn)
    }
}
