use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Once, OnceLock};

use aws_sdk_iam::Client;
use futures::{StreamExt, TryStreamExt, stream};

use super::call_context::CallContext;
use super::call_end::CallEnd;
use super::call_executor::CallExecutor;
use super::clock::AwsClock;
use super::error::CallFailure;
use super::limiter::LimiterOptions;
use super::policy_collector::PolicyCollector;
use super::rate_limiter::RateLimiter;
use super::retries::THROTTLING;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use super::texts::Texts;
use super::waits::PendingCall;
use crate::iam::PrincipalKind;
use crate::inventory::{ApiError, ErrorClass, Retry};

/// The maximum number of read requests of one action in flight.
pub(super) const MAX_READS_IN_FLIGHT: usize = 64;

/// Makes the calls that read an account.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) iam: Client,
    context: CallContext,
    pub(super) policy: RetryPolicy,
    throttling_warning: Once,
    /// The numbers of users and of roles of the account, once they are known.
    counts: [OnceLock<usize>; PrincipalKind::ALL.len()],
    /// The texts of the principals that were read.
    pub(super) texts: Texts,
    /// Collects the policies on account pages, if they are needed.
    pub(super) policies: Option<PolicyCollector>,
}

impl Reader {
    pub(super) fn new(iam: Client, context: CallContext) -> Self {
        let (throttling_warning, counts) = (Once::new(), Default::default());
        let (policy, texts) = (RetryPolicy::default(), Texts::default());
        let policies = None;
        Reader { iam, context, policy, throttling_warning, counts, texts, policies }
    }

    /// The number of principals of this kind in the account, once it is known.
    pub(super) fn count(&self, kind: PrincipalKind) -> Option<usize> {
        self.counts[kind as usize].get().copied()
    }

    /// Remembers the number of principals of this kind, unless it is known.
    pub(super) fn remember_count(&self, kind: PrincipalKind, count: usize) {
        self.counts[kind as usize].get_or_init(|| count);
    }

    /// AWS's clock.
    pub(super) fn clock(&self) -> &AwsClock {
        &self.context.clock
    }

    /// Begins to wait for calls of `action` that belong together.
    pub(super) fn begin(&self, action: &'static str) -> PendingCall {
        self.context.waits.begin(action)
    }

    /// Executes one call with retries.
    pub(super) async fn call<T, F>(
        &self,
        executor: &CallExecutor,
        call: impl Fn() -> F,
    ) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        self.execute(executor, call).await.into_result(executor.action())
    }

    /// Executes one call with retries on which a whole reading depends.
    pub(super) async fn only_call<T, F>(
        &self,
        executor: &CallExecutor,
        call: impl Fn() -> F,
    ) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        self.execute(executor, call).await.into_only_result(executor.action())
    }

    async fn execute<T, F>(&self, executor: &CallExecutor, call: impl Fn() -> F) -> CallEnd<T>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        executor.execute(&Stop::never(), call, |retry| self.warn_of_throttling(&retry)).await
    }

    /// Warns once if throttling slows the reading down. A single throttled call does not.
    fn warn_of_throttling(&self, retry: &Retry) {
        if retry.error.class == ErrorClass::Throttled && retry.attempt > 1 {
            self.throttling_warning.call_once(|| {
                tracing::warn!(
                    target: THROTTLING,
                    "IAM throttles {}: reading the account takes longer",
                    retry.error.action
                );
            });
        }
    }

    /// An executor for about `expected_calls` calls of `action`.
    pub(super) fn executor(
        &self,
        action: &'static str,
        max_in_flight: usize,
        expected_calls: usize,
    ) -> CallExecutor {
        let options = LimiterOptions { max_in_flight, expected_calls };
        let rate_limiter = RateLimiter::new(options, Default::default());
        CallExecutor::new(action, self.policy, rate_limiter, self.context.clone())
    }
}

/// The results of concurrent calls. The first error ends them all.
pub(super) async fn concurrently<K: Ord, V>(
    calls: impl IntoIterator<Item: Future<Output = Result<(K, V), ApiError>>>,
) -> Result<BTreeMap<K, V>, ApiError> {
    stream::iter(calls).buffer_unordered(MAX_READS_IN_FLIGHT).try_collect().await
}
