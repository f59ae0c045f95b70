use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A call to AWS that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiError {
    /// The action with its service: `iam:PutUserPermissionsBoundary`.
    pub action: Cow<'static, str>,
    /// The kind of failure. It decides whether the call is retried.
    pub class: ErrorClass,
    /// AWS's error code, or one of the tool's where AWS did not respond (`ConnectionFailed`, `TimedOut`…).
    pub code: String,
    /// AWS's message, or the reason why AWS did not respond. Secrets are redacted.
    pub message: String,
    /// AWS's request ID, for a support case; `None` where AWS did not respond.
    pub request_id: Option<String>,
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
    /// The code of a request that the SDK could not build.
    pub(crate) const BAD_REQUEST: &'static str = "BadRequest";
    /// The code of a request that was not sent.
    pub(crate) const NOT_SENT: &'static str = "NotSent";
    /// The code where no connection could be made, or it broke.
    pub(crate) const CONNECTION_FAILED: &'static str = "ConnectionFailed";
    /// The code of responses that are larger, or more, than IAM's quotas allow.
    pub(crate) const RESPONSE_TOO_LARGE: &'static str = "ResponseTooLarge";
    /// The code where new credentials belong to another account than the run is for.
    pub(crate) const ACCOUNT_CHANGED: &'static str = "AccountChanged";

    /// Whether AWS may have done what was requested although the call failed: AWS did not respond, or its
    /// response does not say that it refused. A response without a request ID may come from a proxy.
    pub fn is_outcome_unknown(&self) -> bool {
        match self.class {
            // The account of new credentials could not be confirmed, before anything was sent.
            ErrorClass::Transient if self.action.starts_with("sts:") => false,
            ErrorClass::Transient => true,
            // Refused, or the credential providers failed before anything was sent.
            ErrorClass::Credentials => false,
            // The response may be that of a success.
            _ if self.code == Self::RESPONSE_TOO_LARGE => true,
            _ => {
                let is_unsent = [Self::BAD_REQUEST, Self::NOT_SENT].contains(&&*self.code);
                self.request_id.is_none() && !is_unsent
            }
        }
    }

    /// The error without its request ID, which differs at each reading of the same account.
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
    fn only_a_refusal_by_aws_leaves_no_doubt_about_the_outcome() {
        for (class, code, request_id, is_unknown) in [
            (ErrorClass::Transient, "ConnectionFailed", None, true),
            (ErrorClass::Transient, "ServiceFailure", Some("id"), true),
            (ErrorClass::Denied, "AccessDenied", Some("id"), false),
            (ErrorClass::Rejected, "HTTP 403", None, true),
            (ErrorClass::Rejected, ApiError::NOT_SENT, None, false),
            (ErrorClass::Rejected, ApiError::RESPONSE_TOO_LARGE, Some("id"), true),
            (ErrorClass::Credentials, "NoCredentials", None, false),
        ] {
            let error = ApiError {
                action: "iam:GetUser".into(),
                class,
                code: code.to_owned(),
                message: String::new(),
                request_id: request_id.map(str::to_owned),
            };
            assert_eq!(error.is_outcome_unknown(), is_unknown, "{code}");
        }
    }
}
