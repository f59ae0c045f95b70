use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Once, OnceLock};

use aws_sdk_iam::Client;
use futures::{StreamExt, TryStreamExt, stream};

use super::pace::Bounds;
use super::retry::{Caller, Counter, RetryPolicy};
use super::secrets::Secrets;
use super::stop::Stop;
use super::turnstile::Turnstile;
use crate::inventory::{ApiError, ErrorClass, Retry};

/// The maximum number of calls of one action in flight.
pub(super) const READS_AT_ONCE: usize = 64;

/// Makes the calls that read an account.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) iam: Client,
    counter: Counter,
    secrets: Secrets,
    pub(super) policy: RetryPolicy,
    told_of_throttling: Once,
    pub(super) user_count: OnceLock<usize>,
}

impl Reader {
    pub(super) fn new(iam: Client, counter: Counter, secrets: Secrets) -> Self {
        let (told_of_throttling, user_count) = (Once::new(), OnceLock::new());
        let policy = RetryPolicy::default();
        Reader { iam, counter, secrets, policy, told_of_throttling, user_count }
    }

    /// Keeps what pages that were read to the end told of the number of users.
    pub(super) fn counted(&self, users: usize) {
        self.user_count.get_or_init(|| users);
    }

    /// One call, as often as it takes.
    pub(super) async fn ask<T, F>(
        &self,
        caller: &Caller,
        call: impl Fn() -> F,
    ) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        caller
            .call(&Stop::never(), call, |retry| self.retrying(&retry))
            .await
            .into_result(caller.action())
    }

    /// Says once why reading takes so long. One throttled call is nothing to speak of.
    fn retrying(&self, retry: &Retry) {
        if retry.error.class == ErrorClass::Throttled && retry.attempt > 1 {
            self.told_of_throttling.call_once(|| {
                tracing::warn!("IAM is throttling {}: reading takes longer", retry.error.action);
            });
        }
    }

    pub(super) fn caller(&self, action: &'static str, in_flight: usize, calls: usize) -> Caller {
        let turnstile = Turnstile::new(Bounds { in_flight, calls }, Default::default());
        Caller::new(action, self.policy, turnstile, self.counter.clone(), self.secrets.clone())
    }
}

/// What many calls give that are under way together. The first error ends them all.
pub(super) async fn many_at_once<K: Ord, V>(
    calls: impl IntoIterator<Item: Future<Output = Result<(K, V), ApiError>>>,
) -> Result<BTreeMap<K, V>, ApiError> {
    stream::iter(calls).buffer_unordered(READS_AT_ONCE).try_collect().await
}
