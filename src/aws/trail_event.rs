//! The record of an event, which CloudTrail returns as a JSON text.

use serde::Deserialize;
use serde_json::Value;

use crate::iam::{
    PolicyArn, Principal, PrincipalKind, Printable, Timestamp, UniqueId, serde_message,
};
use crate::inventory::{BoundaryAction, BoundaryEvent, RecordedIdentity, RecordedRequest};

/// Why an event cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unusable(pub(super) String);

/// The fields of an event that are read
/// ([record contents](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html)).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    event_source: String,
    event_time: String,
    user_identity: Identity,
    #[serde(rename = "sourceIPAddress")]
    source_address: Option<String>,
    user_agent: Option<String>,
    /// Present if the request failed.
    error_code: Option<String>,
    request_parameters: Option<Value>,
    response_elements: Option<Value>,
    #[serde(rename = "requestID")]
    request_id: Option<String>,
    #[serde(rename = "eventID")]
    event_id: Option<String>,
}

/// The fields of `userIdentity` that are read
/// ([userIdentity](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html)).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(rename = "type")]
    kind: Option<String>,
    principal_id: Option<String>,
    arn: Option<String>,
    account_id: Option<String>,
    user_name: Option<String>,
    invoked_by: Option<String>,
    session_context: Option<SessionContext>,
    on_behalf_of: Option<OnBehalfOf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    session_issuer: Option<SessionIssuer>,
    source_identity: Option<String>,
}

#[derive(Deserialize)]
struct SessionIssuer {
    arn: Option<String>,
}

/// The user of IAM Identity Center.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnBehalfOf {
    user_id: Option<String>,
}

/// The event of `action` on a principal of this kind; `None` if the request failed, and so changed nothing.
///
/// # Errors
/// If the text is not an event of this action that names a principal.
pub(super) fn parsed(
    text: &str,
    action: BoundaryAction,
    kind: PrincipalKind,
) -> Result<Option<BoundaryEvent>, Unusable> {
    let record: Record = serde_json::from_str(text)
        .map_err(|error| Unusable(format!("it is not a record: {}", serde_message(&error))))?;
    let name = action.event_name(kind);
    if record.event_name != name || record.event_source != "iam.amazonaws.com" {
        return Err(Unusable(format!("it is not an event of iam:{name}")));
    }
    if record.error_code.is_some() {
        return Ok(None);
    }
    let time = Timestamp::with_offset(&record.event_time)
        .map_err(|error| Unusable(format!("its time is not valid: {error}")))?;
    let parameters = record.request_parameters.unwrap_or_default();
    let parameter = match kind {
        PrincipalKind::User => "userName",
        PrincipalKind::Role => "roleName",
    };
    let named = text_of(&parameters, parameter)
        .ok_or_else(|| Unusable(format!("its request parameters have no {parameter}")))?;
    let named = named.parse().map_err(|error| Unusable(format!("its {parameter}: {error}")))?;
    let boundary = match (action, text_of(&parameters, "permissionsBoundary")) {
        (BoundaryAction::Remove, _) | (BoundaryAction::Create, None) => None,
        (BoundaryAction::Set, None) => {
            return Err(Unusable("its request parameters have no permissionsBoundary".to_owned()));
        }
        (_, Some(arn)) => {
            let arn: Result<PolicyArn, _> = arn.parse();
            Some(arn.map_err(|error| Unusable(format!("its permissionsBoundary: {error}")))?)
        }
    };
    let unique_id = match action {
        BoundaryAction::Create => unique_id(record.response_elements.as_ref(), kind),
        BoundaryAction::Set | BoundaryAction::Remove => None,
    };
    let request = RecordedRequest {
        action,
        time,
        by: identity(record.user_identity),
        address: value(record.source_address),
        user_agent: record.user_agent.as_deref().map(unbracketed).and_then(sentence),
        request_id: value(record.request_id),
        event_id: value(record.event_id),
    };
    let principal = Principal { kind, name: named };
    Ok(Some(BoundaryEvent { principal, unique_id, boundary, request }))
}

fn text_of<'v>(parameters: &'v Value, name: &str) -> Option<&'v str> {
    parameters.get(name).and_then(Value::as_str)
}

/// The unique ID of a user or role that was created.
fn unique_id(response: Option<&Value>, kind: PrincipalKind) -> Option<UniqueId> {
    let (element, id) = match kind {
        PrincipalKind::User => ("user", "userId"),
        PrincipalKind::Role => ("role", "roleId"),
    };
    response?.get(element)?.get(id)?.as_str()?.parse().ok()
}

fn identity(identity: Identity) -> RecordedIdentity {
    let Identity {
        kind,
        principal_id,
        arn,
        account_id,
        user_name,
        invoked_by,
        session_context,
        on_behalf_of,
    } = identity;
    let (issuer, source_identity) = match session_context {
        Some(SessionContext { session_issuer, source_identity }) => {
            (session_issuer.and_then(|issuer| issuer.arn), source_identity)
        }
        None => (None, None),
    };
    let of_identity_center = on_behalf_of.and_then(|user| user.user_id);
    RecordedIdentity {
        kind: value(kind).unwrap_or_else(|| "Unknown".into()),
        arn: value(arn),
        name: value(user_name)
            .or_else(|| value(of_identity_center))
            .or_else(|| value(principal_id)),
        account: value(account_id),
        session_issuer: value(issuer),
        source_identity: value(source_identity),
        invoked_by: value(invoked_by),
    }
}

/// The user agent without the brackets in which IAM's events have it.
fn unbracketed(agent: &str) -> &str {
    let inner = agent.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(agent)
}

fn value(text: Option<String>) -> Option<Printable> {
    text.filter(|text| !text.is_empty()).map(|text| Printable::exact(&text))
}

fn sentence(text: &str) -> Option<Printable> {
    Some(Printable::new(text)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "eventVersion": "1.10",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAJQABLZS4A3QDU576Q:jane",
                "arn": "arn:aws:sts::123456789012:assumed-role/Admin/jane",
                "accountId": "123456789012",
                "accessKeyId": "ASIAEXAMPLE",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "arn": "arn:aws:iam::123456789012:role/ops/Admin",
                        "userName": "Admin"
                    },
                    "attributes": { "mfaAuthenticated": "true" },
                    "sourceIdentity": "jane@example.com"
                }
            },
            "eventTime": "2026-11-27T09:14:05Z",
            "eventSource": "iam.amazonaws.com",
            "eventName": "PutUserPermissionsBoundary",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "[aws-cli/2.31.0 md/prompt#off]",
            "requestParameters": {
                "userName": "dana",
                "permissionsBoundary": "arn:aws:iam::aws:policy/PowerUserAccess"
            },
            "responseElements": null,
            "requestID": "5c0a-1",
            "eventID": "7f1b-2",
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "123456789012",
            "eventCategory": "Management"
        })
    }

    fn parsed_user(
        record: &Value,
        action: BoundaryAction,
    ) -> Result<Option<BoundaryEvent>, String> {
        parsed(&record.to_string(), action, PrincipalKind::User).map_err(|Unusable(why)| why)
    }

    #[test]
    fn an_event_says_who_set_which_boundary_when_from_where_and_with_which_tool() {
        let event = parsed_user(&record(), BoundaryAction::Set).unwrap().unwrap();
        assert_eq!(event.principal.label(), "dana");
        assert_eq!(event.boundary.unwrap().as_str(), "arn:aws:iam::aws:policy/PowerUserAccess");
        let RecordedRequest { time, by, address, user_agent, request_id, event_id, .. } =
            event.request;
        assert_eq!(time.to_string(), "2026-11-27T09:14:05Z");
        assert_eq!(by.kind, "AssumedRole");
        let arn = "arn:aws:sts::123456789012:assumed-role/Admin/jane";
        assert_eq!(by.arn.as_deref(), Some(arn));
        assert_eq!(by.name.as_deref(), Some("AROAJQABLZS4A3QDU576Q:jane"));
        let issuer = "arn:aws:iam::123456789012:role/ops/Admin";
        assert_eq!(by.session_issuer.as_deref(), Some(issuer));
        assert_eq!(by.source_identity.as_deref(), Some("jane@example.com"));
        assert_eq!(address.as_deref(), Some("203.0.113.7"));
        assert_eq!(user_agent.as_deref(), Some("aws-cli/2.31.0 md/prompt#off"));
        assert_eq!((request_id.as_deref(), event_id.as_deref()), (Some("5c0a-1"), Some("7f1b-2")));
    }

    #[test]
    fn a_failed_request_changed_nothing_and_has_no_event() {
        let mut failed = record();
        failed["errorCode"] = "AccessDenied".into();
        assert_eq!(parsed_user(&failed, BoundaryAction::Set), Ok(None));
    }

    #[test]
    fn a_creation_has_the_unique_id_and_a_boundary_or_none() {
        let mut created = record();
        created["eventName"] = "CreateUser".into();
        created["responseElements"] = json!({ "user": { "userId": "AIDAJQABLZS4A3QDU576Q" } });
        let event = parsed_user(&created, BoundaryAction::Create).unwrap().unwrap();
        assert_eq!(event.unique_id.unwrap().as_str(), "AIDAJQABLZS4A3QDU576Q");
        assert!(event.boundary.is_some());
        created["requestParameters"] = json!({ "userName": "dana" });
        let event = parsed_user(&created, BoundaryAction::Create).unwrap().unwrap();
        assert_eq!(event.boundary, None);
    }

    #[test]
    fn an_event_that_cannot_be_assigned_to_a_principal_is_unusable() {
        for (field, wrong, why) in [
            ("eventTime", json!("yesterday"), "its time is not valid"),
            ("eventName", json!("PutRolePermissionsBoundary"), "not an event of iam:PutUser"),
            ("eventSource", json!("sts.amazonaws.com"), "not an event of iam:PutUser"),
            ("userIdentity", json!(7), "it is not a record"),
            ("requestParameters", json!(null), "no userName"),
            ("requestParameters", json!({ "omitted": true }), "no userName"),
            ("requestParameters", json!({ "userName": "a b" }), "its userName"),
            ("requestParameters", json!({ "userName": "dana" }), "no permissionsBoundary"),
            (
                "requestParameters",
                json!({ "userName": "dana", "permissionsBoundary": "x" }),
                "its permissionsBoundary",
            ),
        ] {
            let mut record = record();
            record[field] = wrong;
            let error = parsed_user(&record, BoundaryAction::Set).unwrap_err();
            assert!(error.contains(why), "{field}: {error}");
        }
        for text in ["", "[]", "{", "null"] {
            assert!(parsed(text, BoundaryAction::Set, PrincipalKind::User).is_err(), "{text}");
        }
    }
}
