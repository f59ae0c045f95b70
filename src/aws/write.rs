use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};

use aws_sdk_iam::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::call_context::CallContext;
use super::call_counter::CallCounter;
use super::call_end::CallEnd;
use super::call_executor::CallExecutor;
use super::error::CallFailure;
use super::limiter::{LimiterOptions, MaxRate};
use super::rate_limiter::RateLimiter;
use super::redactor::Redactor;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use crate::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName, Printable, Rate};
use crate::inventory::{CallCount, CallOutcome, Retry};

/// Writes to an account: sets and removes permissions boundaries of users and roles.
///
/// The calls are unconditional, since IAM has no compare-and-set
/// ([PutUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html),
/// [DeleteUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html),
/// [PutRolePermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html),
/// [DeleteRolePermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html)).
/// A repeated call has the same effect as one call, so all are safe to retry.
#[derive(Debug, Clone)]
pub struct Writer {
    iam: aws_sdk_iam::Client,
    // IAM throttles each action separately. The maximum rate applies to all together.
    user_puts: CallExecutor,
    user_deletes: CallExecutor,
    role_puts: CallExecutor,
    role_deletes: CallExecutor,
    counter: CallCounter,
    redactor: Redactor,
}

const PUT_USER: &str = "iam:PutUserPermissionsBoundary";
const DELETE_USER: &str = "iam:DeleteUserPermissionsBoundary";
const PUT_ROLE: &str = "iam:PutRolePermissionsBoundary";
const DELETE_ROLE: &str = "iam:DeleteRolePermissionsBoundary";

/// The ID of the request that succeeded, or why the attempt failed.
type Attempt = Result<Option<Printable>, CallFailure>;

impl Writer {
    pub(super) fn new(
        iam: aws_sdk_iam::Client,
        options: LimiterOptions,
        max_rate: Option<Rate>,
        policy: RetryPolicy,
        context: &CallContext,
    ) -> Self {
        let max_rate = Arc::new(Mutex::new(MaxRate::new(max_rate)));
        let counter = CallCounter::default();
        let executor = |action| {
            let rate_limiter = RateLimiter::new(options, max_rate.clone());
            let context = CallContext { counter: counter.clone(), ..context.clone() };
            CallExecutor::new(action, policy, rate_limiter, context)
        };
        Writer {
            iam,
            user_puts: executor(PUT_USER),
            user_deletes: executor(DELETE_USER),
            role_puts: executor(PUT_ROLE),
            role_deletes: executor(DELETE_ROLE),
            counter,
            redactor: context.redactor.clone(),
        }
    }

    /// Starts at the rates that an earlier run measured, by action. Called before the first write.
    pub fn start_at(&self, rates: &BTreeMap<String, Rate>) {
        for executor in self.executors() {
            if let Some(rate) = rates.get(executor.action()) {
                executor.start_at(*rate);
            }
        }
    }

    /// The rates at which the next run may start, by action, where they are known.
    pub fn rates_for_next_run(&self) -> BTreeMap<String, Rate> {
        let rate = |it: &CallExecutor| Some((it.action().to_owned(), it.rate_for_next_run()?));
        self.executors().into_iter().filter_map(rate).collect()
    }

    fn executors(&self) -> [&CallExecutor; 4] {
        [&self.user_puts, &self.user_deletes, &self.role_puts, &self.role_deletes]
    }

    /// The number of calls that this writer has made.
    pub fn calls(&self) -> CallCount {
        self.counter.calls()
    }

    /// Sets the permissions boundary of `principal` to `to`; `None` removes it.
    ///
    /// Failed attempts are retried by the retry policy, each after `on_retry`. No attempt starts after `stop` is
    /// requested, or if `may_send` is false just before it.
    pub async fn write(
        &self,
        principal: &Principal,
        to: Option<&PolicyArn>,
        may_send: impl Fn() -> bool + Sync,
        stop: &Stop,
        on_retry: impl FnMut(Retry),
    ) -> CallOutcome {
        let Principal { kind, name } = principal;
        let end = match (kind, to) {
            (PrincipalKind::User, Some(arn)) => {
                self.user_puts
                    .execute_while(may_send, stop, || self.put_user(name, arn), on_retry)
                    .await
            }
            (PrincipalKind::User, None) => {
                self.user_deletes
                    .execute_while(may_send, stop, || self.delete_user(name), on_retry)
                    .await
            }
            (PrincipalKind::Role, Some(arn)) => {
                self.role_puts
                    .execute_while(may_send, stop, || self.put_role(name, arn), on_retry)
                    .await
            }
            (PrincipalKind::Role, None) => {
                self.role_deletes
                    .execute_while(may_send, stop, || self.delete_role(name), on_retry)
                    .await
            }
        };
        match end {
            CallEnd::Done { value: request_id, attempts } => {
                CallOutcome::Applied { attempts, request_id }
            }
            CallEnd::Failed { error, attempts, may_be_done, .. } => {
                CallOutcome::Failed { attempts, error, may_be_done }
            }
            CallEnd::NotAttempted => CallOutcome::NotAttempted,
            CallEnd::ThrottledUntilStop { error, attempts } => {
                CallOutcome::ThrottledUntilStop { attempts, error }
            }
        }
    }

    async fn put_user(&self, user: &PrincipalName, arn: &PolicyArn) -> Attempt {
        let request = self.iam.put_user_permissions_boundary();
        let request = request.user_name(user.as_str()).permissions_boundary(arn.as_str());
        self.attempt(PUT_USER, request.send().await)
    }

    async fn delete_user(&self, user: &PrincipalName) -> Attempt {
        let request = self.iam.delete_user_permissions_boundary().user_name(user.as_str());
        self.attempt(DELETE_USER, request.send().await)
    }

    async fn put_role(&self, role: &PrincipalName, arn: &PolicyArn) -> Attempt {
        let request = self.iam.put_role_permissions_boundary();
        let request = request.role_name(role.as_str()).permissions_boundary(arn.as_str());
        self.attempt(PUT_ROLE, request.send().await)
    }

    async fn delete_role(&self, role: &PrincipalName) -> Attempt {
        let request = self.iam.delete_role_permissions_boundary().role_name(role.as_str());
        self.attempt(DELETE_ROLE, request.send().await)
    }

    /// The result of an attempt that the SDK has sent.
    fn attempt<T, E>(
        &self,
        action: &'static str,
        sent: Result<T, SdkError<E, HttpResponse>>,
    ) -> Attempt
    where
        T: RequestId,
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        sent.map(|response| response.request_id().map(|id| self.redactor.redact_text(id)))
            .map_err(|error| CallFailure::from_sdk(action, error))
    }
}
