use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::Printable;

/// A call to AWS that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiError {
    /// The action with its service: `iam:PutUserPermissionsBoundary`.
    pub action: Cow<'static, str>,
    /// The kind of failure. It decides whether the call is retried.
    pub class: ErrorClass,
    /// AWS's error code, or a code of the tool if AWS did not respond (`ConnectionFailed`, `TimedOut`…).
    pub code: Printable,
    /// AWS's message, or the reason why AWS did not respond. Secrets are redacted.
    pub message: Printable,
    /// AWS's request ID, for a support case; `None` if AWS did not respond.
    pub request_id: Option<Printable>,
}

/// The kinds of failure that are handled differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ErrorClass {
    /// AWS throttled the call.
    Throttled,
    /// A retry may succeed: 5xx responses, lost connections, timeouts, concurrent changes.
    Transient,
    /// The credentials are missing, expired or invalid: no call can succeed.
    Credentials,
    /// The caller is not allowed to perform the action.
    Denied,
    /// The user or the policy that the call names does not exist.
    NotFound,
    /// AWS rejected the request and would reject it again.
    Rejected,
}

impl ApiError {
    /// The beginning of the code of a response without an error code.
    pub const STATUS: &str = "HTTP ";
    /// The code of a request that the SDK could not build.
    pub(crate) const BAD_REQUEST: &'static str = "BadRequest";
    /// The code of a request that was not sent.
    pub(crate) const NOT_SENT: &'static str = "NotSent";
    /// The code of a response that cannot be used.
    pub(crate) const UNREADABLE: &'static str = "UnreadableResponse";
    /// The code if no response arrived in time.
    pub(crate) const TIMED_OUT: &'static str = "TimedOut";
    /// The code for a connection that could not be established or was lost.
    pub(crate) const CONNECTION_FAILED: &'static str = "ConnectionFailed";
    /// The code if the proxy requires other credentials. Retries could lock their owner out.
    pub(crate) const PROXY_AUTHENTICATION: &'static str = "ProxyAuthenticationRequired";
    /// The code of a response that is larger than IAM's quotas allow, or of too many responses.
    pub(crate) const RESPONSE_TOO_LARGE: &'static str = "ResponseTooLarge";
    /// The code if no source has credentials.
    pub(crate) const NO_CREDENTIALS: &'static str = "NoCredentials";
    /// The code if the source of the credentials refused, or is not configured correctly.
    pub(crate) const SOURCE_FAILED: &'static str = "CredentialsFailed";
    /// The code if the source of the credentials did not respond. A retry can succeed.
    pub(crate) const SOURCE_UNAVAILABLE: &'static str = "CredentialsUnavailable";
    /// The code if the source of the credentials took too long.
    pub(crate) const SOURCE_TIMED_OUT: &'static str = "CredentialsTimedOut";
    /// The code if a role needs the code of an MFA device, and nobody can be asked.
    pub(crate) const MFA_REQUIRED: &'static str = "MfaRequired";
    /// The code if a session that was opened with an MFA code has expired.
    pub(crate) const MFA_EXPIRED: &'static str = "MfaSessionExpired";
    /// The code if AWS rejected a signature because this machine's clock is wrong.
    pub(crate) const CLOCK_SKEW: &'static str = "ClockSkew";
    /// The code if the certificate of a server is not trusted.
    pub(crate) const UNTRUSTED: &'static str = "UntrustedCertificate";
    /// The code for new credentials that belong to a different account than that of the run.
    pub(crate) const ACCOUNT_CHANGED: &'static str = "AccountChanged";

    /// Whether AWS may have performed the action although the call failed: AWS did not respond, or the response
    /// does not prove that AWS rejected the request. A response without an error code or a request ID may be from a
    /// proxy.
    pub fn is_outcome_unknown(&self) -> bool {
        match self.class {
            // The account of new credentials could not be confirmed, so the request was not sent.
            ErrorClass::Transient if self.action.starts_with("sts:") => false,
            // There were no credentials to send anything with.
            ErrorClass::Transient
                if [Self::SOURCE_UNAVAILABLE, Self::SOURCE_TIMED_OUT].contains(&&*self.code) =>
            {
                false
            }
            ErrorClass::Transient => true,
            // AWS rejected the credentials, or their provider failed before the request was sent.
            ErrorClass::Credentials => false,
            // The response may be that of a success.
            _ if self.code == Self::RESPONSE_TOO_LARGE => true,
            _ => {
                let unsent = [
                    Self::BAD_REQUEST,
                    Self::NOT_SENT,
                    Self::UNTRUSTED,
                    Self::PROXY_AUTHENTICATION,
                ];
                let is_unsent = unsent.contains(&&*self.code);
                (self.request_id.is_none() || self.is_without_code()) && !is_unsent
            }
        }
    }

    /// Whether no request for `action` was sent: there were no usable credentials, the request could not be built, or no
    /// connection could be used for it.
    pub fn is_unsent(&self, action: &str) -> bool {
        const CODES: [&str; 10] = [
            ApiError::BAD_REQUEST,
            ApiError::NOT_SENT,
            ApiError::UNTRUSTED,
            ApiError::PROXY_AUTHENTICATION,
            ApiError::NO_CREDENTIALS,
            ApiError::SOURCE_FAILED,
            ApiError::SOURCE_UNAVAILABLE,
            ApiError::SOURCE_TIMED_OUT,
            ApiError::MFA_REQUIRED,
            ApiError::MFA_EXPIRED,
        ];
        // The call that failed instead is one for the credentials.
        self.action != action || CODES.contains(&&*self.code)
    }

    /// Whether the call ended without a response because it took too long.
    pub fn is_timeout(&self) -> bool {
        self.code == ApiError::TIMED_OUT
    }

    /// The code of a response that has no error code.
    pub fn code_of_status(status: u16) -> String {
        format!("{}{status}", Self::STATUS)
    }

    /// Whether the response has no error code: it is not from AWS, but from a proxy or a load balancer.
    pub fn is_without_code(&self) -> bool {
        self.code.starts_with(Self::STATUS)
    }

    /// The error without its request ID, which is different each time the same account is read.
    pub fn without_request_id(&self) -> ApiError {
        ApiError { request_id: None, ..self.clone() }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}: {}", self.action, self.code, self.message)?;
        match &self.request_id {
            Some(id) => write!(f, " (request ID {id})"),
            None => Ok(()),
        }
    }
}

impl Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_is_known_only_if_aws_rejected_the_request_or_it_was_not_sent() {
        for (class, code, request_id, is_unknown) in [
            (ErrorClass::Transient, "ConnectionFailed", None, true),
            (ErrorClass::Transient, "ServiceFailure", Some("id"), true),
            (ErrorClass::Denied, "AccessDenied", Some("id"), false),
            (ErrorClass::Rejected, "HTTP 403", None, true),
            (ErrorClass::Throttled, "HTTP 429", Some("id"), true),
            (ErrorClass::Throttled, "Throttling", Some("id"), false),
            (ErrorClass::Rejected, ApiError::NOT_SENT, None, false),
            (ErrorClass::Rejected, ApiError::PROXY_AUTHENTICATION, None, false),
            (ErrorClass::Rejected, ApiError::RESPONSE_TOO_LARGE, Some("id"), true),
            (ErrorClass::Credentials, "NoCredentials", None, false),
        ] {
            let error = ApiError {
                action: "iam:GetUser".into(),
                class,
                code: code.into(),
                message: "".into(),
                request_id: request_id.map(Printable::new),
            };
            assert_eq!(error.is_outcome_unknown(), is_unknown, "{code}");
        }
    }
}
