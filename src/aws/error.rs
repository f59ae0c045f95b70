use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::bad_response::BadResponse;
use super::clock::date;
use super::http::{PROXY_REFUSED, UntrustedError};
use super::redactor::redact_likely_secrets;
use super::service::Service;
use super::stop::GRACE;
use crate::iam::Printable;
use crate::inventory::{ApiError, ErrorClass};

impl ErrorClass {
    /// The class of an error with this code, or with this HTTP status if the code is unknown.
    ///
    /// The codes are IAM's and STS's
    /// [common errors](https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html) and the throttling
    /// codes of the AWS SDKs
    /// ([retry behavior](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)).
    pub(in crate::aws) fn of(code: Option<&str>, status: u16) -> Self {
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

/// The minimum difference between two clocks that explains a signature that AWS rejects. It is that of the SDK.
const MIN_SKEW: Duration = Duration::from_secs(240);

/// A failed attempt.
#[derive(Debug)]
pub(super) struct CallFailure {
    pub(super) error: ApiError,
    /// The SDK's error with the chain of its sources, for the log; empty if there is none. Secrets are not redacted
    /// yet.
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
        let causes = chain(&error);
        CallFailure { error: ApiError::from_sdk(action, error), causes }
    }
}

/// The beginning of the SDK's error if a response is not XML. Its rest is the debug text of a Rust value.
const NOT_XML: &str = "error parsing XML";
/// The beginning of the standard library's error if a name cannot be resolved, and glibc's reason if the name server
/// did not respond
/// ([getaddrinfo](https://man7.org/linux/man-pages/man3/getaddrinfo.3.html): `EAI_AGAIN`).
const UNRESOLVED: &str = "failed to lookup address information";
const TEMPORARILY: &str = "Temporary failure";

impl ApiError {
    /// The action of an error that belongs to no call yet.
    pub(super) const SOURCE: &'static str = "credentials";

    fn from_sdk<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if let Some(bad) = find::<BadResponse>(&error) {
            let request_id = error.raw_response().and_then(|response| request_id(None, response));
            return ApiError { request_id, ..ApiError::bad_response(action, bad) };
        }
        if let Some(error) = find::<CredentialsError>(&error) {
            return ApiError::from_provider(error).in_call(action);
        }
        match error {
            // Not an error of IAM: the SDK cannot parse a successful response.
            SdkError::ServiceError(response) if response.raw().status().is_success() => ApiError {
                request_id: request_id(None, response.raw()),
                ..ApiError::unreadable(action, Service::of_action(action).incomplete_response())
            },
            SdkError::ServiceError(response) => {
                let status = response.raw().status().as_u16();
                let meta = response.err().meta();
                if let Some(error) = clock_skew(action, meta, response.raw()) {
                    return error;
                }
                // A response without a code is not AWS's: it comes from a proxy or a load balancer.
                let code = meta
                    .code()
                    .map_or_else(|| ApiError::code_of_status(status).into(), Printable::new);
                let message = meta.message().map_or_else(
                    || {
                        format!("the response has HTTP status {status} and no error code of AWS")
                            .into()
                    },
                    Printable::new,
                );
                let request_id = request_id(meta.extra("aws_request_id"), response.raw());
                let class = match ErrorClass::of(meta.code(), status) {
                    // A proxy that rejects credentials would reject them again.
                    ErrorClass::Rejected if meta.code().is_none() && status != 407 => {
                        ErrorClass::Transient
                    }
                    class => class,
                };
                ApiError { action: action.into(), class, code, message, request_id }
            }
            SdkError::TimeoutError(_) => ApiError::no_response(
                action,
                "no response arrived within the timeout of the attempt".to_owned(),
            ),
            SdkError::DispatchFailure(failure) => {
                let why = failure.as_connector_error().map_or_else(
                    || "the connection failed".to_owned(),
                    |error| innermost(error).to_string(),
                );
                let (class, code) = if failure
                    .as_connector_error()
                    .is_some_and(|error| find::<UntrustedError>(error).is_some())
                {
                    (ErrorClass::Rejected, ApiError::UNTRUSTED)
                } else if why.contains(PROXY_REFUSED) {
                    (ErrorClass::Rejected, ApiError::PROXY_AUTHENTICATION)
                } else if failure.is_timeout() {
                    (ErrorClass::Transient, ApiError::TIMED_OUT)
                } else if failure.is_user() {
                    (ErrorClass::Rejected, ApiError::BAD_REQUEST)
                } else {
                    (ErrorClass::Transient, ApiError::CONNECTION_FAILED)
                };
                ApiError::without_response(action, class, code, why)
            }
            SdkError::ResponseError(response) => ApiError {
                request_id: request_id(None, response.raw()),
                ..ApiError::unreadable(action, Service::of_action(action).incomplete_response())
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
        ApiError::without_response(action, ErrorClass::Transient, ApiError::UNREADABLE, message)
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

    /// No response arrived within [`GRACE`] after the run was stopped.
    pub(super) fn timed_out(action: &'static str) -> Self {
        let message = format!(
            "no response arrived within {} seconds after the run was stopped",
            GRACE.as_secs()
        );
        ApiError::no_response(action, message)
    }

    /// No response arrived in time.
    pub(super) fn no_response(action: &'static str, message: String) -> Self {
        ApiError::without_response(action, ErrorClass::Transient, ApiError::TIMED_OUT, message)
    }

    /// Whether a transient error concerns only its call, so that it does not show that AWS is unavailable: AWS
    /// rejected the call because of another change, or the name of the host does not exist.
    pub(super) fn is_of_call(&self) -> bool {
        let is_conflict = self.code.starts_with("ConcurrentModification")
            || self.code == "EntityTemporarilyUnmodifiable";
        let is_unresolved =
            self.message.contains(UNRESOLVED) && !self.message.contains(TEMPORARILY);
        is_conflict || is_unresolved
    }

    /// The error of a provider of credentials.
    pub(super) fn from_provider(error: &CredentialsError) -> Self {
        if let Some(found) = find::<ApiError>(error) {
            return found.clone();
        }
        match error {
            CredentialsError::CredentialsNotLoaded(_) => {
                ApiError::no_credentials("no credential provider returned credentials")
            }
            CredentialsError::ProviderTimedOut(_) => {
                ApiError::source_timed_out("the source returned no credentials in time".to_owned())
            }
            other => credentials_failure(redact_likely_secrets(&description(other).1)),
        }
    }

    /// The error of the source `name`. `is_transient` says that its last exchange failed for a reason that can
    /// pass.
    pub(super) fn from_source(name: &str, error: &CredentialsError, is_transient: bool) -> Self {
        if let Some(found) = find::<ApiError>(error) {
            return found.clone();
        }
        let (code, text) = description(error);
        if text.starts_with(NOT_XML) {
            // Of the responses to requests for credentials, only those of STS are XML.
            let what = Service::Sts.incomplete_response();
            return ApiError::source_unavailable(format!("{name} failed: {what}"));
        }
        let class = ErrorClass::of(code.as_deref(), 0);
        let message = format!("{name} failed: {}", redact_likely_secrets(&text));
        match class {
            _ if message.contains(PROXY_REFUSED) => ApiError::of_credentials(
                ErrorClass::Credentials,
                ApiError::PROXY_AUTHENTICATION,
                message,
            ),
            ErrorClass::Throttled | ErrorClass::Transient => ApiError::source_unavailable(message),
            _ if is_transient => ApiError::source_unavailable(message),
            _ => credentials_failure(message),
        }
    }

    pub(super) fn no_credentials(message: &str) -> Self {
        let message = message.to_owned();
        ApiError::of_credentials(ErrorClass::Credentials, ApiError::NO_CREDENTIALS, message)
    }

    /// A source of credentials that did not respond.
    pub(super) fn source_unavailable(message: String) -> Self {
        ApiError::of_credentials(ErrorClass::Transient, ApiError::SOURCE_UNAVAILABLE, message)
    }

    /// A source of credentials that took too long.
    pub(super) fn source_timed_out(message: String) -> Self {
        ApiError::of_credentials(ErrorClass::Transient, ApiError::SOURCE_TIMED_OUT, message)
    }

    /// A role that needs the code of an MFA device while nobody can be asked.
    pub(super) fn mfa_required(profile: &str) -> Self {
        let message = format!(
            "profile {profile:?} needs the code of an MFA device (mfa_serial), and there is no terminal to \
             ask at"
        );
        ApiError::of_credentials(ErrorClass::Credentials, ApiError::MFA_REQUIRED, message)
    }

    pub(super) fn mfa_session_expired(message: String) -> Self {
        ApiError::of_credentials(ErrorClass::Credentials, ApiError::MFA_EXPIRED, message)
    }

    /// The task that renews the credentials ended before it had a result.
    pub(super) fn interrupted() -> Self {
        ApiError::source_unavailable("the renewal of the credentials was interrupted".to_owned())
    }

    /// The error of the credentials, as the error of the call that they are for.
    pub(super) fn in_call(self, action: &'static str) -> Self {
        match &*self.action {
            ApiError::SOURCE => ApiError { action: action.into(), ..self },
            _ => self,
        }
    }

    fn of_credentials(class: ErrorClass, code: &str, message: String) -> Self {
        ApiError::without_response(ApiError::SOURCE, class, code, message)
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
            code: code.into(),
            message: message.into(),
            request_id: None,
        }
    }
}

fn request_id(in_body: Option<&str>, response: &HttpResponse) -> Option<Printable> {
    in_body
        .or_else(|| response.headers().get("x-amzn-requestid"))
        .or_else(|| response.headers().get("x-amzn-request-id"))
        .map(Printable::new)
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

/// A source of credentials that refused, or is not configured correctly.
pub(super) fn credentials_failure(message: String) -> ApiError {
    ApiError::of_credentials(ErrorClass::Credentials, ApiError::SOURCE_FAILED, message)
}

/// Whether a service responded without an error code of AWS: the response is that of a proxy or a load balancer.
pub(super) fn is_without_code(error: &CredentialsError) -> bool {
    find::<ErrorMetadata>(error).is_some_and(|meta| meta.code().is_none())
}

/// The first error of type `T` in the chain of sources.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut at = error;
    loop {
        if let Some(found) = at.downcast_ref::<T>() {
            return Some(found);
        }
        at = at.source()?;
    }
}

/// AWS's error code, if there is one, and a text that is not the debug text of a Rust value.
fn description(error: &(dyn Error + 'static)) -> (Option<String>, String) {
    match find::<ErrorMetadata>(error) {
        Some(meta) => {
            let code = meta.code().unwrap_or("the response has no error code of AWS");
            let text = match meta.message() {
                Some(message) => format!("{code}: {message}"),
                None => code.to_owned(),
            };
            (meta.code().map(str::to_owned), text)
        }
        None => (None, innermost(error).to_string()),
    }
}

/// The error of a signature that AWS rejected because the clocks differ, with both times.
///
/// The SDK learns AWS's time from each response and signs the next request with it
/// ([clock skew](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)), but only its own
/// retries, which are disabled, repeat the request.
fn clock_skew(
    action: &'static str,
    meta: &ErrorMetadata,
    response: &HttpResponse,
) -> Option<ApiError> {
    const CODES: [&str; 5] = [
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "RequestTimeTooSkewed",
        "RequestExpired",
        "AuthFailure",
    ];
    if !CODES.contains(&meta.code()?) {
        return None;
    }
    let (here, there) = (SystemTime::now(), date(response)?);
    let difference = here.duration_since(there).unwrap_or_else(|error| error.duration());
    if difference < MIN_SKEW {
        return None;
    }
    let time = |time: SystemTime| {
        let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let seconds = i64::try_from(seconds).unwrap_or_default();
        DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default()
    };
    let message = format!(
        "this machine's clock says {}, and AWS's says {}; AWS rejects signatures that are older than minutes",
        time(here),
        time(there)
    );
    Some(ApiError {
        request_id: request_id(meta.extra("aws_request_id"), response),
        ..ApiError::without_response(action, ErrorClass::Credentials, ApiError::CLOCK_SKEW, message)
    })
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
