use std::convert::Infallible;
use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;

use super::call_context::CallContext;
use super::call_end::CallEnd;
use super::error::CallFailure;
use super::limiter::Response;
use super::rate_limiter::{Permit, RateLimiter};
use super::redactor::redact_likely_secrets;
use super::retries::Retries;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use super::waits::PendingCall;
use crate::iam::Rate;
use crate::inventory::{ApiError, ErrorClass, Retry, Wait};

/// Executes the calls of one action: rate limit, retries, count and redaction. Clones share the rate limiter and
/// the count.
#[derive(Debug, Clone)]
pub(super) struct CallExecutor {
    action: &'static str,
    policy: RetryPolicy,
    rate_limiter: RateLimiter,
    context: CallContext,
}

impl CallExecutor {
    pub(super) fn new(
        action: &'static str,
        policy: RetryPolicy,
        rate_limiter: RateLimiter,
        context: CallContext,
    ) -> Self {
        CallExecutor { action, policy, rate_limiter, context }
    }

    /// The action with its service, as in errors: `iam:GetUser`.
    pub(super) fn action(&self) -> &'static str {
        self.action
    }

    /// Starts at a rate that an earlier run measured.
    pub(super) fn start_at(&self, rate: Rate) {
        self.rate_limiter.start_at(rate);
    }

    /// The rate at which the next run may start; `None` if this run does not know it.
    pub(super) fn rate_for_next_run(&self) -> Option<Rate> {
        self.rate_limiter.rate_for_next_run()
    }

    /// Attempts `call` until it succeeds, fails permanently, or the stop is requested.
    ///
    /// After a stop, a call that was attempted ends with the error of its last attempt. If AWS throttled that attempt
    /// and no earlier one can have been carried out, it ends as [`CallEnd::ThrottledUntilStop`].
    pub(super) async fn execute<T, F>(
        &self,
        stop: &Stop,
        call: impl Fn() -> F,
        on_retry: impl FnMut(Retry),
    ) -> CallEnd<T>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        self.execute_while(|| true, stop, call, on_retry).await
    }

    /// Like [`CallExecutor::execute`], but evaluates `may_send` just before each attempt. If it is false, the call ends
    /// as if the stop were requested.
    pub(super) async fn execute_while<T, F>(
        &self,
        may_send: impl Fn() -> bool + Sync,
        stop: &Stop,
        call: impl Fn() -> F,
        mut on_retry: impl FnMut(Retry),
    ) -> CallEnd<T>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let mut attempts = Attempts::new(self, stop);
        loop {
            let permit = match attempts.begin(&may_send).await {
                ControlFlow::Continue(permit) => permit,
                ControlFlow::Break(end) => return end.of_any_value(),
            };
            let result = tokio::select! {
                // In a box, because the futures of the SDK are deep, and so would be those that contain this one.
                result = Box::pin(call()) => result,
                () = stop.overdue() => Err(ApiError::timed_out(self.action).into()),
            };
            let failed = match result {
                Ok(value) => {
                    return CallEnd::Done { value, attempts: attempts.succeeded(permit) };
                }
                Err(failure) => attempts.failed(failure, permit),
            };
            let (retry, wait) = match failed {
                ControlFlow::Continue(retry) => retry,
                ControlFlow::Break(end) => return end.of_any_value(),
            };
            if stop.reason().is_none() {
                on_retry(retry);
            }
            if let ControlFlow::Break(end) = attempts.pause(wait).await {
                return end.of_any_value();
            }
        }
    }

    /// The error without secrets. Its causes go to the log.
    fn redacted(&self, failure: CallFailure) -> ApiError {
        let CallFailure { error, causes } = failure;
        if !causes.is_empty() {
            // In this order: the second can leave a part of a known secret.
            let causes = redact_likely_secrets(&self.context.redactor.redact_text(&causes));
            tracing::debug!("causes of the failure of {}: {causes}", self.action);
        }
        self.context.redactor.redact(error)
    }
}

/// What the next step of a call needs, or the end of a call without a value.
type Next<T> = ControlFlow<CallEnd<Infallible>, T>;

/// The attempts of one call. Nothing here depends on the type of its result: this code is compiled once for all calls.
struct Attempts<'a> {
    executor: &'a CallExecutor,
    stop: &'a Stop,
    retries: Retries,
    /// `None` before the first attempt.
    pending: Option<PendingCall>,
    /// The number of attempts that were begun.
    begun: u32,
    /// The number of attempts that were sent.
    sent: u32,
    /// The error of the last attempt.
    last: Option<ApiError>,
    /// The error of the last attempt that may have been carried out.
    unclear: Option<ApiError>,
}

impl<'a> Attempts<'a> {
    fn new(executor: &'a CallExecutor, stop: &'a Stop) -> Self {
        Attempts {
            executor,
            stop,
            retries: Retries::new(executor.policy),
            pending: None,
            begun: 0,
            sent: 0,
            last: None,
            unclear: None,
        }
    }

    /// Waits until the next attempt may be sent. The call ends if there are no credentials, the stop is requested, or
    /// `may_send` is false when it is the turn of the attempt.
    async fn begin(&mut self, may_send: &(dyn Fn() -> bool + Sync)) -> Next<Permit> {
        let &CallExecutor { action, ref rate_limiter, ref context, .. } = self.executor;
        let credentials = &context.credentials;
        let permit = async {
            loop {
                credentials.ready().await?;
                // They can expire in the queue. Those of a source that returns them for seconds are used at once.
                let were_usable = credentials.are_usable();
                let can_be_sent = || may_send() && (!were_usable || credentials.are_usable());
                let permit = rate_limiter.acquire_if(can_be_sent).await;
                if permit.is_some() || !may_send() {
                    return Ok(permit);
                }
            }
        };
        let permit = tokio::select! {
            biased;
            () = self.stop.requested() => Ok(None),
            permit = permit => permit,
        };
        let permit = match permit {
            Ok(Some(permit)) => permit,
            Ok(None) => return ControlFlow::Break(self.stopped()),
            Err(error) => {
                let error = self.executor.redacted(ApiError::in_call(error, action).into());
                return self.end(error, None);
            }
        };
        self.begun += 1;
        self.pending.get_or_insert_with(|| context.waits.begin(action)).attempt();
        ControlFlow::Continue(permit)
    }

    /// The attempt succeeded. Returns the number of attempts that were sent.
    fn succeeded(&self, permit: Permit) -> u32 {
        let context = &self.executor.context;
        context.counter.count(false);
        context.outage.end();
        permit.finish(Response::Accepted);
        self.sent + 1
    }

    /// The attempt failed. Returns the retry, and how long to wait before it. The call ends if it is not retried.
    fn failed(&mut self, failure: CallFailure, permit: Permit) -> Next<(Retry, Duration)> {
        let &CallExecutor { action, ref rate_limiter, ref context, .. } = self.executor;
        let error = self.executor.redacted(failure);
        let is_throttled = error.class == ErrorClass::Throttled;
        if let Some(pending) = &self.pending {
            pending.failed(&error);
        }
        if !error.is_unsent(action) {
            self.sent += 1;
            context.counter.count(is_throttled);
            if error.is_outcome_unknown() {
                self.unclear = Some(error.clone());
            }
        }
        if is_available(&error) {
            context.outage.end();
        }
        permit.finish(response(&error));
        self.last = Some(error.clone());
        if is_throttled && self.stop.reason().is_some() {
            return ControlFlow::Break(self.stopped());
        }
        let wait = self.retries.wait_after(&error, rate_limiter.last_accepted(), &context.outage);
        let Some(wait) = wait else {
            let wait = self.pending.as_ref().map(PendingCall::wait);
            return self.end(error, wait);
        };
        let attempt = self.begun;
        tracing::debug!(attempt, wait_ms = wait.as_millis(), "{error}");
        let retry = Retry { attempt, error, measured_rate: rate_limiter.measured_rate() };
        ControlFlow::Continue((retry, wait))
    }

    /// Waits before the next attempt. The call ends if the stop is requested.
    async fn pause(&mut self, wait: Duration) -> Next<()> {
        tokio::select! {
            biased;
            () = self.stop.requested() => ControlFlow::Break(self.stopped()),
            () = tokio::time::sleep(wait) => ControlFlow::Continue(()),
        }
    }

    /// The end of the call with this error.
    fn end<T>(&self, error: ApiError, wait: Option<Wait>) -> Next<T> {
        let (attempts, may_be_done) = (self.sent, self.unclear.is_some());
        ControlFlow::Break(CallEnd::Failed { error, attempts, may_be_done, wait })
    }

    /// The end of the call if no other attempt may be sent.
    fn stopped(&mut self) -> CallEnd<Infallible> {
        match self.last.take() {
            Some(error) => CallEnd::stopped(error, self.sent, self.unclear.take()),
            None => CallEnd::NotAttempted,
        }
    }
}

/// Whether the response shows that AWS accepts calls, although not this one.
fn is_available(error: &ApiError) -> bool {
    let is_transient = error.class == ErrorClass::Transient && !error.is_of_call();
    error.request_id.is_some() && !is_transient
}

/// What the rate limiter learns from a failed attempt.
fn response(error: &ApiError) -> Response {
    match error.class {
        ErrorClass::Throttled => Response::Throttled,
        // A response without a request ID came from no server, or from one that is not AWS's.
        _ if error.request_id.is_none() => Response::Lost,
        _ => Response::Accepted,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::Instant;

    use super::super::limiter::{LimiterOptions, MaxRate};
    use super::super::stop::StopSwitch;
    use super::*;
    use crate::inventory::StopReason;

    const ACTION: &str = "iam:GetUser";

    fn executor(rate: Option<f64>) -> CallExecutor {
        let max_rate = MaxRate::new(rate.map(|rate| Rate::per_second(rate).unwrap()));
        let options = LimiterOptions { max_in_flight: 16, expected_calls: 100 };
        let rate_limiter = RateLimiter::new(options, Arc::new(Mutex::new(max_rate)));
        let context = CallContext::default();
        CallExecutor::new(ACTION, RetryPolicy::default(), rate_limiter, context)
    }

    fn error(class: ErrorClass) -> CallFailure {
        let error = ApiError {
            action: ACTION.into(),
            class,
            code: "Code".into(),
            message: "message".into(),
            request_id: Some("id".into()),
        };
        error.into()
    }

    async fn attempts_of(class: ErrorClass) -> u32 {
        let call = || async { Err::<(), _>(error(class)) };
        match executor(None).execute(&Stop::never(), call, |_| {}).await {
            CallEnd::Failed { attempts, .. } => attempts,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_transient_errors_are_retried() {
        let start = Instant::now();
        assert!(attempts_of(ErrorClass::Transient).await > 20);
        assert!(start.elapsed() >= RetryPolicy::default().retry_for, "{:?}", start.elapsed());
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
    async fn while_other_calls_are_accepted_attempts_without_a_response_are_made_three_times() {
        let executor = executor(None);
        let call = || async { Err::<(), _>(ApiError::timed_out(ACTION).into()) };
        let others = async {
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                executor.execute(&Stop::never(), || async { Ok(()) }, |_| {}).await;
            }
        };
        let stop = Stop::never();
        let ended = tokio::select! {
            ended = executor.execute(&stop, call, |_| {}) => ended,
            () = others => unreachable!(),
        };
        assert!(matches!(ended, CallEnd::Failed { attempts: 3, .. }), "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_signature_is_repeated_once_after_the_clock_is_corrected() {
        let skewed = || async {
            let CallFailure { error, causes } = error(ErrorClass::Credentials);
            let error = ApiError { code: ApiError::CLOCK_SKEW.into(), ..error };
            Err::<(), _>(CallFailure { error, causes })
        };
        let ended = executor(None).execute(&Stop::never(), skewed, |_| {}).await;
        assert!(matches!(ended, CallEnd::Failed { attempts: 2, .. }), "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_call_fails_only_when_no_other_call_is_accepted() {
        let start = Instant::now();
        assert!(attempts_of(ErrorClass::Throttled).await > 3);
        assert!(start.elapsed() >= RetryPolicy::default().give_up_after);

        let (executor, start) = (executor(None), Instant::now());
        let has_recovered = || start.elapsed() > Duration::from_secs(1_000);
        let unlucky =
            || async { if has_recovered() { Ok(()) } else { Err(error(ErrorClass::Throttled)) } };
        let lucky = async {
            while !has_recovered() {
                executor.execute(&Stop::never(), || async { Ok(()) }, |_| {}).await;
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
        };
        let stop = Stop::never();
        let (ended, ()) = tokio::join!(executor.execute(&stop, unlucky, |_| {}), lucky);
        assert!(matches!(ended, CallEnd::Done { .. }), "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn retries_keep_below_the_ceiling_too() {
        let executor = CallExecutor {
            policy: RetryPolicy {
                first_wait: Duration::ZERO,
                retry_for: Duration::ZERO,
                ..RetryPolicy::default()
            },
            ..executor(Some(2.0))
        };
        let start = Instant::now();
        let call = || async { Err::<(), _>(error(ErrorClass::Transient)) };
        executor.execute(&Stop::never(), call, |_| {}).await;
        // A part of each wait is a wait of the system, which the paused clock does not count.
        assert!(start.elapsed() >= Duration::from_millis(2_490), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait_and_keeps_the_last_error() {
        let switch = StopSwitch::new();
        let stop = switch.receiver();
        let call = || async { Err::<(), _>(error(ErrorClass::Transient)) };
        let request = |_| switch.request_stop(StopReason::Interrupted);
        let ended = executor(None).execute(&stop, call, request).await;
        assert!(matches!(ended, CallEnd::Failed { attempts: 1, .. }), "{ended:?}");
        let ended = executor(None).execute(&stop, call, |_| {}).await;
        assert!(matches!(ended, CallEnd::NotAttempted), "{ended:?}");
    }

    /// The end of a call whose attempts fail with `errors`, and which is stopped during the last one or during the
    /// wait after it.
    async fn stopped_after(errors: &[ErrorClass], is_in_flight: bool) -> CallEnd<()> {
        let switch = StopSwitch::new();
        let sent = std::cell::Cell::new(0);
        let call = || {
            let attempt = sent.replace(sent.get() + 1);
            if is_in_flight && attempt + 1 == errors.len() {
                switch.request_stop(StopReason::Interrupted);
            }
            std::future::ready(Err(error(errors[attempt])))
        };
        let retry = |retry: Retry| {
            if retry.attempt as usize == errors.len() {
                switch.request_stop(StopReason::Interrupted);
            }
        };
        executor(None).execute(&switch.receiver(), call, retry).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_was_only_throttled_until_the_stop_was_not_carried_out() {
        use ErrorClass::{Throttled, Transient};
        for is_in_flight in [false, true] {
            for (errors, is_certain) in [
                (&[Throttled][..], true),
                (&[Throttled, Throttled, Throttled], true),
                // The first response was lost: the change may be made.
                (&[Transient, Throttled], false),
                (&[Throttled, Transient, Throttled], false),
                (&[Throttled, Transient], false),
            ] {
                let attempts = u32::try_from(errors.len()).unwrap();
                match stopped_after(errors, is_in_flight).await {
                    CallEnd::ThrottledUntilStop { attempts: made, .. } => {
                        assert_eq!((is_certain, made), (true, attempts), "{errors:?}");
                    }
                    CallEnd::Failed { attempts: made, may_be_done: true, .. } => {
                        assert_eq!((is_certain, made), (false, attempts), "{errors:?}");
                    }
                    other => panic!("{errors:?}: {other:?}"),
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_any_stop_a_call_in_flight_has_ten_seconds_to_end() {
        for reason in [StopReason::Deadline, StopReason::Interrupted, StopReason::Error] {
            ends_ten_seconds_after(reason).await;
        }
    }

    async fn ends_ten_seconds_after(reason: StopReason) {
        let switch = StopSwitch::new();
        let (executor, stop) = (executor(None), switch.receiver());
        let start = Instant::now();
        let call = || async {
            switch.request_stop(reason);
            std::future::pending::<Result<(), CallFailure>>().await
        };
        let ended = executor.execute(&stop, call, |_| {}).await;
        assert!(
            matches!(&ended, CallEnd::Failed { error, attempts: 1, .. } if error.code == "TimedOut"),
            "{ended:?}"
        );
        assert_eq!(start.elapsed().as_secs(), 10, "{reason:?}");
    }
}
