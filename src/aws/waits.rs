use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::iam::Printable;
use crate::inventory::{ApiError, Wait};

/// What a connection waits for: its calls that have not succeeded yet, and its source of credentials. Clones share
/// it.
#[derive(Debug, Clone, Default)]
pub struct Waits(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The waits in the order in which they began.
    pending: BTreeMap<u64, Pending>,
    next: u64,
    /// The endpoint of the last request for each key.
    endpoints: BTreeMap<String, Printable>,
    /// The source of credentials that was called last: its name, and the key of its requests.
    source: Option<(Printable, String)>,
    typing_since: Option<Instant>,
    /// The total time in which a person typed, without the present time.
    typed: Duration,
}

#[derive(Debug)]
struct Pending {
    action: &'static str,
    began: Instant,
    attempts: u32,
    error: Option<ApiError>,
    /// How far calls that belong together are.
    progress: Option<Printable>,
}

/// A call that waits until it is dropped.
#[derive(Debug)]
pub(super) struct PendingCall {
    waits: Waits,
    id: u64,
}

/// A person types until it is dropped.
#[derive(Debug)]
pub(super) struct Typing(Waits);

impl Waits {
    /// The time without a success after which a wait is worth a message.
    pub const NOTICE_AFTER: Duration = Duration::from_secs(5);

    /// What has lasted longest, and at least `at_least`. Nothing while a person types: the person knows.
    ///
    /// Calls come before the source of credentials, whose own call to STS can be one of them.
    pub fn longest(&self, at_least: Duration) -> Option<Wait> {
        let state = self.state();
        if state.typing_since.is_some() {
            return None;
        }
        let is_long = |pending: &&Pending| pending.began.elapsed() >= at_least;
        let pending = state.pending.values().filter(is_long);
        let longest = pending.min_by_key(|pending| (is_source(pending), pending.began))?;
        Some(state.wait(longest))
    }

    /// What a call of `action` waits for: its response, or the credentials to send it with.
    pub(super) fn of_call(&self, action: &str) -> Option<Wait> {
        let state = self.state();
        let of_call = |it: &&Pending| it.action == action || is_source(it);
        let pending = state.pending.values().filter(of_call).min_by_key(|it| is_source(it))?;
        Some(state.wait(pending))
    }

    /// Begins to wait for a call of `action`, or for [the source of credentials](ApiError::SOURCE).
    pub(super) fn begin(&self, action: &'static str) -> PendingCall {
        let mut state = self.state();
        let id = state.next;
        state.next += 1;
        let pending =
            Pending { action, began: Instant::now(), attempts: 0, error: None, progress: None };
        state.pending.insert(id, pending);
        PendingCall { waits: self.clone(), id }
    }

    /// Remembers that a request with this key is sent to `endpoint`: a scheme, a host and a port.
    pub(super) fn sent(&self, key: &str, endpoint: String) {
        self.state().endpoints.insert(key.to_owned(), endpoint.into());
    }

    /// Remembers that the source of credentials `name` is called, whose requests have this key.
    pub(super) fn asks_source(&self, name: &str, key: &str) {
        let mut state = self.state();
        state.endpoints.remove(key);
        state.source = Some((name.into(), key.to_owned()));
    }

    /// A person is asked for an MFA code.
    pub(super) fn typing(&self) -> Typing {
        self.state().typing_since = Some(Instant::now());
        Typing(self.clone())
    }

    /// Waits until `bound` is over. The time in which a person types does not count.
    pub(super) async fn over(&self, bound: Duration) {
        /// While a person types, the rest of the time stays the same.
        const SHORTEST: Duration = Duration::from_millis(100);
        let (began, typed) = (Instant::now(), self.state().typing_time());
        loop {
            let typing = self.state().typing_time().saturating_sub(typed);
            let left = (bound + typing).saturating_sub(began.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.max(SHORTEST)).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&self, pending: &Pending) -> Wait {
        let Pending { action, began, attempts, error, progress } = pending;
        let (what, key) = match &self.source {
            Some((name, key)) if is_source(pending) => (name.clone(), key.as_str()),
            _ => (Printable::new(action), action.split_once(':').map_or("", |(_, action)| action)),
        };
        Wait {
            what,
            is_call: !is_source(pending),
            endpoint: self.endpoints.get(key).cloned(),
            duration: began.elapsed(),
            attempts: *attempts,
            error: error.clone(),
            progress: progress.clone(),
        }
    }

    fn typing_time(&self) -> Duration {
        self.typed + self.typing_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

fn is_source(pending: &Pending) -> bool {
    pending.action == ApiError::SOURCE
}

impl PendingCall {
    /// Another attempt begins.
    pub(super) fn attempt(&self) {
        self.with(|pending| pending.attempts += 1);
    }

    /// The attempt failed, and another one may follow.
    pub(super) fn failed(&self, error: &ApiError) {
        self.with(|pending| pending.error = Some(error.clone()));
    }

    /// How far calls that belong together are: a clause.
    pub(super) fn progress(&self, clause: String) {
        self.with(|pending| pending.progress = Some(clause.into()));
    }

    fn with(&self, change: impl FnOnce(&mut Pending)) {
        self.waits.state().pending.get_mut(&self.id).map(change);
    }

    /// The wait so far.
    pub(super) fn wait(&self) -> Wait {
        let state = self.waits.state();
        state.wait(&state.pending[&self.id])
    }
}

impl ApiError {
    /// The error with the endpoint, the attempts and the time of a call that was retried.
    pub(super) fn after(self, wait: &Wait) -> Self {
        if wait.attempts < 2 {
            return self;
        }
        let endpoint = wait.endpoint.as_ref().map(|it| format!("{it}, ")).unwrap_or_default();
        let ApiError { message, .. } = &self;
        let message =
            format!("{message} ({endpoint}{} attempts in {})", wait.attempts, wait.time());
        ApiError { message: message.into(), ..self }
    }

    /// The error of a call of `action` that is given up after `wait`, which may be that for its credentials.
    pub(super) fn given_up(action: &'static str, wait: Option<Wait>) -> Self {
        let Some(wait) = wait else {
            return ApiError::no_response(action, "no response arrived in time".to_owned());
        };
        match wait.error.clone() {
            Some(error) => error.after(&wait),
            None if wait.is_call => {
                let from = wait.endpoint.as_deref().unwrap_or("the endpoint");
                let message = format!("no response arrived from {from} within {}", wait.time());
                ApiError::no_response(action, message)
            }
            None => ApiError::source_timed_out(format!(
                "{} returned no credentials within {}",
                wait.what,
                wait.time()
            )),
        }
    }
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        self.waits.state().pending.remove(&self.id);
    }
}

impl Drop for Typing {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.typed = state.typing_time();
        state.typing_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_longest_wait_is_that_of_the_oldest_call_that_still_waits() {
        let waits = Waits::default();
        let source = waits.begin(ApiError::SOURCE);
        waits.asks_source("the source", "key");
        tokio::time::sleep(SECOND).await;
        let first = waits.begin("iam:GetUser");
        tokio::time::sleep(SECOND).await;
        let second = waits.begin("iam:GetPolicy");
        waits.sent("GetUser", "https://one".to_owned());
        waits.sent("GetPolicy", "https://two".to_owned());
        waits.sent("key", "https://three".to_owned());
        tokio::time::sleep(SECOND).await;
        let longest = |at_least: u32| {
            let wait = waits.longest(SECOND * at_least)?;
            Some(format!("{wait}"))
        };
        // The source comes after the calls, and only if no call has waited for as long.
        let of_user = "one call of iam:GetUser at https://one: no response for 2 seconds";
        assert_eq!(longest(0).unwrap(), of_user);
        assert_eq!(longest(2).unwrap(), of_user);
        let of_source = "the source at https://three: no response for 3 seconds";
        assert_eq!(longest(3).unwrap(), of_source);
        assert_eq!(longest(4), None);
        drop(first);
        let of_policy = "one call of iam:GetPolicy at https://two: no response for 1 second";
        assert_eq!(longest(0).unwrap(), of_policy);
        assert_eq!(waits.of_call("iam:GetPolicy").unwrap().to_string(), of_policy);
        assert_eq!(waits.of_call("iam:GetUser").unwrap().to_string(), of_source);
        drop((second, source));
        assert_eq!(longest(0), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_in_which_a_person_types_does_not_count_and_is_no_wait() {
        let waits = Waits::default();
        let _pending = waits.begin(ApiError::SOURCE);
        let began = Instant::now();
        let person = async {
            for _ in 0..2 {
                tokio::time::sleep(SECOND).await;
                let _typing = waits.typing();
                assert_eq!(waits.longest(Duration::ZERO), None);
                tokio::time::sleep(SECOND * 60).await;
            }
        };
        tokio::join!(waits.over(SECOND * 10), person);
        let seconds = began.elapsed().as_secs_f64();
        assert!((129.9..130.5).contains(&seconds), "{seconds}");
        assert!(waits.longest(SECOND * 130).is_some());
    }

    #[test]
    fn the_error_of_a_call_that_is_given_up_says_what_was_tried_where_and_for_how_long() {
        let wait = |what: &str, error: Option<ApiError>| Wait {
            what: what.into(),
            is_call: what == "sts:X",
            endpoint: Some("https://sts.amazonaws.com".into()),
            duration: SECOND * 120,
            attempts: 40,
            error,
            progress: None,
        };
        let refused = ApiError::no_response("sts:X", "the message".to_owned());
        for (wait, code, message) in [
            (
                wait("sts:X", Some(refused)),
                ApiError::TIMED_OUT,
                "the message (https://sts.amazonaws.com, 40 attempts in 120 seconds)",
            ),
            (
                wait("sts:X", None),
                ApiError::TIMED_OUT,
                "no response arrived from https://sts.amazonaws.com within 120 seconds",
            ),
            (
                wait("the source", None),
                ApiError::SOURCE_TIMED_OUT,
                "the source returned no credentials within 120 seconds",
            ),
        ] {
            let error = ApiError::given_up("sts:X", Some(wait));
            assert_eq!((error.code.as_str(), error.message.as_str()), (code, message));
        }
    }
}
