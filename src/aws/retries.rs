use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::retry_policy::RetryPolicy;
use crate::inventory::{ApiError, ErrorClass};

/// The target of log messages about throttling that makes a reading slow.
pub const THROTTLING: &str = concat!(env!("CARGO_CRATE_NAME"), "::throttling");
/// The maximum number of attempts without a response. Each one takes as long as its timeout.
const MAX_TIMEOUTS: u32 = 3;

/// Since when AWS accepts no call. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Outage(Arc<Mutex<Option<Instant>>>);

impl Outage {
    /// AWS responded to a call.
    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A call failed with a transient error. Returns the time of the first such error since AWS last responded.
    fn failed(&self, now: Instant) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now)
    }
}

/// The retries of one call.
#[derive(Debug)]
pub(super) struct Retries {
    policy: RetryPolicy,
    began: Instant,
    last_failure: Option<Instant>,
    /// All transient errors.
    failures: Failures,
    /// The transient errors that concern only this call: other calls were accepted since the one before.
    own: Failures,
    has_corrected_clock: bool,
}

#[derive(Debug, Default)]
struct Failures {
    all: u32,
    timeouts: u32,
}

impl Failures {
    fn count(&mut self, error: &ApiError) {
        self.all += 1;
        self.timeouts += u32::from(error.is_timeout());
    }

    fn are_too_many(&self, policy: &RetryPolicy) -> bool {
        self.all >= policy.attempts || self.timeouts >= MAX_TIMEOUTS
    }
}

impl Retries {
    pub(super) fn new(policy: RetryPolicy) -> Retries {
        let (began, failures, own) = (Instant::now(), Failures::default(), Failures::default());
        Retries { policy, began, last_failure: None, failures, own, has_corrected_clock: false }
    }

    /// The wait before the next attempt, after an attempt that failed with `error`. `None` if the call has failed.
    ///
    /// `last_accepted` is the time at which AWS last accepted a call of the same action.
    pub(super) fn wait_after(
        &mut self,
        error: &ApiError,
        last_accepted: Instant,
        outage: &Outage,
    ) -> Option<Duration> {
        match error.class {
            // The rate limiter makes the retry wait.
            ErrorClass::Throttled => {
                let accepted = last_accepted.max(self.began);
                (accepted.elapsed() < self.policy.give_up_after).then_some(Duration::ZERO)
            }
            ErrorClass::Transient => self.wait_after_transient(error, outage),
            // The client signs the next request with AWS's time.
            ErrorClass::Credentials
                if error.code == ApiError::CLOCK_SKEW && !self.has_corrected_clock =>
            {
                self.has_corrected_clock = true;
                Some(Duration::ZERO)
            }
            _ => None,
        }
    }

    fn wait_after_transient(&mut self, error: &ApiError, outage: &Outage) -> Option<Duration> {
        let Retries { policy, .. } = *self;
        let now = Instant::now();
        let is_of_call = error.is_of_call();
        let since = match is_of_call {
            true => now,
            false => outage.failed(now),
        };
        let is_accepting = self.last_failure.replace(now).is_none_or(|last| since > last);
        self.failures.count(error);
        if is_of_call || is_accepting {
            self.own.count(error);
        }
        // While AWS does not respond, other calls have taken the time of the missing attempts.
        let are_too_many = self.failures.are_too_many(&policy) || error.is_timeout();
        let is_over =
            self.own.are_too_many(&policy) || are_too_many && since.elapsed() >= policy.retry_for;
        (!is_over).then(|| policy.wait(self.failures.all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> ApiError {
        ApiError {
            action: "iam:GetUser".into(),
            class: ErrorClass::Transient,
            code: code.into(),
            message: message.into(),
            request_id: None,
        }
    }

    /// The number of attempts of a call that always fails with `error`, and their duration in seconds. `between` is
    /// called after each attempt.
    async fn attempts(error: &ApiError, outage: &Outage, between: impl Fn()) -> (u32, u64) {
        let began = Instant::now();
        let mut retries = Retries::new(RetryPolicy::default());
        for attempt in 1.. {
            let Some(wait) = retries.wait_after(error, began, outage) else {
                return (attempt, began.elapsed().as_secs());
            };
            between();
            tokio::time::sleep(wait).await;
        }
        unreachable!()
    }

    const MESSAGE: &str = "the message";

    #[tokio::test(start_paused = true)]
    async fn a_call_that_fails_while_others_are_accepted_has_six_attempts() {
        let outage = Outage::default();
        let (attempts, seconds) =
            attempts(&error("ServiceFailure", MESSAGE), &outage, || outage.end()).await;
        assert_eq!(attempts, 6);
        assert!(seconds <= 6, "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn while_no_call_is_accepted_calls_are_retried_for_a_minute_together() {
        let outage = Outage::default();
        let error = error(ApiError::CONNECTION_FAILED, "connection refused");
        let (first, seconds) = attempts(&error, &outage, || {}).await;
        assert!(first > 20, "{first}");
        assert!((60..=63).contains(&seconds), "{seconds}");
        // The next call of the same outage does not wait for as long.
        assert_eq!(attempts(&error, &outage, || {}).await.0, 6);
        outage.end();
        assert!(attempts(&error, &outage, || {}).await.0 > 20);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_minute_in_which_aws_responds_to_no_call_each_call_has_one_attempt() {
        let outage = Outage::default();
        let error = error(ApiError::TIMED_OUT, "no response");
        assert!(attempts(&error, &outage, || {}).await.0 >= 3);
        assert_eq!(attempts(&error, &outage, || {}).await.0, 1);
        outage.end();
        assert!(attempts(&error, &outage, || {}).await.0 >= 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_to_another_call_at_the_start_of_an_outage_costs_one_attempt() {
        let outage = Outage::default();
        let is_first = std::cell::Cell::new(true);
        let late = || {
            if is_first.replace(false) {
                outage.end();
            }
        };
        let error = error(ApiError::CONNECTION_FAILED, "connection refused");
        let (attempts, seconds) = attempts(&error, &outage, late).await;
        assert!(attempts > 20 && seconds >= 60, "{attempts} {seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_time_does_not_change_has_six_attempts_during_an_outage_too() {
        let unresolved = "failed to lookup address information: Name or service not known";
        for (code, message) in [
            ("ConcurrentModification", MESSAGE),
            ("EntityTemporarilyUnmodifiable", MESSAGE),
            (ApiError::CONNECTION_FAILED, unresolved),
        ] {
            let attempts = attempts(&error(code, message), &Outage::default(), || {}).await;
            assert_eq!(attempts.0, 6, "{code}");
        }
        let temporary =
            "failed to lookup address information: Temporary failure in name resolution";
        let error = error(ApiError::CONNECTION_FAILED, temporary);
        assert!(attempts(&error, &Outage::default(), || {}).await.0 > 20);
    }
}
