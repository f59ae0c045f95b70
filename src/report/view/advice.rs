use crate::apply::{StopError, Verification};
use crate::inventory::{ApiError, ErrorClass};
use crate::plan::{AccountProblem, AccountProblemCode};

/// What to do about a change that failed, given what verification showed.
pub(in crate::report) fn advice_on_failed(
    error: &ApiError,
    verification: &Verification,
) -> Option<String> {
    match (error.class, verification) {
        (ErrorClass::Transient, Verification::Otherwise(_)) => {
            let check = match &*error.code {
                ApiError::CONNECTION_FAILED => "check the network connection, and ",
                _ => "",
            };
            Some(format!(
                "verification showed that the change was not applied; {check}run the command again"
            ))
        }
        // The response to an earlier attempt was lost, and the run was stopped before the next attempt.
        (ErrorClass::Throttled, Verification::Stopped { .. }) => Some(MAY_BE_APPLIED.to_owned()),
        _ => advice(error),
    }
}

const MAY_BE_APPLIED: &str =
    "IAM may have applied the change; run plan to check, and apply the remaining changes";

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

/// What to do about an account of a fleet in which nothing could be planned or applied.
pub(in crate::report) fn advice_on_account(problem: &AccountProblem) -> Option<String> {
    let code = match problem {
        AccountProblem::Call(error) => return advice(error),
        AccountProblem::Other { code, .. } => code,
    };
    let text = match code {
        AccountProblemCode::TimeLimit => "increase --timeout; -vv logs each retry",
        AccountProblemCode::OtherAccount => {
            "correct the role, the profile or the ID of the account in the fleet file"
        }
        AccountProblemCode::AccountNotActive => {
            "if the account is no longer used, remove it from the fleet file; otherwise, restore it: AWS Support can \
             reopen a closed account for 90 days"
        }
        AccountProblemCode::CredentialsUnusable => {
            "correct the role or the profile of the account in the fleet file"
        }
        AccountProblemCode::AccountLocked => {
            "wait until the other run ends, and run the command again"
        }
        AccountProblemCode::StateUnusable => {
            "check the file or directory, its permissions and the free disk space"
        }
        AccountProblemCode::AccountNotPlanned => return None,
    };
    Some(text.to_owned())
}

/// What to do about a failed call: an instruction without a period. `None` if AWS's message is sufficient.
pub fn advice(error: &ApiError) -> Option<String> {
    let ApiError { action, code, message, .. } = error;
    let is_write = is_write(action);
    let text = match error.class {
        ErrorClass::Denied => denied(action, message),
        ErrorClass::NotFound if is_write => missing(action, message),
        ErrorClass::NotFound => return None,
        _ if code == ApiError::CLOCK_SKEW => {
            "set this machine's clock, and run the command again".to_owned()
        }
        _ if code == ApiError::UNTRUSTED => {
            "if a proxy or a private endpoint has a certificate of its own, set AWS_CA_BUNDLE to a PEM file with \
             its certificate authority; otherwise do not trust this network"
                .to_owned()
        }
        _ if code == ApiError::PROXY_AUTHENTICATION => {
            "set the user name and the password of the proxy in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT"
                .to_owned()
        }
        ErrorClass::Credentials => credentials(error),
        ErrorClass::Throttled if action == "sts:AssumeRole" => {
            "STS counts the requests of all clients with credentials of the same account together; find out which \
             other clients call STS, and run the command again later"
                .to_owned()
        }
        ErrorClass::Throttled => {
            let again = again(action, "run the command again later");
            format!("other clients may use the quota of the same account; {again}")
        }
        ErrorClass::Transient => transient(action, code),
        ErrorClass::Rejected if code == "PolicyNotAttachable" => {
            "AWS reserves this policy for service-linked roles; specify another policy".to_owned()
        }
        ErrorClass::Rejected if code == "UnmodifiableEntity" => {
            "AWS manages this role, and nobody else can change it; remove its entry".to_owned()
        }
        ErrorClass::Rejected if code == ApiError::RESPONSE_TOO_LARGE => {
            "check --endpoint-url and the proxy: responses of IAM are far below this maximum".to_owned()
        }
        ErrorClass::Rejected if is_not_of_aws(code) => NOT_OF_AWS.to_owned(),
        ErrorClass::Rejected => return None,
    };
    Some(text)
}

const NOT_OF_AWS: &str = "check --endpoint-url and the proxy: the response may not be from AWS";

/// Whether the call changes the account.
fn is_write(action: &str) -> bool {
    action.contains("PermissionsBoundary")
}

/// Whether the code stands for a response that does not have the form of AWS's.
fn is_not_of_aws(code: &str) -> bool {
    code == ApiError::UNREADABLE || code.starts_with(ApiError::STATUS)
}

/// The instruction to run the command again. Only a run that writes can have completed changes.
fn again(action: &str, instruction: &str) -> String {
    let rest = if is_write(action) { ": completed changes are not repeated" } else { "" };
    format!("{instruction}{rest}")
}

fn denied(action: &str, message: &str) -> String {
    if message.contains("explicit deny") {
        format!(
            "a policy explicitly denies {action}, which no other policy can override; check the caller's \
             identity-based policies, its permissions boundary, its session policy, the organization's service \
             control policies, and the policy of the VPC endpoint"
        )
    } else if action == "sts:GetCallerIdentity" {
        // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
        format!(
            "{action} needs no permission; check --endpoint-url, and the policy of a VPC endpoint"
        )
    } else if is_write(action) {
        format!(
            "allow {action} for the caller; a policy that already allows it may be limited to other paths, \
             or by the condition key iam:PermissionsBoundary"
        )
    } else if ["iam:GetUser", "iam:GetRole", "iam:GetPolicy"].contains(&action) {
        format!(
            "allow {action} for the caller; a policy that already allows it may be limited to other paths"
        )
    } else {
        // These actions have no resource, and no condition key of IAM.
        format!("allow {action} for the caller")
    }
}

fn credentials(error: &ApiError) -> String {
    let ApiError { action, code, message, .. } = error;
    // The codes of a wrong key and a wrong signature are those of every action.
    match &**code {
        ApiError::MFA_EXPIRED => again(
            action,
            "set a longer duration_seconds in the profile (up to the maximum of the role), and run the command again",
        ),
        ApiError::SOURCE_FAILED => source_failed(message),
        ApiError::NO_CREDENTIALS => {
            "specify credentials with --profile NAME, AWS_PROFILE, AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, or `aws sso login`; --sandbox needs no credentials"
                .to_owned()
        }
        ApiError::ACCOUNT_CHANGED => {
            "nothing was read or written with the new credentials; specify credentials of one account for \
             the whole run, and run the command again"
                .to_owned()
        }
        code if action == "sts:AssumeRole" && code.starts_with("AccessDenied") => {
            role_denied(message)
        }
        code if code.starts_with("Expired") => {
            "renew the credentials (for IAM Identity Center, run `aws sso login`), and run the command again"
                .to_owned()
        }
        "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClientException" => {
            "check the access key ID and the session token, and that their partition is that of --region".to_owned()
        }
        // Without the server's time, only the message tells that the clock is the reason.
        "SignatureDoesNotMatch"
            if message.contains("Signature expired") || message.contains("not yet current") =>
        {
            "set this machine's clock, and run the command again".to_owned()
        }
        "SignatureDoesNotMatch" => {
            "check the secret access key and the session token, and that no proxy alters requests".to_owned()
        }
        "RequestExpired" => "set this machine's clock, and run the command again".to_owned(),
        "MissingAuthenticationToken" | "MissingAuthenticationTokenException" | "IncompleteSignature" => {
            "check --endpoint-url and the proxy: the request arrived without its whole signature".to_owned()
        }
        "OptInRequired" => "use credentials of an account that is activated".to_owned(),
        _ if action == "sts:AssumeRole" => {
            "correct the settings of the profile that the message names, such as role_arn and duration_seconds"
                .to_owned()
        }
        _ => "check the access key ID, the secret access key and the session token".to_owned(),
    }
}

fn transient(action: &str, code: &str) -> String {
    let is_unsent = [ApiError::SOURCE_UNAVAILABLE, ApiError::SOURCE_TIMED_OUT].contains(&code);
    let check = match code {
        _ if is_unsent => {
            return format!(
                "no request was sent; check the source of the credentials that the message names, and {}",
                again(action, "run the command again")
            );
        }
        ApiError::CONNECTION_FAILED => Some(
            "check the network connection, the proxy (HTTPS_PROXY, NO_PROXY), --region and --endpoint-url",
        ),
        code if is_not_of_aws(code) => Some(NOT_OF_AWS),
        _ => None,
    };
    match (check, is_write(action)) {
        (None, false) => "run the command again".to_owned(),
        (None, true) => MAY_BE_APPLIED.to_owned(),
        (Some(check), false) => check.to_owned(),
        (Some(check), true) => format!("{check}; {MAY_BE_APPLIED}"),
    }
}

/// What to do about a role that cannot be assumed. STS does not tell why. Only the message tells whether the role is that
/// of a profile.
fn role_denied(message: &str) -> String {
    let rest = match message.contains("of profile") {
        true => "the permission sts:AssumeRole of its source, external_id, and the MFA code",
        false => "the permission sts:AssumeRole of the credentials that assume it, and external_id",
    };
    format!(
        "check that the account is active and has the role, the trust policy of the role, {rest}"
    )
}

/// What to do about a source of credentials that refused. Only its message tells which source it is.
fn source_failed(message: &str) -> String {
    let is_of = |source: &str| message.starts_with(source);
    if is_of("IAM Identity Center") {
        "run `aws sso login` for this profile, and run the command again"
    } else if is_of("the login session") {
        "run `aws login` for this profile, and run the command again"
    } else if is_of("the web identity") {
        "check the token file, the role and its trust policy for this identity provider"
    } else if is_of("the credential_process") {
        "run its command line at a terminal to see its messages, and correct it"
    } else {
        "correct the setting that the message names"
    }
    .to_owned()
}

/// `NoSuchEntity` is the error for a missing principal and for a missing policy. Only its message says which.
fn missing(action: &str, message: &str) -> String {
    let noun = if action.contains("Role") { "role" } else { "user" };
    let message = message.to_ascii_lowercase();
    let is_of_policy = message.contains("arn:") || message.contains("policy");
    if is_of_policy && !message.starts_with(&format!("the {noun}")) {
        "the policy does not exist or cannot be used as a boundary; create it, or correct its ARN"
            .to_owned()
    } else if message.contains(noun) {
        format!("the {noun} no longer exists; create it, or remove its entry")
    } else {
        format!("the {noun} or the policy does not exist; run plan to see which")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_on(class: ErrorClass, action: &'static str, code: &str, message: &str) -> String {
        let (code, message) = (code.into(), message.into());
        advice(&ApiError { action: action.into(), class, code, message, request_id: None }).unwrap()
    }

    const PUT: &str = "iam:PutUserPermissionsBoundary";
    const PUT_ROLE: &str = "iam:PutRolePermissionsBoundary";

    #[test]
    fn access_denied_names_the_permission_that_is_missing() {
        for action in [PUT, PUT_ROLE, "iam:GetUser", "iam:GetRole"] {
            let said = advice_on(ErrorClass::Denied, action, "AccessDenied", "not authorized");
            assert!(said.contains(action), "{said}");
            assert_eq!(said.contains("condition key"), is_write(action), "{said}");
        }
    }

    #[test]
    fn no_such_entity_says_whether_role_or_policy() {
        let of = |message| advice_on(ErrorClass::NotFound, PUT_ROLE, "NoSuchEntity", message);
        assert!(of("The role with name policy-bot cannot be found.").starts_with("the role no"));
        let scope = "Scope ARN: arn:aws:iam::123456789012:policy/role does not exist";
        assert!(of(scope).starts_with("the policy"));
        assert!(of("gone").starts_with("the role or the policy"));
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

    #[test]
    fn the_advice_about_a_role_depends_on_what_sts_says() {
        let of = |class, code, message| advice_on(class, "sts:AssumeRole", code, message);
        let throttled = of(ErrorClass::Throttled, "Throttling", "Rate exceeded");
        assert!(throttled.contains("STS counts the requests of all clients"), "{throttled}");
        let denied = |message| of(ErrorClass::Credentials, "AccessDenied", message);
        for message in ["no (role arn:r)", "no (role arn:r of profile \"p\")"] {
            assert!(denied(message).starts_with("check that the account is active"), "{message}");
            assert_eq!(denied(message).contains("MFA code"), message.contains("profile"));
        }
    }

    #[test]
    fn a_lost_response_before_throttling_and_a_stop_is_what_the_advice_is_about() {
        let error = ApiError {
            action: PUT.into(),
            class: ErrorClass::Throttled,
            code: "Throttling".into(),
            message: "Rate exceeded".into(),
            request_id: Some("id".into()),
        };
        let said = advice_on_failed(&error, &Verification::Stopped { last: None }).unwrap();
        assert!(said.starts_with("IAM may have applied the change"), "{said}");
        let said = advice_on_failed(&error, &Verification::NotNeeded).unwrap();
        assert!(said.contains("quota"), "{said}");
    }

    const READS: [&str; 10] = [
        "sts:GetCallerIdentity",
        "sts:AssumeRole",
        "credentials",
        "iam:GetUser",
        "iam:GetRole",
        "iam:ListRoles",
        "iam:GetPolicy",
        "iam:ListUsers",
        "iam:GetAccountSummary",
        "iam:GetAccountAuthorizationDetails",
    ];
    const CLASSES: [ErrorClass; 6] = [
        ErrorClass::Throttled,
        ErrorClass::Transient,
        ErrorClass::Credentials,
        ErrorClass::Denied,
        ErrorClass::NotFound,
        ErrorClass::Rejected,
    ];
    const CODES: [&str; 25] = [
        "AccessDenied",
        "NoSuchEntity",
        "Throttling",
        "ServiceUnavailable",
        "TimedOut",
        "HTTP 502",
        "HTTP 403",
        "ExpiredToken",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "RequestExpired",
        "MissingAuthenticationToken",
        "OptInRequired",
        "PolicyNotAttachable",
        ApiError::UNREADABLE,
        ApiError::CONNECTION_FAILED,
        ApiError::RESPONSE_TOO_LARGE,
        ApiError::NO_CREDENTIALS,
        ApiError::SOURCE_FAILED,
        ApiError::SOURCE_UNAVAILABLE,
        ApiError::SOURCE_TIMED_OUT,
        ApiError::MFA_EXPIRED,
        ApiError::CLOCK_SKEW,
        ApiError::UNTRUSTED,
        ApiError::PROXY_AUTHENTICATION,
    ];

    /// The advice on each combination of class and code for this action.
    fn every_advice(
        action: &'static str,
    ) -> impl Iterator<Item = (ErrorClass, &'static str, String)> {
        CLASSES.into_iter().flat_map(move |class| {
            CODES.into_iter().filter_map(move |code| {
                let (code_text, message) = (code.to_owned(), "the message".to_owned());
                let error = ApiError {
                    action: action.into(),
                    class,
                    code: code_text.into(),
                    message: message.into(),
                    request_id: None,
                };
                Some((class, code, advice(&error)?))
            })
        })
    }

    #[test]
    fn no_advice_on_a_read_is_about_a_change() {
        for action in READS {
            for (class, code, said) in every_advice(action) {
                for of_writes in
                    ["changes", "the change", "applied", "condition key", "create it", "its entry"]
                {
                    assert!(!said.contains(of_writes), "{action} {class:?} {code}: {said}");
                }
            }
        }
    }

    #[test]
    fn only_actions_on_a_principal_or_policy_can_be_limited_to_paths() {
        for action in READS.into_iter().chain([PUT, PUT_ROLE]) {
            let has_resource =
                [PUT, PUT_ROLE, "iam:GetUser", "iam:GetRole", "iam:GetPolicy"].contains(&action);
            let said = advice_on(ErrorClass::Denied, action, "AccessDenied", "not authorized");
            assert_eq!(said.contains("paths"), has_resource, "{said}");
        }
    }

    #[test]
    fn only_advice_on_credentials_proposes_other_credentials() {
        for action in READS.into_iter().chain([PUT]) {
            for (class, code, said) in every_advice(action) {
                let is_about_them = class == ErrorClass::Credentials
                    && ![ApiError::CLOCK_SKEW, ApiError::UNTRUSTED].contains(&code);
                for words in ["--profile", "access key", "sso login"] {
                    assert!(
                        is_about_them || !said.contains(words),
                        "{action} {class:?} {code}: {said}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_write_that_may_be_applied_says_so_whatever_the_reason() {
        for (class, code, said) in every_advice(PUT) {
            let error = ApiError {
                action: PUT.into(),
                class,
                code: code.to_owned().into(),
                message: String::new().into(),
                request_id: None,
            };
            let special =
                [ApiError::CLOCK_SKEW, ApiError::UNTRUSTED, ApiError::PROXY_AUTHENTICATION];
            let is_special = special.contains(&code);
            if class == ErrorClass::Transient && error.is_outcome_unknown() && !is_special {
                assert!(said.contains("IAM may have applied the change"), "{code}: {said}");
            }
        }
    }
}
