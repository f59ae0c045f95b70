use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::secrets::without_likely_secrets;
use crate::iam::printable;
use crate::inventory::{ApiError, ErrorClass};

impl ErrorClass {
    /// The codes are those of IAM's and STS's common errors
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>), and the throttling
    /// codes that the AWS SDKs know
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
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
                    ApiError::without_answer(
                        action,
                        ErrorClass::Rejected,
                        ApiError::BAD_REQUEST,
                        why,
                    )
                } else {
                    let code = ApiError::CONNECTION_FAILED;
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
                ApiError::NOT_SENT,
                innermost(&other).to_string(),
            ),
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
}
