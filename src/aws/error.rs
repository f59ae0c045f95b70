use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secrets::without_likely_secrets;

/// One call to AWS that failed, as a person or a log needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiError {
    /// The action, with its service: `iam:PutUserPermissionsBoundary`.
    pub action: Cow<'static, str>,
    /// What kind of failure it is, which decides whether it is worth another attempt.
    pub class: ErrorClass,
    /// AWS's error code, or a name of ours where no answer came (`ConnectionFailed`, `TimedOut`…).
    pub code: String,
    /// AWS's message, or the reason why no answer came. Never holds a secret.
    pub message: String,
    /// AWS's id of the request, for a support case; none where no answer came.
    pub request_id: Option<String>,
}

/// Codes of ours for calls that never left this process.
const BAD_REQUEST: &str = "BadRequest";
const NOT_SENT: &str = "NotSent";

/// The kinds of failure that are treated differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ErrorClass {
    /// AWS asked us to slow down.
    Throttled,
    /// It may go well the next time: 5xx, lost connections, time-outs, concurrent changes.
    Transient,
    /// The credentials are missing, expired or wrong: no call can go well.
    Credentials,
    /// The caller may not do this.
    Denied,
    /// What the call names is not there: the user, or the policy.
    NotFound,
    /// AWS refused the request itself, and will refuse it again.
    Rejected,
}

impl ErrorClass {
    /// The codes are those of IAM's and STS's common errors
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>), and the throttling
    /// codes that the AWS SDKs know
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
    fn of(code: Option<&str>, status: u16) -> Self {
        match code.unwrap_or_default() {
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "LimitExceededException"
            | "SlowDown"
            | "PriorRequestNotComplete" => ErrorClass::Throttled,
            "ConcurrentModification"
            | "ConcurrentModificationException"
            | "EntityTemporarilyUnmodifiable"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "InternalFailure"
            | "InternalError"
            | "ServiceFailure"
            | "ServiceUnavailable" => ErrorClass::Transient,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "AuthFailure"
            | "OptInRequired"
            | "RequestExpired" => ErrorClass::Credentials,
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "NotAuthorized" => ErrorClass::Denied,
            "NoSuchEntity" | "NoSuchEntityException" => ErrorClass::NotFound,
            _ if status == 429 => ErrorClass::Throttled,
            _ if status >= 500 => ErrorClass::Transient,
            _ => ErrorClass::Rejected,
        }
    }
}

const UNREADABLE: &str = "the answer could not be read as IAM's XML";

impl ApiError {
    /// From what the SDK gives for the call of `action`.
    pub(super) fn from_sdk<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if let Some(credentials) = credentials_error(&error) {
            return ApiError::without_answer(
                action,
                ErrorClass::Credentials,
                "NoCredentials",
                credentials,
            );
        }
        match error {
            // No error of IAM's: an answer that the SDK could not make sense of.
            SdkError::ServiceError(answer) if answer.raw().status().is_success() => ApiError {
                request_id: request_id(None, answer.raw()),
                ..ApiError::unreadable(action, UNREADABLE)
            },
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let meta = answer.err().meta();
                // An answer without a code is no answer of AWS's: a proxy or load balancer spoke.
                let code = meta.code().map_or_else(|| format!("HTTP {status}"), printable);
                let message = meta.message().map_or_else(
                    || format!("the answer has status {status} and no error of AWS's in it"),
                    printable,
                );
                ApiError {
                    action: action.into(),
                    class: ErrorClass::of(meta.code(), status),
                    code,
                    message,
                    request_id: request_id(meta.extra("aws_request_id"), answer.raw()),
                }
            }
            SdkError::TimeoutError(_) => ApiError::without_answer(
                action,
                ErrorClass::Transient,
                "TimedOut",
                "no answer came in time".to_owned(),
            ),
            SdkError::DispatchFailure(failure) => {
                let why = failure.as_connector_error().map_or_else(
                    || "the connection failed".to_owned(),
                    |error| innermost(error).to_string(),
                );
                if failure.is_timeout() {
                    ApiError::without_answer(action, ErrorClass::Transient, "TimedOut", why)
                } else if failure.is_user() {
                    ApiError::without_answer(action, ErrorClass::Rejected, BAD_REQUEST, why)
                } else {
                    let code = "ConnectionFailed";
                    ApiError::without_answer(action, ErrorClass::Transient, code, why)
                }
            }
            SdkError::ResponseError(answer) => ApiError {
                request_id: request_id(None, answer.raw()),
                ..ApiError::unreadable(action, UNREADABLE)
            },
            other => ApiError::without_answer(
                action,
                ErrorClass::Rejected,
                NOT_SENT,
                innermost(&other).to_string(),
            ),
        }
    }

    /// Whether AWS may have done what was asked all the same: it gave no answer, or none that says that
    /// it refused. An answer without a request id may be a proxy's, whatever AWS did behind it.
    pub fn leaves_open(&self) -> bool {
        match self.class {
            ErrorClass::Transient => true,
            // Refused, or the sources of credentials failed before anything was sent.
            ErrorClass::Credentials => false,
            _ => self.request_id.is_none() && ![BAD_REQUEST, NOT_SENT].contains(&&*self.code),
        }
    }

    /// An answer that came, but makes no sense. Worth another attempt: IAM's own make sense.
    pub(super) fn unreadable(action: &'static str, message: &str) -> Self {
        ApiError::without_answer(
            action,
            ErrorClass::Transient,
            "UnreadableAnswer",
            message.to_owned(),
        )
    }

    /// No answer came before the run's time was over.
    pub(super) fn timed_out(action: &'static str) -> Self {
        let message = "no answer came before the time for the run was over".to_owned();
        ApiError::without_answer(action, ErrorClass::Transient, "TimedOut", message)
    }

    fn without_answer(
        action: &'static str,
        class: ErrorClass,
        code: &str,
        message: String,
    ) -> Self {
        ApiError {
            action: action.into(),
            class,
            code: code.to_owned(),
            message: printable(&message),
            request_id: None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}: {}", self.action, self.code, self.message)?;
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

impl Error for ApiError {}

/// A server's words with nothing in them that a terminal would obey.
///
/// What has passed through it once passes through it again unchanged.
pub(crate) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\n' | '\r' | '\t' => clean.push(' '),
            c if c.is_control() || is_invisible(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

/// Whether a text can be shown as it is: nothing in it is obeyed by a terminal, or seen by nobody.
pub(crate) fn is_printable(text: &str) -> bool {
    printable(text) == text
}

/// Characters that change the order of what stands around them, or that nobody sees.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn request_id(in_body: Option<&str>, answer: &HttpResponse) -> Option<String> {
    in_body
        .or_else(|| answer.headers().get("x-amzn-requestid"))
        .or_else(|| answer.headers().get("x-amzn-request-id"))
        .map(printable)
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// What the credential providers said, if it is they who failed.
///
/// The SDK reports them as one more failure to send.
fn credentials_error(error: &(dyn Error + 'static)) -> Option<String> {
    let mut at = error;
    loop {
        if let Some(found) = at.downcast_ref::<CredentialsError>() {
            return Some(match found {
                CredentialsError::CredentialsNotLoaded(_) => {
                    "no source of AWS credentials has any".to_owned()
                }
                other => without_likely_secrets(&innermost(other).to_string()),
            });
        }
        at = at.source()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_before_the_status_does() {
        assert_eq!(ErrorClass::of(Some("Throttling"), 400), ErrorClass::Throttled);
        assert_eq!(ErrorClass::of(Some("AccessDenied"), 403), ErrorClass::Denied);
        assert_eq!(ErrorClass::of(Some("ExpiredToken"), 403), ErrorClass::Credentials);
        assert_eq!(ErrorClass::of(Some("ConcurrentModification"), 409), ErrorClass::Transient);
        assert_eq!(ErrorClass::of(Some("PolicyNotAttachable"), 400), ErrorClass::Rejected);
    }

    #[test]
    fn an_unknown_code_is_judged_by_its_status() {
        assert_eq!(ErrorClass::of(Some("Brandnew"), 503), ErrorClass::Transient);
        assert_eq!(ErrorClass::of(None, 502), ErrorClass::Transient);
        assert_eq!(ErrorClass::of(None, 429), ErrorClass::Throttled);
        assert_eq!(ErrorClass::of(None, 418), ErrorClass::Rejected);
    }

    #[test]
    fn only_a_refusal_by_aws_itself_leaves_nothing_open() {
        let error = |class, code: &str, request_id: Option<&str>| ApiError {
            request_id: request_id.map(str::to_owned),
            ..ApiError::without_answer("iam:GetUser", class, code, String::new())
        };
        for (class, code, request_id, leaves_open) in [
            (ErrorClass::Transient, "ConnectionFailed", None, true),
            (ErrorClass::Transient, "ServiceFailure", Some("id"), true),
            (ErrorClass::Denied, "AccessDenied", Some("id"), false),
            (ErrorClass::Rejected, "HTTP 403", None, true),
            (ErrorClass::Rejected, NOT_SENT, None, false),
            (ErrorClass::Credentials, "NoCredentials", None, false),
        ] {
            assert_eq!(error(class, code, request_id).leaves_open(), leaves_open, "{code}");
        }
    }

    #[test]
    fn a_servers_words_cannot_steer_a_terminal() {
        assert_eq!(printable("a\x1b[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb c\\u{202e}d");
    }
}
