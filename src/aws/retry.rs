use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::pace::Answer;
use super::secrets::Secrets;
use super::stop::Stop;
use super::turnstile::Turnstile;
use crate::inventory::{ApiError, CallCount, ErrorClass, Retry};

/// How often, and after how long, a failed call is tried again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Attempts for a call that fails for a passing reason other than throttling.
    pub attempts: u32,
    /// A throttled call is tried again as long as calls of its kind are accepted; it is given up when
    /// none was in this time.
    pub standstill: Duration,
    /// The longest wait after the first failed attempt; it doubles with each further one.
    pub first_wait: Duration,
    /// The longest wait of all.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts: 6,
            standstill: Duration::from_secs(300),
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// For calls that a person waits for with nothing on the screen yet.
    pub fn impatient() -> Self {
        RetryPolicy { attempts: 3, standstill: Duration::from_secs(20), ..RetryPolicy::default() }
    }

    /// The wait after the failure number `failures`, from 1.
    ///
    /// Half of it is chance, so that tasks that failed together do not come back together.
    fn wait(&self, failures: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << (failures - 1).min(16));
        doubled.min(self.longest_wait).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// Counts attempts; clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter(Arc<(AtomicU64, AtomicU64)>);

impl Counter {
    pub(super) fn calls(&self) -> CallCount {
        let (made, throttled) = &*self.0;
        CallCount {
            made: made.load(Ordering::Relaxed),
            throttled: throttled.load(Ordering::Relaxed),
        }
    }

    fn count(&self, is_throttled: bool) {
        let (made, throttled) = &*self.0;
        made.fetch_add(1, Ordering::Relaxed);
        throttled.fetch_add(u64::from(is_throttled), Ordering::Relaxed);
    }
}

/// How a call ended, whatever it took.
#[derive(Debug)]
pub(super) enum Ended<T> {
    Done {
        value: T,
        attempts: u32,
    },
    Failed {
        error: ApiError,
        attempts: u32,
    },
    /// The stop was asked for before the first attempt.
    NotAttempted,
}

impl<T> Ended<T> {
    /// For calls that are not part of a run that can be stopped.
    pub(super) fn into_result(self, action: &'static str) -> Result<T, ApiError> {
        match self {
            Ended::Done { value, .. } => Ok(value),
            Ended::Failed { error, .. } => Err(error),
            Ended::NotAttempted => Err(ApiError::unreadable(action, "stopped before the call")),
        }
    }
}

/// What every attempt of one kind of call passes through. Clones share the turnstile and the count.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    action: &'static str,
    policy: RetryPolicy,
    turnstile: Turnstile,
    counter: Counter,
    secrets: Secrets,
}

impl Caller {
    pub(super) fn new(
        action: &'static str,
        policy: RetryPolicy,
        turnstile: Turnstile,
        counter: Counter,
        secrets: Secrets,
    ) -> Self {
        Caller { action, policy, turnstile, counter, secrets }
    }

    /// The kind of call, as errors name it.
    pub(super) fn action(&self) -> &'static str {
        self.action
    }

    /// Attempts `call` until it goes well, fails for good, or is stopped.
    ///
    /// A call that was attempted is never reported as not attempted: after a stop it keeps the error
    /// of its last attempt.
    pub(super) async fn call<T, F>(
        &self,
        stop: &Stop,
        call: impl Fn() -> F,
        mut on_retry: impl FnMut(Retry),
    ) -> Ended<T>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let mut last: Option<ApiError> = None;
        let mut failures = 0;
        let began = tokio::time::Instant::now();
        for attempt in 1.. {
            let pass = tokio::select! {
                biased;
                () = stop.asked() => return match last {
                    Some(error) => Ended::Failed { error, attempts: attempt - 1 },
                    None => Ended::NotAttempted,
                },
                pass = self.turnstile.pass() => pass,
            };
            let result = tokio::select! {
                result = call() => result,
                () = stop.overdue() => Err(ApiError::timed_out(self.action)),
            };
            let error = match result {
                Ok(value) => {
                    self.counter.count(false);
                    pass.answered(Answer::Accepted);
                    return Ended::Done { value, attempts: attempt };
                }
                Err(error) => self.secrets.taken_out_of(error),
            };
            let is_throttled = error.class == ErrorClass::Throttled;
            self.counter.count(is_throttled);
            pass.answered(answer(&error));
            let wait = match error.class {
                // The pace makes it wait.
                ErrorClass::Throttled => {
                    let standstill = self.turnstile.progress().max(began).elapsed();
                    (standstill < self.policy.standstill).then_some(Duration::ZERO)
                }
                ErrorClass::Transient => {
                    failures += 1;
                    (failures < self.policy.attempts).then(|| self.policy.wait(failures))
                }
                _ => None,
            };
            let Some(wait) = wait else { return Ended::Failed { error, attempts: attempt } };
            tracing::debug!(attempt, ?wait, "{error}");
            on_retry(Retry {
                attempt,
                error: error.clone(),
                measured_rate: self.turnstile.found(),
            });
            tokio::select! {
                biased;
                () = stop.asked() => return Ended::Failed { error, attempts: attempt },
                () = tokio::time::sleep(wait) => {}
            }
            last = Some(error);
        }
        unreachable!("attempts are counted without end")
    }
}

fn answer(error: &ApiError) -> Answer {
    match error.class {
        ErrorClass::Throttled => Answer::Throttled,
        // An answer without a request id came from no server, or not from AWS's.
        _ if error.request_id.is_none() => Answer::Lost,
        _ => Answer::Accepted,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::Instant;

    use super::super::StopSwitch;
    use super::super::pace::{Bounds, Ceiling};
    use super::*;
    use crate::iam::Rate;
    use crate::inventory::StopReason;

    const ACTION: &str = "iam:GetUser";

    fn caller(rate: Option<f64>) -> Caller {
        let ceiling = Ceiling::new(rate.map(|rate| Rate::per_second(rate).unwrap()));
        let bounds = Bounds { in_flight: 16, calls: 100 };
        let turnstile = Turnstile::new(bounds, Arc::new(Mutex::new(ceiling)));
        let (counter, secrets) = (Counter::default(), Secrets::default());
        Caller::new(ACTION, RetryPolicy::default(), turnstile, counter, secrets)
    }

    fn error(class: ErrorClass) -> ApiError {
        ApiError {
            action: ACTION.into(),
            class,
            code: "Code".to_owned(),
            message: "message".to_owned(),
            request_id: Some("id".to_owned()),
        }
    }

    async fn attempts_of(class: ErrorClass) -> u32 {
        let call = || async { Err::<(), _>(error(class)) };
        match caller(None).call(&Stop::never(), call, |_| {}).await {
            Ended::Failed { attempts, .. } => attempts,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_pass_is_tried_again() {
        assert_eq!(attempts_of(ErrorClass::Transient).await, 6);
        for class in [
            ErrorClass::Denied,
            ErrorClass::Credentials,
            ErrorClass::NotFound,
            ErrorClass::Rejected,
        ] {
            assert_eq!(attempts_of(class).await, 1, "{class:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_call_is_given_up_only_when_nothing_at_all_gets_through() {
        let start = Instant::now();
        assert!(attempts_of(ErrorClass::Throttled).await > 3);
        assert!(start.elapsed() >= RetryPolicy::default().standstill);

        let (caller, start) = (caller(None), Instant::now());
        let is_over = || start.elapsed() > Duration::from_secs(1_000);
        let unlucky =
            || async { if is_over() { Ok(()) } else { Err(error(ErrorClass::Throttled)) } };
        let lucky = async {
            while !is_over() {
                caller.call(&Stop::never(), || async { Ok(()) }, |_| {}).await;
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
        };
        let stop = Stop::never();
        let (ended, ()) = tokio::join!(caller.call(&stop, unlucky, |_| {}), lucky);
        assert!(matches!(ended, Ended::Done { .. }), "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_the_longest() {
        let policy = RetryPolicy::default();
        for (failures, longest_ms) in [(1, 200), (2, 400), (6, 6_400), (7, 10_000), (39, 10_000)] {
            let wait = policy.wait(failures);
            let longest = Duration::from_millis(longest_ms);
            assert!(wait >= longest / 2 && wait <= longest, "{failures}: {wait:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retries_keep_below_the_ceiling_too() {
        let caller = Caller {
            policy: RetryPolicy { first_wait: Duration::ZERO, ..RetryPolicy::default() },
            ..caller(Some(2.0))
        };
        let start = Instant::now();
        let call = || async { Err::<(), _>(error(ErrorClass::Transient)) };
        caller.call(&Stop::never(), call, |_| {}).await;
        // A part of each wait is the system's, which a paused clock does not count.
        assert!(start.elapsed() >= Duration::from_millis(2_490), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_waiting_and_keeps_the_last_error() {
        let switch = StopSwitch::new();
        let stop = switch.stop();
        let call = || async { Err::<(), _>(error(ErrorClass::Throttled)) };
        let press = |_| switch.press(StopReason::Interrupted);
        let ended = caller(None).call(&stop, call, press).await;
        assert!(matches!(ended, Ended::Failed { attempts: 1, .. }), "{ended:?}");
        let ended = caller(None).call(&stop, call, |_| {}).await;
        assert!(matches!(ended, Ended::NotAttempted), "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_deadline_an_answer_is_waited_for_some_seconds_and_no_longer() {
        let switch = StopSwitch::new();
        let (caller, stop) = (caller(None), switch.stop());
        let start = Instant::now();
        let call = || async {
            switch.press(StopReason::Deadline);
            std::future::pending::<Result<(), ApiError>>().await
        };
        let ended = caller.call(&stop, call, |_| {}).await;
        assert!(
            matches!(&ended, Ended::Failed { error, attempts: 1 } if error.code == "TimedOut"),
            "{ended:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}
