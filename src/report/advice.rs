use crate::apply::{ApiError, ErrorClass, ReadBack, StopError};

/// What to do about an item that failed, whatever reading back showed.
pub(super) fn advice_on_failed(error: &ApiError, read_back: &ReadBack) -> Option<String> {
    match (error.class, read_back) {
        (ErrorClass::Transient, ReadBack::Otherwise(_)) if error.code != CONNECTION_FAILED => Some(
            "IAM did not answer as it should, time after time, and reading back showed that the change is \
             not done: run this again."
                .to_owned(),
        ),
        _ => advice(error),
    }
}

/// What to do about an error that stopped a run.
pub(super) fn advice_on_stop(error: &StopError) -> Option<String> {
    match error {
        StopError::Call(error) => advice(error),
        StopError::Journal(_) => Some(
            "No further call was made: look at the journal's folder, its rights, and the space on the disk, \
             and run this again."
                .to_owned(),
        ),
    }
}

const CONNECTION_FAILED: &str = "ConnectionFailed";

/// What to do about a failed call, where something more can be said than AWS's message does.
pub fn advice(error: &ApiError) -> Option<String> {
    let ApiError { action, message, .. } = error;
    let text = match error.class {
        ErrorClass::Denied if message.contains("explicit deny") => format!(
            "A policy denies {action} explicitly, and no other can allow it: look at the caller's own \
             policies, its permissions boundary, and the organization's service control policies."
        ),
        ErrorClass::Denied => format!(
            "The caller lacks the permission {action} for this user. A policy that allows it may be \
             limited to other paths, or by the condition key iam:PermissionsBoundary."
        ),
        ErrorClass::NotFound => missing(message),
        ErrorClass::Credentials if error.code.starts_with("Expired") => {
            "The credentials have expired: renew them (for SSO, `aws sso login`) and run this again."
                .to_owned()
        }
        ErrorClass::Credentials => {
            "Give credentials by --profile NAME, AWS_PROFILE, AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, or `aws sso login`; --sandbox works without any."
                .to_owned()
        }
        ErrorClass::Throttled => {
            "IAM throttled every attempt, and took no other call of this kind for minutes: something else in \
             the account may be calling it. Run this again later; what is done is not repeated."
                .to_owned()
        }
        ErrorClass::Transient if error.code == CONNECTION_FAILED => {
            "No connection to AWS: look at the network, HTTPS_PROXY, --region and --endpoint-url."
                .to_owned()
        }
        ErrorClass::Transient => {
            "IAM did not answer as it should, time after time. It may have done the change all the \
             same: run plan to see, and apply for what is left."
                .to_owned()
        }
        ErrorClass::Rejected if error.code == "PolicyNotAttachable" => {
            "AWS keeps this policy for its own service roles, and it cannot be a boundary: name another \
             policy in the file."
                .to_owned()
        }
        ErrorClass::Rejected => return None,
    };
    Some(text)
}

/// `NoSuchEntity` tells only in its message what is missing, and it can be either.
fn missing(message: &str) -> String {
    let message = message.to_ascii_lowercase();
    if !message.starts_with("the user") && (message.contains("arn:") || message.contains("policy")) {
        "The policy is not there (or cannot be a boundary): create it, or correct its ARN in the file."
    } else if message.contains("user") {
        "The user is not there any more: take the line out of the file, or create the user."
    } else {
        "Either the user or the policy is not there: run plan again to see which."
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_on(class: ErrorClass, code: &str, message: &str) -> String {
        let action = "iam:PutUserPermissionsBoundary";
        let (code, message) = (code.to_owned(), message.to_owned());
        advice(&ApiError { action: action.into(), class, code, message, request_id: None }).unwrap()
    }

    #[test]
    fn access_denied_names_the_permission_that_is_missing() {
        let said = advice_on(ErrorClass::Denied, "AccessDenied", "not authorized");
        assert!(said.contains("iam:PutUserPermissionsBoundary"), "{said}");
    }

    #[test]
    fn no_such_entity_says_whether_user_or_policy() {
        let of = |message| advice_on(ErrorClass::NotFound, "NoSuchEntity", message);
        assert!(of("The user with name policy-bot cannot be found.").starts_with("The user"));
        let scope = "Scope ARN: arn:aws:iam::123456789012:policy/user does not exist";
        assert!(of(scope).starts_with("The policy"));
        assert!(of("gone").starts_with("Either"));
    }
}
