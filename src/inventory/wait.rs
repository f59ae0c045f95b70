use std::fmt;
use std::time::Duration;

use super::{ApiError, ErrorClass};
use crate::iam::Printable;

/// What the tool waits for: a call that has not succeeded yet, or a source of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The action with its service, such as `iam:GetUser`, or the source of the credentials.
    pub what: Printable,
    /// Whether it is one call of the action. Other calls of the action can succeed meanwhile.
    pub is_call: bool,
    /// The scheme, the host and the port of the last request; `None` if there was no request.
    pub endpoint: Option<Printable>,
    /// The time since the first attempt.
    pub duration: Duration,
    /// The number of attempts, from 1.
    pub attempts: u32,
    /// The error of the last attempt that failed; `None` if none has failed.
    pub error: Option<ApiError>,
    /// How far calls that belong together are: a clause. `None` for a single call.
    pub progress: Option<Printable>,
}

impl Wait {
    /// The duration as a text: `1 second`, `12 seconds`.
    pub(crate) fn time(&self) -> String {
        let seconds = self.duration.as_secs_f64().round() as u64;
        format!("{seconds} second{}", if seconds == 1 { "" } else { "s" })
    }

    /// The clause that begins with the reason, for a line that can be cut:
    /// `no response for 12 seconds: one call of iam:GetUser at https://iam.amazonaws.com`.
    pub(crate) fn reason_first(&self) -> String {
        match &self.progress {
            Some(_) => self.to_string(),
            None => format!("{}: {}", self.reason(), self.subject()),
        }
    }

    fn subject(&self) -> String {
        let one = if self.is_call { "one call of " } else { "" };
        match &self.endpoint {
            Some(endpoint) => format!("{one}{} at {endpoint}", self.what),
            None => format!("{one}{}", self.what),
        }
    }

    fn reason(&self) -> String {
        let time = self.time();
        match &self.error {
            Some(error) if error.class == ErrorClass::Throttled => format!("throttled for {time}"),
            Some(error) if error.code != ApiError::TIMED_OUT => {
                let ApiError { code, message, .. } = error;
                format!("no success for {time}; its last attempt failed: {code}: {message}")
            }
            _ => format!("no response for {time}"),
        }
    }
}

/// A clause: `one call of iam:GetUser at https://iam.amazonaws.com: no response for 12 seconds`.
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.progress {
            Some(progress) => write!(f, "{progress} after {}", self.time()),
            None => write!(f, "{}: {}", self.subject(), self.reason()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_says_what_for_where_how_long_and_why() {
        let error = |class, code: &str| {
            let (code, message) = (code.into(), "the message".into());
            Some(ApiError { action: "iam:GetUser".into(), class, code, message, request_id: None })
        };
        let many = Wait {
            what: "iam:GetServiceLastAccessedDetails".into(),
            is_call: true,
            endpoint: None,
            duration: Duration::from_secs(12),
            attempts: 1,
            error: None,
            progress: Some("last accessed reports: 3 of 7 are complete".into()),
        };
        let expected = "last accessed reports: 3 of 7 are complete after 12 seconds";
        assert_eq!(many.to_string(), expected);
        for (error, why) in [
            (None, "no response for 12 seconds"),
            (error(ErrorClass::Transient, ApiError::TIMED_OUT), "no response for 12 seconds"),
            (error(ErrorClass::Throttled, "Throttling"), "throttled for 12 seconds"),
            (
                error(ErrorClass::Transient, "ServiceUnavailable"),
                "no success for 12 seconds; its last attempt failed: ServiceUnavailable: the message",
            ),
        ] {
            let mut wait = Wait {
                what: "iam:GetUser".into(),
                is_call: true,
                endpoint: Some("https://iam.amazonaws.com".into()),
                duration: Duration::from_millis(11_900),
                attempts: 3,
                error,
                progress: None,
            };
            let subject = "one call of iam:GetUser at https://iam.amazonaws.com";
            assert_eq!(wait.to_string(), format!("{subject}: {why}"));
            assert_eq!(wait.reason_first(), format!("{why}: {subject}"));
            (wait.what, wait.is_call) = ("the source".into(), false);
            let subject = "the source at https://iam.amazonaws.com";
            assert_eq!(wait.to_string(), format!("{subject}: {why}"));
        }
    }
}
