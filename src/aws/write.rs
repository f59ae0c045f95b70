use std::sync::{Arc, Mutex};

use aws_sdk_iam::operation::RequestId;

use super::call_context::CallContext;
use super::call_counter::CallCounter;
use super::call_executor::{CallEnd, CallExecutor};
use super::error::CallFailure;
use super::limiter::{LimiterOptions, MaxRate};
use super::rate_limiter::RateLimiter;
use super::redactor::Redactor;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use crate::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName, Printable, Rate};
use crate::inventory::{CallCount, CallOutcome, Retry};

/// Writes to an account: sets and removes permissions boundaries of users.
///
/// Both calls are unconditional, since IAM has no compare-and-set
/// ([PutUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html),
/// [DeleteUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html)).
/// A repeated call has the same effect as one call, so both are safe to retry.
#[derive(Debug, Clone)]
pub struct Writer {
    iam: aws_sdk_iam::Client,
    // IAM throttles each action separately. The maximum rate applies to both together.
    puts: CallExecutor,
    deletes: CallExecutor,
    counter: CallCounter,
    redactor: Redactor,
}

const PUT: &str = "iam:PutUserPermissionsBoundary";
const DELETE: &str = "iam:DeleteUserPermissionsBoundary";

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
            puts: executor(PUT),
            deletes: executor(DELETE),
            counter,
            redactor: context.redactor.clone(),
        }
    }

    /// The number of calls that this writer has made.
    pub fn calls(&self) -> CallCount {
        self.counter.calls()
    }

    /// Sets the permissions boundary of `principal` to `to`; `None` removes it.
    ///
    /// Failed attempts are retried by the retry policy, each after `on_retry`. No attempt starts after `stop` is
    /// requested.
    pub async fn write(
        &self,
        principal: &Principal,
        to: Option<&PolicyArn>,
        stop: &Stop,
        on_retry: impl FnMut(Retry),
    ) -> CallOutcome {
        let Principal { kind, name } = principal;
        let end = match (kind, to) {
            (PrincipalKind::User, Some(arn)) => {
                self.puts.execute(stop, || self.put(name, arn), on_retry).await
            }
            (PrincipalKind::User, None) => {
                self.deletes.execute(stop, || self.delete(name), on_retry).await
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

    async fn put(
        &self,
        user: &PrincipalName,
        arn: &PolicyArn,
    ) -> Result<Option<Printable>, CallFailure> {
        self.iam
            .put_user_permissions_boundary()
            .user_name(user.as_str())
            .permissions_boundary(arn.as_str())
            .send()
            .await
            .map(|response| response.request_id().map(|id| self.redactor.redact_text(id)))
            .map_err(|error| CallFailure::from_sdk(PUT, error))
    }

    async fn delete(&self, user: &PrincipalName) -> Result<Option<Printable>, CallFailure> {
        self.iam
            .delete_user_permissions_boundary()
            .user_name(user.as_str())
            .send()
            .await
            .map(|response| response.request_id().map(|id| self.redactor.redact_text(id)))
            .map_err(|error| CallFailure::from_sdk(DELETE, error))
    }
}
