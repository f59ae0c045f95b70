//! What several actions of IAM have in common.

use std::collections::HashSet;

use super::account::Account;
use super::document::Document;
use super::managed;
use super::request::{ErrorResponse, Request};
use super::xml::Xml;
use crate::iam::{PolicyArn, is_name_char};

/// The result of an action; `None` for an action without a result.
pub(super) type ActionResult = Result<Option<Vec<Xml>>, ErrorResponse>;

/// The creation date of all policies, and of all users and roles that no call created: constant, so that responses do not
/// depend on the clock.
pub(super) const CREATED: &str = "2024-11-24T00:00:00Z";

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

/// The path of a user, role or group.
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

/// The path of a policy, which has no empty segment
/// ([CreatePolicy](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html)).
pub(super) fn checked_policy_path(request: &Request) -> Result<&str, ErrorResponse> {
    let path = checked_path(request)?;
    match path.contains("//") {
        true => Err(ErrorResponse::constraint(
            "path",
            "Member must satisfy regular expression pattern: ((/[A-Za-z0-9\\.,\\+@=_-]+)*)/",
        )),
        false => Ok(path),
    }
}

pub(super) fn checked_policy_name(request: &Request) -> Result<&str, ErrorResponse> {
    let name = request.required("PolicyName")?;
    match (1..=128).contains(&name.len()) && name.chars().all(is_name_char) {
        true => Ok(name),
        false => Err(invalid("policyName")),
    }
}

/// The document of an identity-based policy or a boundary.
pub(super) fn checked_document(request: &Request) -> Result<Document, ErrorResponse> {
    Document::parse(request.required("PolicyDocument")?)
        .map_err(|why| ErrorResponse::new(400, "MalformedPolicyDocument", why))
}

/// The tags of the request.
pub(super) fn checked_tags(request: &Request) -> Result<Vec<(&str, &str)>, ErrorResponse> {
    let mut keys = HashSet::new();
    let mut tags = Vec::new();
    while let Some(key) = request.get(&format!("Tags.member.{}.Key", tags.len() + 1)) {
        let value = request.required(&format!("Tags.member.{}.Value", tags.len() + 1))?;
        if !((1..=128).contains(&key.chars().count()) && key.chars().all(is_tag_char)) {
            return Err(ErrorResponse::constraint(
                "tags",
                "a key must match [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]{1,128}",
            ));
        }
        if !(value.chars().count() <= 256 && value.chars().all(is_tag_char)) {
            return Err(ErrorResponse::constraint(
                "tags",
                "a value must match [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]{0,256}",
            ));
        }
        if key.to_lowercase().starts_with("aws:") {
            let message = "aws: prefixed tag key names are not allowed for external use.";
            return Err(ErrorResponse::new(400, "InvalidInput", message));
        }
        if !keys.insert(key.to_lowercase()) {
            let message =
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(ErrorResponse::new(400, "InvalidInput", message));
        }
        tags.push((key, value));
    }
    Ok(tags)
}

/// Whether a tag can contain `c` ([Tag](https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html)).
fn is_tag_char(c: char) -> bool {
    let is_separator = c.is_whitespace() && !c.is_control();
    c.is_alphanumeric() || is_separator || "_.:/=+-@".contains(c)
}

pub(super) fn invalid(parameter: &str) -> ErrorResponse {
    ErrorResponse::validation(format!(
        "The specified value for {parameter} is invalid. It must contain only alphanumeric characters \
         and/or the following: +=,.@_-"
    ))
}
