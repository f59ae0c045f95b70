use crate::apply::{StopError, Verification};
use crate::inventory::{ApiError, ErrorClass};

/// What to do about a change that failed, given what verification showed.
pub(in crate::report) fn advice_on_failed(
    error: &ApiError,
    verification: &Verification,
) -> Option<String> {
    match (error.class, verification) {
        (ErrorClass::Transient, Verification::Otherwise(_))
            if error.code != ApiError::CONNECTION_FAILED =>
        {
            Some(
                "verification showed that the change was not applied; run the command again"
                    .to_owned(),
            )
        }
        _ => advice(error),
    }
}

/// What to do about an error that stopped a run.
pub(in crate::report) fn advice_on_stop(error: &StopError) -> Option<String> {
    match error {
        StopError::Call(error) => advice(error),
        StopError::Journal(_) => Some(
            "no further change was started; check the journal's directory, its permissions and the free \
             disk space, and run the command again"
                .to_owned(),
        ),
    }
}

/// What to do about a failed call: an instruction without a period. `None` if AWS's message is sufficient.
pub fn advice(error: &ApiError) -> Option<String> {
    let ApiError { action, code, message, .. } = error;
    let is_write = action.contains("PermissionsBoundary");
    let text = match error.class {
        ErrorClass::Denied if message.contains("explicit deny") => format!(
            "a policy explicitly denies {action}, which no other policy can override; check the caller's \
             identity-based policies, its permissions boundary, and the organization's service control \
             policies"
        ),
        ErrorClass::Denied if is_write => format!(
            "allow {action} for the caller; a policy that already allows it may be limited to other paths, \
             or by the condition key iam:PermissionsBoundary"
        ),
        ErrorClass::Denied => format!("allow {action} for the caller"),
        ErrorClass::NotFound => missing(message),
        _ if code == ApiError::CLOCK_SKEW => {
            "set this machine's clock, and run the command again".to_owned()
        }
        _ if code == ApiError::UNTRUSTED => {
            "if a proxy or a private endpoint has a certificate of its own, set AWS_CA_BUNDLE to a PEM file with \
             its certificate authority; otherwise do not trust this network"
                .to_owned()
        }
        ErrorClass::Credentials if code == ApiError::MFA_EXPIRED => {
            "set a longer duration_seconds in the profile (up to the maximum of the role), and run the command \
             again: completed changes are not repeated"
                .to_owned()
        }
        ErrorClass::Credentials if code == ApiError::SOURCE_FAILED => source_failed(message),
        ErrorClass::Credentials if action == "sts:AssumeRole" && code.starts_with("AccessDenied") => {
            "check the trust policy of the role, the permission sts:AssumeRole of its source, external_id, and the \
             MFA code"
                .to_owned()
        }
        ErrorClass::Credentials if code.starts_with("Expired") => {
            "renew the credentials (for IAM Identity Center, run `aws sso login`), and run the command again"
                .to_owned()
        }
        ErrorClass::Credentials if code == "NoCredentials" => {
            "specify credentials with --profile NAME, AWS_PROFILE, AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, or `aws sso login`; --sandbox needs no credentials"
                .to_owned()
        }
        ErrorClass::Credentials if code == ApiError::ACCOUNT_CHANGED => {
            "nothing was read or written with the new credentials; specify credentials of one account for \
             the whole run, and run the command again"
                .to_owned()
        }
        // The codes of a wrong key and a wrong signature are those of every action.
        ErrorClass::Credentials
            if action == "sts:AssumeRole"
                && !["InvalidClientTokenId", "SignatureDoesNotMatch"].contains(&&**code) =>
        {
            "correct the settings of the profile that the message names, such as role_arn and duration_seconds"
                .to_owned()
        }
        ErrorClass::Credentials => {
            "check the access key ID, the secret access key, the session token and this machine's clock".to_owned()
        }
        ErrorClass::Throttled => {
            "IAM throttled every attempt for minutes; other clients may use the same account; run the command \
             again later: completed changes are not repeated"
                .to_owned()
        }
        ErrorClass::Transient
            if [ApiError::SOURCE_UNAVAILABLE, ApiError::SOURCE_TIMED_OUT].contains(&&**code) =>
        {
            "no request was sent; check the source of the credentials that the message names, and run the command \
             again: completed changes are not repeated"
                .to_owned()
        }
        ErrorClass::Transient if code == ApiError::CONNECTION_FAILED => {
            "check the network connection, the proxy (HTTPS_PROXY, NO_PROXY), --region and --endpoint-url".to_owned()
        }
        ErrorClass::Transient if is_write => {
            "IAM may have applied the change; run plan to check, and apply the remaining changes".to_owned()
        }
        ErrorClass::Transient => "run the command again".to_owned(),
        ErrorClass::Rejected if code == "PolicyNotAttachable" => {
            "AWS reserves this policy for service-linked roles; specify another policy".to_owned()
        }
        ErrorClass::Rejected if code == ApiError::RESPONSE_TOO_LARGE => {
            "check --endpoint-url and the proxy: responses of IAM are far below this maximum".to_owned()
        }
        ErrorClass::Rejected => return None,
    };
    Some(text)
}

/// What to do about a source of credentials that refused. Only its message tells which source it is.
fn source_failed(message: &str) -> String {
    if message.contains("IAM Identity Center") {
        "run `aws sso login` for this profile, and run the command again"
    } else if message.contains("login session") {
        "run `aws login` for this profile, and run the command again"
    } else if message.contains("web identity") {
        "check the token file, the role and its trust policy for this identity provider"
    } else if message.contains("credential_process") {
        "run its command line at a terminal to see its messages, and correct it"
    } else {
        "correct the source of the credentials that the message names"
    }
    .to_owned()
}

/// `NoSuchEntity` is the error for a missing user and for a missing policy. Only its message says which.
fn missing(message: &str) -> String {
    let message = message.to_ascii_lowercase();
    if !message.starts_with("the user") && (message.contains("arn:") || message.contains("policy"))
    {
        "the policy does not exist or cannot be used as a boundary; create it, or correct its ARN"
    } else if message.contains("user") {
        "the user no longer exists; create it, or remove its entry"
    } else {
        "the user or the policy does not exist; run plan to see which"
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_on(class: ErrorClass, action: &'static str, code: &str, message: &str) -> String {
        let (code, message) = (code.into(), message.into());
        advice(&ApiError { action: action.into(), class, code, message, request_id: None }).unwrap()
    }

    const PUT: &str = "iam:PutUserPermissionsBoundary";

    #[test]
    fn access_denied_names_the_permission_that_is_missing() {
        for action in [PUT, "iam:GetUser"] {
            let said = advice_on(ErrorClass::Denied, action, "AccessDenied", "not authorized");
            assert!(said.contains(action), "{said}");
            assert_eq!(said.contains("condition key"), action == PUT, "{said}");
        }
    }

    #[test]
    fn no_such_entity_says_whether_user_or_policy() {
        let of = |message| advice_on(ErrorClass::NotFound, PUT, "NoSuchEntity", message);
        assert!(of("The user with name policy-bot cannot be found.").starts_with("the user no"));
        let scope = "Scope ARN: arn:aws:iam::123456789012:policy/user does not exist";
        assert!(of(scope).starts_with("the policy"));
        assert!(of("gone").starts_with("the user or the policy"));
    }

    #[test]
    fn only_a_write_without_a_response_may_be_applied() {
        let of = |action| advice_on(ErrorClass::Transient, action, "TimedOut", "no response");
        assert!(of(PUT).contains("may have applied"));
        assert_eq!(of("iam:GetUser"), "run the command again");
    }
}
