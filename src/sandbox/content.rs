use serde_json::{Value, json};

use super::action::is_exempt;
use super::request::{ErrorResponse, Protocol};
use super::xml::{self, Xml};
use super::{iam, organizations, sts, trail};

/// The content of a response.
pub(super) struct Content {
    pub(super) status: u16,
    pub(super) protocol: Protocol,
    pub(super) body: String,
}

impl Content {
    /// The result of an action of IAM or STS.
    pub(super) fn xml(action: &str, result: Option<Vec<Xml>>, request_id: &str) -> Content {
        let body = xml::response(namespace(action), action, result, request_id);
        Content { status: 200, protocol: Protocol::Query, body }
    }

    /// The result of an action of AWS Organizations or CloudTrail.
    pub(super) fn json(result: &Value) -> Content {
        Content { status: 200, protocol: Protocol::Json, body: result.to_string() }
    }

    /// A body that may be of any protocol.
    pub(super) fn of_body(protocol: Protocol, body: String) -> Content {
        Content { status: 200, protocol, body }
    }

    /// The error in the protocol of the request. `action` may be unknown.
    pub(super) fn error(
        protocol: Protocol,
        action: &str,
        (status, code, message): (u16, &str, &str),
        request_id: &str,
    ) -> Content {
        let (status, body) = match protocol {
            Protocol::Query => {
                (status, xml::error(namespace(action), status, code, message, request_id))
            }
            Protocol::Json => {
                let (status, error) = organizations::error(action, status, code, message);
                (status, error.to_string())
            }
        };
        Content { status, protocol, body }
    }

    pub(super) fn failure(
        protocol: Protocol,
        action: &str,
        error: &ErrorResponse,
        request_id: &str,
    ) -> Content {
        let ErrorResponse { status, code, message } = error;
        Content::error(protocol, action, (*status, code, message), request_id)
    }

    /// A page without items. Its marker is new: the ID of the request.
    pub(super) fn empty_page(protocol: Protocol, action: &str, request_id: &str) -> Content {
        match protocol {
            Protocol::Query => {
                let page = vec![xml::text("IsTruncated", true), xml::text("Marker", request_id)];
                Content::xml(action, Some(page), request_id)
            }
            Protocol::Json => {
                let list = match action {
                    trail::LOOKUP => "Events",
                    _ => organizations::list_name(action).unwrap_or_default(),
                };
                Content::json(&json!({ list: [], "NextToken": request_id }))
            }
        }
    }
}

fn namespace(action: &str) -> &'static str {
    if is_exempt(action) { sts::NAMESPACE } else { iam::NAMESPACE }
}
