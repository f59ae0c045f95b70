use std::sync::{Arc, Mutex};

use aws_sdk_iam::operation::RequestId;

use super::retry::{Caller, Counter, Ended};
use super::secrets::Secrets;
use super::turnstile::Turnstile;
use super::{ApiError, Bounds, Calls, Ceiling, Retry, RetryPolicy, Stop};
use crate::iam::{PolicyArn, PrincipalName, Rate};

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

/// What became of one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// IAM said that it is done.
    Applied {
        /// Attempts that it took, from 1.
        attempts: u32,
        /// IAM's id of the request that did it.
        request_id: Option<String>,
    },
    /// It failed.
    Failed {
        /// Attempts that were made, from 1.
        attempts: u32,
        /// Why the last one failed.
        error: ApiError,
        /// Whether IAM may have done it all the same: to one of the attempts, be it not the last, no
        /// answer of IAM's came that says otherwise.
        may_be_done: bool,
    },
    /// Nothing was sent for it, because the run was stopped first.
    NotAttempted,
}

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
    pub fn calls(&self) -> Calls {
        self.counter.calls()
    }

    /// Gives `user` the boundary `to`, or takes its boundary away.
    pub async fn write(
        &self,
        user: &PrincipalName,
        to: Option<&PolicyArn>,
        stop: &Stop,
        mut on_retry: impl FnMut(Retry),
    ) -> CallOutcome {
        let mut was_left_open = false;
        let on_retry = |retry: Retry| {
            was_left_open |= retry.error.leaves_open();
            on_retry(retry);
        };
        let ended = match to {
            Some(arn) => self.puts.call(stop, || self.put(user, arn), on_retry).await,
            None => self.deletes.call(stop, || self.delete(user), on_retry).await,
        };
        match ended {
            Ended::Done { value: request_id, attempts } => {
                CallOutcome::Applied { attempts, request_id }
            }
            Ended::Failed { error, attempts } => {
                let may_be_done = was_left_open || error.leaves_open();
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
