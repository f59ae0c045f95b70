use super::request::Request;
use super::unique_id;
use super::xml::{Xml, text};
use crate::iam::PrincipalKind;

pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The user name of every caller, or the name of its session: the sandbox has no access keys and cannot distinguish
/// callers.
pub(super) const CALLER: &str = "sandbox-operator";

/// [GetCallerIdentity](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)
pub(super) fn get_caller_identity(request: &Request, role: Option<&str>) -> Vec<Xml> {
    let Request { account, partition, .. } = request;
    let (arn, id) = match role {
        None => (
            format!("arn:{partition}:iam::{account}:user/{CALLER}"),
            unique_id::of(PrincipalKind::User, account, CALLER, 0),
        ),
        Some(role) => {
            let id = unique_id::of(PrincipalKind::Role, account, role, 0);
            (
                format!("arn:{partition}:sts::{account}:assumed-role/{role}/{CALLER}"),
                format!("{id}:{CALLER}"),
            )
        }
    };
    vec![text("Arn", arn), text("UserId", id), text("Account", account)]
}
