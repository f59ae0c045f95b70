use std::sync::{Arc, Mutex};

use aws_sdk_iam::operation::RequestId;

use super::pace::{Bounds, Ceiling};
use super::retry::{Caller, Counter, Ended, RetryPolicy};
use super::secrets::Secrets;
use super::stop::Stop;
use super::turnstile::Turnstile;
use crate::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName, Rate};
use crate::inventory::{ApiError, CallCount, CallOutcome, Retry};

/// What can change the account: it sets or removes one user's boundary.
///
/// Both calls are unconditional, and both may be repeated without harm: IAM has no compare-and-set
/// ([PutUserPermissionsBoundary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html)).
#[derive(Debug, Clone)]
pub struct Writer {
    iam: aws_sdk_iam::Client,
    // IAM throttles each kind of call apart; the ceiling is one for both.
    puts: Caller,
    deletes: Caller,
    counter: Counter,
}

const PUT: &str = "iam:PutUserPermissionsBoundary";
const DELETE: &str = "iam:DeleteUserPermissionsBoundary";

impl Writer {
    pub(super) fn new(
        iam: aws_sdk_iam::Client,
        bounds: Bounds,
        ceiling: Option<Rate>,
        policy: RetryPolicy,
        secrets: Secrets,
    ) -> Self {
        let ceiling = Arc::new(Mutex::new(Ceiling::new(ceiling)));
        let counter = Counter::default();
        let caller = |action| {
            let turnstile = Turnstile::new(bounds, ceiling.clone());
            Caller::new(action, policy, turnstile, counter.clone(), secrets.clone())
        };
        Writer { iam, puts: caller(PUT), deletes: caller(DELETE), counter }
    }

    /// The calls that this writer has made.
    pub fn calls(&self) -> CallCount {
        self.counter.calls()
    }

    /// Sets the boundary of `principal` to `to`, or removes it.
    pub async fn write(
        &self,
        principal: &Principal,
        to: Option<&PolicyArn>,
        stop: &Stop,
        mut on_retry: impl FnMut(Retry),
    ) -> CallOutcome {
        let mut was_left_open = false;
        let on_retry = |retry: Retry| {
            was_left_open |= retry.error.is_outcome_unknown();
            on_retry(retry);
        };
        let Principal { kind, name } = principal;
        let ended = match (kind, to) {
            (PrincipalKind::User, Some(arn)) => {
                self.puts.call(stop, || self.put(name, arn), on_retry).await
            }
            (PrincipalKind::User, None) => {
                self.deletes.call(stop, || self.delete(name), on_retry).await
            }
        };
        match ended {
            Ended::Done { value: request_id, attempts } => {
                CallOutcome::Applied { attempts, request_id }
            }
            Ended::Failed { error, attempts } => {
                let may_be_done = was_left_open || error.is_outcome_unknown();
                CallOutcome::Failed { attempts, error, may_be_done }
            }
            Ended::NotAttempted => CallOutcome::NotAttempted,
        }
    }

    async fn put(&self, user: &PrincipalName, arn: &PolicyArn) -> Result<Option<String>, ApiError> {
        self.iam
            .put_user_permissions_boundary()
            .user_name(user.as_str())
            .permissions_boundary(arn.as_str())
            .send()
            .await
            .map(|done| done.request_id().map(str::to_owned))
            .map_err(|error| ApiError::from_sdk(PUT, error))
    }

    async fn delete(&self, user: &PrincipalName) -> Result<Option<String>, ApiError> {
        self.iam
            .delete_user_permissions_boundary()
            .user_name(user.as_str())
            .send()
            .await
            .map(|done| done.request_id().map(str::to_owned))
            .map_err(|error| ApiError::from_sdk(DELETE, error))
    }
}
