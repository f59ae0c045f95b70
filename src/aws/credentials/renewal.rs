use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::super::retry_policy::RetryPolicy;
use super::super::waits::{PendingCall, Waits};
use super::bounds::{AHEAD, MARGIN, MAX_START_TIME};
use crate::inventory::{ApiError, ErrorClass};

/// The credentials of the run, which are renewed before they expire. Clones share them.
///
/// Calls continue with the present credentials while these are renewed, and wait when they have expired. A renewal
/// that fails for a reason that can pass is retried. The SDK's cache renews within a call, only after the expiry,
/// and every waiting call fails with the first error.
///
/// The default has no source: it is for calls whose credentials do not change.
#[derive(Clone, Default)]
pub(in crate::aws) struct RenewedCredentials(Option<Arc<Inner>>);

struct Inner {
    source: SharedCredentialsProvider,
    state: Mutex<State>,
    waits: Waits,
    /// The span in which it was created. A renewal can be begun from another one: several accounts share the credentials
    /// that assume their roles.
    span: Span,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    renewal: Option<Renewal>,
    /// `None` if the last renewal succeeded.
    failure: Option<Failure>,
}

/// A renewal that failed. It is not repeated for [`PAUSE`].
struct Failure {
    at: Instant,
    /// Whether calls could use the credentials until then.
    was_usable: bool,
    error: ApiError,
}

/// A renewal that has begun. Each waiting call has a clone.
type Renewal = Shared<BoxFuture<'static, Result<(), ApiError>>>;

#[derive(Clone)]
struct Current {
    credentials: Credentials,
    obtained: SystemTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freshness {
    Fresh,
    /// Usable, and to be renewed.
    Aging,
    Expired,
}

/// After this time, credentials without an expiry are requested again. The SDK does so, too.
const REQUEST_AGAIN: Duration = Duration::from_secs(900);
/// How long calls wait for a renewal that fails, from the expiry of the credentials.
const RENEW_FOR: Duration = Duration::from_secs(300);
/// The time between two renewals of the same credentials, if the first one failed.
const PAUSE: Duration = Duration::from_secs(30);

impl RenewedCredentials {
    pub(in crate::aws) fn new(
        source: SharedCredentialsProvider,
        waits: Waits,
    ) -> RenewedCredentials {
        let (state, span) = (Mutex::default(), Span::current());
        RenewedCredentials(Some(Arc::new(Inner { source, state, waits, span })))
    }

    /// Waits until there are usable credentials.
    ///
    /// # Errors
    /// If the source refuses, or does not respond for minutes.
    pub(in crate::aws) async fn ready(&self) -> Result<(), ApiError> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let renewal = {
            let mut state = inner.state();
            if inner.are_usable(&mut state) {
                return Ok(());
            }
            // Calls that begin while the run stops do not ask again.
            if let Some(failure) = state.recent_failure().filter(|it| !it.was_usable) {
                return Err(failure.error.clone());
            }
            inner.renewal(&mut state)
        };
        renewal.await
    }

    /// Whether a request can be signed now. Credentials that expire soon are renewed in the background.
    pub(in crate::aws) fn are_usable(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.are_usable(&mut inner.state()))
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn are_usable(self: &Arc<Self>, state: &mut State) -> bool {
        match state.freshness(SystemTime::now()) {
            Freshness::Fresh => true,
            Freshness::Aging => {
                if state.recent_failure().is_none() {
                    drop(self.renewal(state));
                }
                true
            }
            Freshness::Expired => false,
        }
    }

    /// The renewal that has begun, or a new one. It continues if the call that waits for it is cancelled.
    fn renewal(self: &Arc<Self>, state: &mut State) -> Renewal {
        let begin = || {
            let task = tokio::spawn(self.clone().renew().instrument(self.span.clone()));
            let ended = async move { task.await.unwrap_or_else(|_| Err(ApiError::interrupted())) };
            ended.boxed().shared()
        };
        state.renewal.get_or_insert_with(begin).clone()
    }

    async fn renew(self: Arc<Self>) -> Result<(), ApiError> {
        let renewed = self.obtain().await;
        let mut state = self.state();
        state.renewal = None;
        match renewed {
            Ok(credentials) => {
                state.current = Some(Current { credentials, obtained: SystemTime::now() });
                state.failure = None;
                Ok(())
            }
            Err(error) => {
                let was_usable = state.freshness(SystemTime::now()) == Freshness::Aging;
                if was_usable && state.failure.is_none() {
                    tracing::warn!("{error}; the present credentials are used until they expire");
                }
                let failure = Failure { at: Instant::now(), was_usable, error: error.clone() };
                state.failure = Some(failure);
                Err(error)
            }
        }
    }

    async fn obtain(&self) -> Result<Credentials, ApiError> {
        let policy = RetryPolicy::default();
        let (present, freshness) = {
            let state = self.state();
            (state.current.clone(), state.freshness(SystemTime::now()))
        };
        // Calls continue while the present credentials are usable.
        let is_waited_for = freshness == Freshness::Expired;
        let pending = is_waited_for.then(|| self.waits.begin(ApiError::SOURCE));
        let mut first_failure = None;
        let mut failures = 0;
        loop {
            pending.iter().for_each(PendingCall::attempt);
            let error = match self.source.provide_credentials().await {
                Ok(new) if !is_repeated(&new, present.as_ref()) => return Ok(new),
                Ok(_) => ApiError::source_unavailable(
                    "the source returned the expired credentials again".to_owned(),
                ),
                Err(error) => ApiError::from_provider(&error),
            };
            pending.iter().for_each(|pending| pending.failed(&error));
            failures += 1;
            let first_failure = *first_failure.get_or_insert_with(Instant::now);
            let is_over = match &present {
                None => {
                    error.code == ApiError::SOURCE_TIMED_OUT
                        || error.is_of_call() && failures >= policy.attempts
                        || first_failure.elapsed() >= MAX_START_TIME
                }
                Some(present) => present.usable_until().is_none_or(|end| {
                    let expired_for = SystemTime::now().duration_since(end);
                    expired_for.is_ok_and(|expired_for| expired_for >= RENEW_FOR)
                }),
            };
            if error.class != ErrorClass::Transient || is_over {
                // Nothing is retried any more: what the error is about is throttling again.
                let class = match ErrorClass::of(Some(&error.code), 0) {
                    ErrorClass::Throttled => ErrorClass::Throttled,
                    _ => error.class,
                };
                let error = ApiError { class, ..error };
                return Err(match &pending {
                    Some(pending) => error.after(&pending.wait()),
                    None => error,
                });
            }
            if failures == 1 && present.is_some() {
                tracing::warn!("{error}; the renewal of the credentials is retried");
            } else {
                tracing::debug!(failures, "{error}");
            }
            tokio::time::sleep(policy.wait(failures)).await;
        }
    }
}

/// Whether a source that failed returned what it had returned before, although it has expired.
fn is_repeated(new: &Credentials, present: Option<&Current>) -> bool {
    let is_expired = new.expiry().is_some_and(|expiry| expiry <= SystemTime::now());
    is_expired && present.is_some_and(|it| it.credentials.access_key_id() == new.access_key_id())
}

impl State {
    fn freshness(&self, now: SystemTime) -> Freshness {
        self.current.as_ref().map_or(Freshness::Expired, |current| current.freshness(now))
    }

    fn recent_failure(&self) -> Option<&Failure> {
        self.failure.as_ref().filter(|failure| failure.at.elapsed() < PAUSE)
    }
}

impl Current {
    fn freshness(&self, now: SystemTime) -> Freshness {
        let left = |end: SystemTime| end.duration_since(now).unwrap_or(Duration::ZERO);
        let Some(end) = self.usable_until() else {
            return match left(self.obtained + REQUEST_AGAIN) {
                Duration::ZERO => Freshness::Aging,
                _ => Freshness::Fresh,
            };
        };
        let lifetime = end.duration_since(self.obtained).unwrap_or(Duration::ZERO);
        match left(end) {
            Duration::ZERO => Freshness::Expired,
            left if left <= AHEAD.min(lifetime / 4) => Freshness::Aging,
            _ => Freshness::Fresh,
        }
    }

    /// `None` if the credentials have no expiry.
    fn usable_until(&self) -> Option<SystemTime> {
        self.credentials.expiry().map(|expiry| expiry.checked_sub(MARGIN).unwrap_or(expiry))
    }
}

impl ProvideCredentials for RenewedCredentials {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            let present = |inner: &Arc<Inner>| {
                inner.state().current.as_ref().map(|current| current.credentials.clone())
            };
            let Some(inner) = &self.0 else {
                return Err(CredentialsError::not_loaded("no source"));
            };
            if let Some(credentials) = present(inner) {
                return Ok(credentials);
            }
            self.ready().await.map_err(CredentialsError::provider_error)?;
            present(inner).ok_or_else(|| CredentialsError::not_loaded("no credentials"))
        })
    }
}

impl fmt::Debug for RenewedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RenewedCredentials")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current(lifetime: Option<u64>) -> Current {
        let obtained = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let expiry = lifetime.map(|seconds| obtained + MARGIN + Duration::from_secs(seconds));
        Current { credentials: Credentials::new("id", "secret", None, expiry, "test"), obtained }
    }

    /// A source that always fails, and counts its attempts.
    #[derive(Debug)]
    struct Failing(ApiError, Arc<Mutex<u32>>);

    impl ProvideCredentials for Failing {
        fn provide_credentials<'a>(&'a self) -> Provided<'a>
        where
            Self: 'a,
        {
            *self.1.lock().unwrap() += 1;
            Provided::ready(Err(CredentialsError::provider_error(self.0.clone())))
        }
    }

    /// The number of attempts to renew credentials that could be used until `expired` ago.
    async fn attempts(error: ApiError, expired: Option<Duration>) -> u32 {
        let count = Arc::default();
        let source = SharedCredentialsProvider::new(Failing(error.clone(), Arc::clone(&count)));
        let renewed = RenewedCredentials::new(source, Waits::default());
        if let Some(ago) = expired {
            let expiry = SystemTime::now() + MARGIN - ago;
            let credentials = Credentials::new("id", "secret", None, Some(expiry), "test");
            let obtained = expiry - Duration::from_secs(3_600);
            let inner = renewed.0.as_ref().unwrap();
            inner.state().current = Some(Current { credentials, obtained });
        }
        let ended = renewed.ready().await.unwrap_err();
        let class = match &*error.code {
            "Throttling" => ErrorClass::Throttled,
            _ => error.class,
        };
        assert_eq!((ended.class, &ended.code), (class, &error.code));
        assert!(ended.message.starts_with(error.message.as_str()), "{ended}");
        *count.lock().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_ends_after_a_refusal_or_five_minutes_after_the_expiry() {
        let unavailable = || ApiError::source_unavailable("503".to_owned());
        let unresolved = "failed to lookup address information: Name or service not known";
        let unresolved = || ApiError::source_unavailable(unresolved.to_owned());
        let refused = || ApiError::no_credentials("refused");
        let timed_out = || ApiError::source_timed_out("slow".to_owned());
        let throttled = || ApiError {
            action: "sts:AssumeRole".into(),
            code: "Throttling".into(),
            ..unavailable()
        };
        let began = Instant::now();
        assert!(attempts(unavailable(), None).await > 30);
        assert!((120..=123).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        assert_eq!(attempts(unresolved(), None).await, RetryPolicy::default().attempts);
        assert_eq!(attempts(timed_out(), None).await, 1);
        assert_eq!(attempts(throttled(), Some(RENEW_FOR)).await, 1);
        assert_eq!(attempts(refused(), None).await, 1);
        assert_eq!(attempts(refused(), Some(Duration::from_secs(1))).await, 1);
        assert_eq!(attempts(unavailable(), Some(RENEW_FOR)).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_continue_while_usable_credentials_cannot_be_renewed() {
        let count = Arc::default();
        let refused = ApiError::no_credentials("refused");
        let source = SharedCredentialsProvider::new(Failing(refused, Arc::clone(&count)));
        let renewed = RenewedCredentials::new(source, Waits::default());
        let now = SystemTime::now();
        let expiry = Some(now + MARGIN + Duration::from_secs(200));
        let credentials = Credentials::new("id", "secret", None, expiry, "test");
        let obtained = now - Duration::from_secs(3_600);
        renewed.0.as_ref().unwrap().state().current = Some(Current { credentials, obtained });
        for expected in [1, 1, 2] {
            assert_eq!(renewed.ready().await, Ok(()));
            tokio::time::sleep(PAUSE * 2 / 3).await;
            assert_eq!(*count.lock().unwrap(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_begins_after_a_refusal_fails_with_it_and_asks_again_after_the_pause() {
        let count = Arc::default();
        let refused = ApiError::no_credentials("refused");
        let source = SharedCredentialsProvider::new(Failing(refused.clone(), Arc::clone(&count)));
        let renewed = RenewedCredentials::new(source, Waits::default());
        for expected in [1, 1, 2] {
            assert_eq!(renewed.ready().await.unwrap_err().code, refused.code);
            tokio::time::sleep(PAUSE * 2 / 3).await;
            assert_eq!(*count.lock().unwrap(), expected);
        }
    }

    #[test]
    fn credentials_are_renewed_ahead_of_their_expiry() {
        for (lifetime, age, expected) in [
            (Some(3_600), 3_200, Freshness::Fresh),
            (Some(3_600), 3_301, Freshness::Aging),
            (Some(3_600), 3_600, Freshness::Expired),
            (Some(40), 29, Freshness::Fresh),
            (Some(40), 31, Freshness::Aging),
            (Some(0), 0, Freshness::Expired),
            (None, 800, Freshness::Fresh),
            (None, 1_000_000, Freshness::Aging),
        ] {
            let current = current(lifetime);
            let now = current.obtained + Duration::from_secs(age);
            assert_eq!(current.freshness(now), expected, "{lifetime:?} {age}");
        }
    }
}
