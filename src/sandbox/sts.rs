//! The actions of STS.

use std::time::{Duration, SystemTime};

use super::checks::ActionResult;
use super::request::{ErrorResponse, Request};
use super::session::{SECRET_ACCESS_KEY, Session};
use super::unique_id;
use super::xml::{Xml, element, text};
use crate::iam::{AccountId, Partition, PrincipalKind, PrincipalName, is_name_char};

pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The user name of every caller without a session of its own, or the name of its session: the sandbox has no access
/// keys and cannot distinguish callers.
pub(super) const CALLER: &str = "sandbox-operator";

/// The default of `DurationSeconds`, and the maximum for a caller that is a session of a role.
const HOUR: u64 = 3_600;

/// [GetCallerIdentity](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)
///
/// `role` is the role of a caller without a session; `None` for a user. `account` is the account of the response.
pub(super) fn get_caller_identity(
    request: &Request,
    role: Option<&str>,
    account: &str,
) -> Vec<Xml> {
    let Identity { arn, id } = identity(request, role, account);
    vec![text("Arn", arn), text("UserId", id), text("Account", account)]
}

pub(super) struct Identity {
    pub(super) arn: String,
    pub(super) id: String,
}

/// The caller of a request.
pub(super) fn identity(request: &Request, role: Option<&str>, account: &str) -> Identity {
    let partition = request.partition;
    let session = request.session.as_ref().map(|it| (it.role.as_str(), it.name.as_str()));
    match session.or_else(|| role.map(|role| (role, CALLER))) {
        None => Identity {
            arn: format!("arn:{partition}:iam::{account}:user/{CALLER}"),
            id: unique_id::of(PrincipalKind::User, account, CALLER, 0),
        },
        Some((role, session)) => session_identity(partition, account, role, session),
    }
}

fn session_identity(partition: Partition, account: &str, role: &str, session: &str) -> Identity {
    let id = unique_id::of(PrincipalKind::Role, account, role, 0);
    Identity {
        arn: format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}"),
        id: format!("{id}:{session}"),
    }
}

/// [AssumeRole](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html)
///
/// `role` is the role of a caller without a session. `is_usable` says whether an account exists and is active. The role
/// does not have to exist. `lifetime` replaces the duration of the request.
///
/// A role that cannot be assumed, whatever the reason, is `AccessDenied`. The same is reported of suspended accounts
/// (<https://github.com/aws-samples/aws-security-reference-architecture-examples/issues/218>).
pub(super) fn assume_role(
    request: &Request,
    role: Option<&str>,
    is_usable: impl Fn(&str) -> bool,
    lifetime: Option<Duration>,
    now: SystemTime,
) -> ActionResult {
    let arn = request.required("RoleArn")?;
    let (partition, account, name) =
        parts(arn).ok_or_else(|| ErrorResponse::validation(format!("{arn} is invalid")))?;
    let session_name = request.required("RoleSessionName")?;
    check("RoleSessionName", session_name, 2..=64, is_name_char)?;
    if let Some(external_id) = request.get("ExternalId") {
        let is_allowed = |c| is_name_char(c) || c == ':' || c == '/';
        check("ExternalId", external_id, 2..=1_224, is_allowed)?;
    }
    let seconds = duration_seconds(request)?;
    if partition != request.partition || !is_usable(account) {
        let caller = identity(request, role, &request.account).arn;
        return Err(access_denied(&caller, arn));
    }
    let expires = now + lifetime.unwrap_or(Duration::from_secs(seconds));
    let session = Session {
        account: account.to_owned(),
        role: name.to_owned(),
        name: session_name.to_owned(),
        expires,
    };
    let Identity { arn, id } = session_identity(partition, account, name, session_name);
    let credentials = [
        text("AccessKeyId", session.access_key_id()),
        text("SecretAccessKey", SECRET_ACCESS_KEY),
        text("SessionToken", session.token()),
        text("Expiration", humantime::format_rfc3339_seconds(expires)),
    ];
    let user = [text("Arn", arn), text("AssumedRoleId", id)];
    Ok(Some(vec![element("Credentials", credentials), element("AssumedRoleUser", user)]))
}

/// The error of a caller that may not assume the role. The message is AWS's.
pub(super) fn access_denied(caller: &str, role: &str) -> ErrorResponse {
    let message =
        format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}");
    ErrorResponse::new(403, "AccessDenied", message)
}

/// The message is AWS's.
pub(super) fn expired_token() -> ErrorResponse {
    ErrorResponse::new(403, "ExpiredToken", "The security token included in the request is expired")
}

/// The partition, the account and the name of `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
fn parts(arn: &str) -> Option<(Partition, &str, &str)> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = fields[..] else { return None };
    let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
    name.parse::<PrincipalName>().ok()?;
    account.parse::<AccountId>().ok()?;
    Some((partition.parse().ok()?, account, name))
}

fn check(
    parameter: &str,
    value: &str,
    lengths: std::ops::RangeInclusive<usize>,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), ErrorResponse> {
    let length = value.chars().count();
    let constraint = if length < *lengths.start() {
        format!("Member must have length greater than or equal to {}", lengths.start())
    } else if length > *lengths.end() {
        format!("Member must have length less than or equal to {}", lengths.end())
    } else if value.chars().all(is_allowed) {
        return Ok(());
    } else {
        "Member must satisfy regular expression pattern: [\\w+=,.@-]*".to_owned()
    };
    Err(ErrorResponse::constraint(parameter, &constraint))
}

/// `DurationSeconds`: from 15 minutes to 12 hours, and at most an hour for a session
/// ([role chaining](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining)).
fn duration_seconds(request: &Request) -> Result<u64, ErrorResponse> {
    const NAME: &str = "DurationSeconds";
    let Some(value) = request.get(NAME) else { return Ok(HOUR) };
    let seconds: u64 = value.parse().map_err(|_| {
        ErrorResponse::new(400, "MalformedInput", format!("{NAME} must be a whole number"))
    })?;
    match seconds {
        ..900 => Err(ErrorResponse::constraint(
            NAME,
            "Member must have value greater than or equal to 900",
        )),
        43_201.. => Err(ErrorResponse::constraint(
            NAME,
            "Member must have value less than or equal to 43200",
        )),
        _ if seconds > HOUR && request.session.is_some() => Err(ErrorResponse::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )),
        _ => Ok(seconds),
    }
}
