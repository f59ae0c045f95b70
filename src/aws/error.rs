use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::bad_response::BadResponse;
use super::redactor::redact_likely_secrets;
use crate::iam::printable;
use crate::inventory::{ApiError, ErrorClass};

impl ErrorClass {
    /// The class of an error with this code, or with this HTTP status if the code is unknown.
    ///
    /// The codes are IAM's and STS's
    /// [common errors](https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html) and the throttling
    /// codes of the AWS SDKs
    /// ([retry behavior](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)).
    pub(super) fn of(code: Option<&str>, status: u16) -> Self {
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

const TIMED_OUT: &str = "TimedOut";
const UNREADABLE: &str = "the response is not a complete XML document of IAM";

/// A failed attempt.
#[derive(Debug)]
pub(super) struct CallFailure {
    pub(super) error: ApiError,
    /// The SDK's error with the chain of its sources, for the log; empty if there is none. Known secrets are not
    /// redacted yet.
    pub(super) causes: String,
}

impl From<ApiError> for CallFailure {
    fn from(error: ApiError) -> Self {
        CallFailure { error, causes: String::new() }
    }
}

impl CallFailure {
    /// The failure that the SDK reports for a call of `action`.
    pub(super) fn from_sdk<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let causes = printable(&redact_likely_secrets(&chain(&error)));
        CallFailure { error: ApiError::from_sdk(action, error), causes }
    }
}

impl ApiError {
    fn from_sdk<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if let Some(error) = confirmation_error(&error) {
            return error.clone();
        }
        if let Some(bad) = bad_response(&error) {
            let request_id = error.raw_response().and_then(|response| request_id(None, response));
            return ApiError { request_id, ..ApiError::bad_response(action, bad) };
        }
        if let Some(message) = credentials_error(&error) {
            let class = ErrorClass::Credentials;
            return ApiError::without_response(action, class, "NoCredentials", message);
        }
        match error {
            // Not an error of IAM: the SDK cannot parse a successful response.
            SdkError::ServiceError(response) if response.raw().status().is_success() => ApiError {
                request_id: request_id(None, response.raw()),
                ..ApiError::unreadable(action, UNREADABLE)
            },
            SdkError::ServiceError(response) => {
                let status = response.raw().status().as_u16();
                let meta = response.err().meta();
                // A response without a code is not AWS's: it comes from a proxy or a load balancer.
                let code = meta.code().map_or_else(|| format!("HTTP {status}"), printable);
                let message = meta.message().map_or_else(
                    || format!("the response has HTTP status {status} and no error code of AWS"),
                    printable,
                );
                ApiError {
                    action: action.into(),
                    class: ErrorClass::of(meta.code(), status),
                    code,
                    message,
                    request_id: request_id(meta.extra("aws_request_id"), response.raw()),
                }
            }
            SdkError::TimeoutError(_) => ApiError::without_response(
                action,
                ErrorClass::Transient,
                TIMED_OUT,
                "no response arrived within the timeout of the attempt".to_owned(),
            ),
            SdkError::DispatchFailure(failure) => {
                let why = failure.as_connector_error().map_or_else(
                    || "the connection failed".to_owned(),
                    |error| innermost(error).to_string(),
                );
                let (class, code) = if failure.is_timeout() {
                    (ErrorClass::Transient, TIMED_OUT)
                } else if failure.is_user() {
                    (ErrorClass::Rejected, ApiError::BAD_REQUEST)
                } else {
                    (ErrorClass::Transient, ApiError::CONNECTION_FAILED)
                };
                ApiError::without_response(action, class, code, why)
            }
            SdkError::ResponseError(response) => ApiError {
                request_id: request_id(None, response.raw()),
                ..ApiError::unreadable(action, UNREADABLE)
            },
            other => ApiError::without_response(
                action,
                ErrorClass::Rejected,
                ApiError::NOT_SENT,
                innermost(&other).to_string(),
            ),
        }
    }

    /// A response that cannot be used. It is retried: IAM's own responses are complete.
    pub(super) fn unreadable(action: &'static str, message: &str) -> Self {
        let message = message.to_owned();
        ApiError::without_response(action, ErrorClass::Transient, "UnreadableResponse", message)
    }

    fn bad_response(action: &'static str, bad: &BadResponse) -> Self {
        match bad {
            BadResponse::TooLarge(_) => ApiError::beyond_limit(action, &bad.to_string()),
            BadResponse::Malformed(_) => ApiError::unreadable(action, &bad.to_string()),
        }
    }

    /// Responses with more than IAM's quotas allow. They are not requested again.
    pub(super) fn beyond_limit(action: &'static str, message: &str) -> Self {
        let (class, code) = (ErrorClass::Rejected, ApiError::RESPONSE_TOO_LARGE);
        ApiError::without_response(action, class, code, message.to_owned())
    }

    /// No response arrived before the time limit of the run.
    pub(super) fn timed_out(action: &'static str) -> Self {
        let message = "no response arrived within the time limit of the run".to_owned();
        ApiError::without_response(action, ErrorClass::Transient, TIMED_OUT, message)
    }

    fn without_response(
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

fn request_id(in_body: Option<&str>, response: &HttpResponse) -> Option<String> {
    in_body
        .or_else(|| response.headers().get("x-amzn-requestid"))
        .or_else(|| response.headers().get("x-amzn-request-id"))
        .map(printable)
}

/// The error and its sources, separated by colons. A source that the text already ends with is not repeated.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = error.source();
    }
    text
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// The error of the call that confirms the account of new credentials, if it failed. It is a source of the
/// credential provider's error.
fn confirmation_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a ApiError> {
    let mut at = error;
    loop {
        if let Some(found) = at.downcast_ref::<ApiError>() {
            return Some(found);
        }
        at = at.source()?;
    }
}

/// What is wrong with the response, if the response check found it.
fn bad_response<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a BadResponse> {
    let mut at = error;
    loop {
        if let Some(found) = at.downcast_ref::<BadResponse>() {
            return Some(found);
        }
        at = at.source()?;
    }
}

/// The message of the credential providers, if they failed. The SDK reports their errors as failures to send the
/// request.
fn credentials_error(error: &(dyn Error + 'static)) -> Option<String> {
    let mut at = error;
    loop {
        if let Some(found) = at.downcast_ref::<CredentialsError>() {
            return Some(match found {
                CredentialsError::CredentialsNotLoaded(_) => {
                    "no credential provider returned credentials".to_owned()
                }
                other => redact_likely_secrets(&innermost(other).to_string()),
            });
        }
        at = at.source()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_determines_the_class_whatever_the_status() {
        assert_eq!(ErrorClass::of(Some("Throttling"), 400), ErrorClass::Throttled);
        assert_eq!(ErrorClass::of(Some("AccessDenied"), 403), ErrorClass::Denied);
        assert_eq!(ErrorClass::of(Some("ExpiredToken"), 403), ErrorClass::Credentials);
        assert_eq!(ErrorClass::of(Some("ConcurrentModification"), 409), ErrorClass::Transient);
        assert_eq!(ErrorClass::of(Some("PolicyNotAttachable"), 400), ErrorClass::Rejected);
    }

    #[test]
    fn the_status_determines_the_class_of_an_unknown_code() {
        assert_eq!(ErrorClass::of(Some("Brandnew"), 503), ErrorClass::Transient);
        assert_eq!(ErrorClass::of(None, 502), ErrorClass::Transient);
        assert_eq!(ErrorClass::of(None, 429), ErrorClass::Throttled);
        assert_eq!(ErrorClass::of(None, 418), ErrorClass::Rejected);
    }
}
