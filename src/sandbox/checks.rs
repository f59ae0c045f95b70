//! What several actions of IAM have in common.

use super::account::Account;
use super::managed;
use super::request::{ErrorResponse, Request};
use super::xml::Xml;
use crate::iam::PolicyArn;

/// The result of an action; `None` for an action without a result.
pub(super) type ActionResult = Result<Option<Vec<Xml>>, ErrorResponse>;

/// The creation date of all users, roles and policies: constant, so that responses do not depend on the clock.
pub(super) const CREATED: &str = "2026-11-24T00:00:00Z";

/// Checks that the policy is attachable and belongs to this account or to AWS.
pub(super) fn check_boundary(
    account: &Account,
    request: &Request,
    arn: &str,
) -> Result<(), ErrorResponse> {
    let Ok(parsed) = arn.parse::<PolicyArn>() else {
        return Err(ErrorResponse::new(400, "InvalidInput", format!("ARN {arn} is not valid.")));
    };
    if account.policy(arn).is_some() {
        return Ok(());
    }
    match managed::find(request.partition, arn) {
        Some(_) if !parsed.is_for_service_linked_role() => Ok(()),
        Some(_) => Err(ErrorResponse::new(
            400,
            "PolicyNotAttachable",
            format!("Cannot attach a Service Role Policy to a Customer Role or User: {arn}"),
        )),
        None => Err(ErrorResponse::new(
            404,
            "NoSuchEntity",
            format!("Scope ARN: {arn} does not exist or is not attachable."),
        )),
    }
}

pub(super) fn checked_path(request: &Request) -> Result<&str, ErrorResponse> {
    let path = request.get("Path").unwrap_or("/");
    let is_path = path.starts_with('/')
        && path.ends_with('/')
        && path.len() <= 512
        && path.chars().all(|c| c.is_ascii_graphic());
    if is_path {
        Ok(path)
    } else {
        Err(ErrorResponse::validation(
            "The specified value for path is invalid. It must begin and end with / and contain only \
             alphanumeric characters and/or / characters.",
        ))
    }
}

pub(super) fn invalid(parameter: &str) -> ErrorResponse {
    ErrorResponse::validation(format!(
        "The specified value for {parameter} is invalid. It must contain only alphanumeric characters \
         and/or the following: +=,.@_-"
    ))
}
