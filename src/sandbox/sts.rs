use super::request::Request;
use super::unique_id;
use super::xml::{Xml, text};

pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The user name of every caller: the sandbox has no access keys and cannot distinguish callers.
pub(super) const CALLER: &str = "sandbox-operator";

/// [GetCallerIdentity](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)
pub(super) fn get_caller_identity(request: &Request) -> Vec<Xml> {
    let Request { account, partition, .. } = request;
    vec![
        text("Arn", format!("arn:{partition}:iam::{account}:user/{CALLER}")),
        text("UserId", unique_id::of_user(account, CALLER, 0)),
        text("Account", account),
    ]
}
