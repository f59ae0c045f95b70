use std::convert::Infallible;

use crate::inventory::{ApiError, ErrorClass, Wait};

/// How a call ended, after all its attempts. `attempts` is the number of those that were sent.
#[derive(Debug)]
pub(super) enum CallEnd<T> {
    Done {
        value: T,
        attempts: u32,
    },
    Failed {
        error: ApiError,
        attempts: u32,
        /// Whether the call may have been carried out: the outcome of at least one attempt is unknown.
        may_be_done: bool,
        /// `None` if there were no credentials for a first attempt.
        wait: Option<Wait>,
    },
    /// The stop was requested before the first attempt.
    NotAttempted,
    /// The stop was requested after AWS throttled the last attempt, and no attempt can have been carried out.
    ThrottledUntilStop {
        error: ApiError,
        attempts: u32,
    },
}

impl<T> CallEnd<T> {
    /// The end of a call whose last attempt failed with `error` before the run was stopped.
    /// `unclear` is the last attempt that may have been carried out.
    pub(super) fn stopped(error: ApiError, attempts: u32, unclear: Option<ApiError>) -> Self {
        let may_be_done = unclear.is_some();
        let error = match (error.class, unclear) {
            (ErrorClass::Throttled, None) => {
                return CallEnd::ThrottledUntilStop { error, attempts };
            }
            // That AWS throttled it is not why the outcome is unknown.
            (ErrorClass::Throttled, Some(unclear)) => unclear,
            _ => error,
        };
        CallEnd::Failed { error, attempts, may_be_done, wait: None }
    }

    /// The result of a call on which a whole reading depends: its error has the endpoint, the attempts and the time.
    pub(super) fn into_only_result(self, action: &'static str) -> Result<T, ApiError> {
        match self {
            CallEnd::Failed { error, wait: Some(wait), .. } => Err(error.after(&wait)),
            other => other.into_result(action),
        }
    }

    /// The result of a call that is not part of a run that can be stopped.
    pub(super) fn into_result(self, action: &'static str) -> Result<T, ApiError> {
        match self {
            CallEnd::Done { value, .. } => Ok(value),
            CallEnd::Failed { error, .. } | CallEnd::ThrottledUntilStop { error, .. } => Err(error),
            CallEnd::NotAttempted => {
                Err(ApiError::unreadable(action, "the run was stopped before the call"))
            }
        }
    }
}

impl CallEnd<Infallible> {
    /// The end of a call that did not return a value.
    pub(super) fn of_any_value<T>(self) -> CallEnd<T> {
        match self {
            CallEnd::Done { value, .. } => match value {},
            CallEnd::Failed { error, attempts, may_be_done, wait } => {
                CallEnd::Failed { error, attempts, may_be_done, wait }
            }
            CallEnd::NotAttempted => CallEnd::NotAttempted,
            CallEnd::ThrottledUntilStop { error, attempts } => {
                CallEnd::ThrottledUntilStop { error, attempts }
            }
        }
    }
}
