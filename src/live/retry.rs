use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::{CallError, ErrorClass, Pace, Stop};

/// How often, and after how long, a failed call is tried again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Attempts for a call that fails for a passing reason other than throttling.
    pub attempts: u32,
    /// Attempts for a call that is throttled: more, because throttling is a matter of time alone.
    pub throttled_attempts: u32,
    /// The longest wait after the first failed attempt; it doubles with each further one.
    pub first_wait: Duration,
    /// The longest wait of all.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts: 6,
            throttled_attempts: 40,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// For calls that a person waits for with nothing on the screen yet.
    pub fn impatient() -> Self {
        RetryPolicy { attempts: 3, ..RetryPolicy::default() }
    }

    /// The wait after the failure number `failures` of this class (from 1), or none if it was the last.
    ///
    /// Half of it is chance, so that tasks that failed together do not come back together.
    fn wait(&self, failures: u32, class: ErrorClass) -> Option<Duration> {
        let attempts = match class {
            ErrorClass::Throttled => self.throttled_attempts,
            ErrorClass::Transient => self.attempts,
            _ => return None,
        };
        if failures >= attempts {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(1 << (failures - 1).min(16));
        Some(doubled.min(self.longest_wait).mul_f64(0.5 + fastrand::f64() / 2.0))
    }
}

/// How many calls were made, every attempt counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Attempts that were sent.
    pub made: u64,
    /// Those of them that AWS throttled.
    pub throttled: u64,
}

impl Calls {
    /// What came after `before`, which is an earlier count of the same calls.
    pub fn since(self, before: Calls) -> Calls {
        Calls {
            made: self.made.saturating_sub(before.made),
            throttled: self.throttled.saturating_sub(before.throttled),
        }
    }
}

#[derive(Debug, Default)]
struct Counter {
    made: AtomicU64,
    throttled: AtomicU64,
}

impl Counter {
    fn calls(&self) -> Calls {
        Calls {
            made: self.made.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
        }
    }
}

/// An attempt that failed and will be repeated.
#[derive(Debug, Clone)]
pub struct Retry {
    /// The number of the attempt that failed, from 1.
    pub attempt: u32,
    /// Why it failed.
    pub error: CallError,
    /// How long it is until the next one.
    pub wait: Duration,
}

/// How a call ended, whatever it took.
#[derive(Debug)]
pub(super) enum Ended<T> {
    Done {
        value: T,
        attempts: u32,
    },
    Failed {
        error: CallError,
        attempts: u32,
    },
    /// The stop was asked for before the first attempt.
    NotAttempted,
}

impl<T> Ended<T> {
    /// For calls that are not part of a run that can be stopped.
    pub(super) fn into_result(self, action: &'static str) -> Result<T, CallError> {
        match self {
            Ended::Done { value, .. } => Ok(value),
            Ended::Failed { error, .. } => Err(error),
            Ended::NotAttempted => Err(CallError::unreadable(action, "stopped before the call")),
        }
    }
}

/// What every attempt of one kind of call passes through. Clones share the pace and the count.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    policy: RetryPolicy,
    pace: Arc<Mutex<Pace>>,
    counter: Arc<Counter>,
}

impl Caller {
    pub(super) fn new(policy: RetryPolicy, pace: Pace) -> Self {
        Caller { policy, pace: Arc::new(Mutex::new(pace)), counter: Arc::default() }
    }

    /// The calls made so far, by every clone.
    pub(super) fn calls(&self) -> Calls {
        self.counter.calls()
    }

    pub(super) fn with_policy(self, policy: RetryPolicy) -> Self {
        Caller { policy, ..self }
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
        F: Future<Output = Result<T, CallError>>,
    {
        let mut last: Option<CallError> = None;
        // Throttling uses up nothing of the patience with other failures.
        let (mut throttled, mut failed) = (0, 0);
        for attempt in 1.. {
            let at = self
                .pace
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(Instant::now().into());
            let stopped = tokio::select! {
                biased;
                () = stop.asked() => true,
                () = tokio::time::sleep_until(at.into()) => false,
            };
            if stopped {
                return match last {
                    Some(error) => Ended::Failed { error, attempts: attempt - 1 },
                    None => Ended::NotAttempted,
                };
            }
            self.counter.made.fetch_add(1, Ordering::Relaxed);
            let error = match call().await {
                Ok(value) => return Ended::Done { value, attempts: attempt },
                Err(error) => error,
            };
            let failures = if error.class == ErrorClass::Throttled {
                self.counter.throttled.fetch_add(1, Ordering::Relaxed);
                &mut throttled
            } else {
                &mut failed
            };
            *failures += 1;
            let Some(wait) = self.policy.wait(*failures, error.class) else {
                return Ended::Failed { error, attempts: attempt };
            };
            tracing::debug!(attempt, ?wait, "{error}");
            on_retry(Retry { attempt, error: error.clone(), wait });
            tokio::select! {
                biased;
                () = stop.asked() => return Ended::Failed { error, attempts: attempt },
                () = tokio::time::sleep(wait) => {}
            }
            last = Some(error);
        }
        unreachable!("the policy bounds the attempts")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Rate, StopSwitch};
    use super::*;

    fn caller(rate: Option<f64>) -> Caller {
        let ceiling = rate.map(|rate| Rate::per_second(rate).unwrap());
        Caller::new(RetryPolicy::default(), Pace::new(ceiling))
    }

    fn error(class: ErrorClass) -> CallError {
        CallError {
            action: "iam:GetUser".into(),
            class,
            code: "Code".to_owned(),
            message: "message".to_owned(),
            request_id: None,
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
        assert_eq!(attempts_of(ErrorClass::Throttled).await, 40);
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
    async fn waits_double_up_to_the_longest() {
        let policy = RetryPolicy::default();
        for (failures, longest_ms) in [(1, 200), (2, 400), (6, 6_400), (7, 10_000), (39, 10_000)] {
            let wait = policy.wait(failures, ErrorClass::Throttled).unwrap();
            let longest = Duration::from_millis(longest_ms);
            assert!(wait >= longest / 2 && wait <= longest, "{failures}: {wait:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retries_keep_to_the_pace_too() {
        let caller = Caller {
            policy: RetryPolicy { first_wait: Duration::ZERO, ..RetryPolicy::default() },
            ..caller(Some(2.0))
        };
        let start = Instant::now();
        let call = || async { Err::<(), _>(error(ErrorClass::Transient)) };
        caller.call(&Stop::never(), call, |_| {}).await;
        assert!(start.elapsed() >= Duration::from_millis(2_500), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_waiting_and_keeps_the_last_error() {
        let switch = StopSwitch::new();
        let stop = switch.stop();
        let call = || async { Err::<(), _>(error(ErrorClass::Throttled)) };
        let ended = caller(None).call(&stop, call, |_| switch.press()).await;
        assert!(matches!(ended, Ended::Failed { attempts: 1, .. }), "{ended:?}");
        let ended = caller(None).call(&stop, call, |_| {}).await;
        assert!(matches!(ended, Ended::NotAttempted), "{ended:?}");
    }
}
