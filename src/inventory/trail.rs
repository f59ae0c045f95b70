use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::{PolicyArn, Principal, PrincipalKind, Printable, Timestamp, UniqueId, present};

/// A request that decides the boundary of a principal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum BoundaryAction {
    /// The boundary was set.
    Set,
    /// The boundary was removed.
    Remove,
    /// The user or role was created, with a boundary or without one.
    Create,
}

/// A successful request that decided the boundary of a principal, as CloudTrail recorded it
/// ([record contents](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundaryEvent {
    /// The principal. CloudTrail records its name as the request has it.
    pub principal: Principal,
    /// The unique ID of the principal; only a creation has one.
    pub unique_id: Option<UniqueId>,
    /// The boundary that the request left; `None` for no boundary.
    pub boundary: Option<PolicyArn>,
    /// Who made the request, and when.
    pub request: RecordedRequest,
}

/// A request as CloudTrail recorded it: the action, the time, the caller, the address and the tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct RecordedRequest {
    /// What the request did.
    pub action: BoundaryAction,
    /// When IAM completed it: an RFC 3339 time in UTC.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// Who made the request.
    pub by: RecordedIdentity,
    /// The IP address that it came from, or the DNS name of an AWS service; null if CloudTrail has none.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub address: Option<Printable>,
    /// The user agent, which names the tool. The client chooses it. Null if CloudTrail has none.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub user_agent: Option<Printable>,
    /// The request ID of IAM; null if CloudTrail has none.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub request_id: Option<Printable>,
    /// The ID of the event in CloudTrail; null if it has none.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub event_id: Option<Printable>,
}

/// The identity that made a request
/// ([userIdentity](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct RecordedIdentity {
    /// CloudTrail's type of the identity, such as IAMUser, AssumedRole, Root or AWSService.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub kind: Printable,
    /// The ARN; null if CloudTrail has none.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub arn: Option<Printable>,
    /// The user name, or else the ID of the identity; null if CloudTrail has neither.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub name: Option<Printable>,
    /// The account of the identity; null if CloudTrail has none.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub account: Option<Printable>,
    /// The ARN of the role or user whose session it is; null without a session.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub session_issuer: Option<Printable>,
    /// The source identity of the session; null if none was set.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub source_identity: Option<Printable>,
    /// The AWS service that made the request for the identity, such as cloudformation.amazonaws.com; null if the identity
    /// made it.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    pub invoked_by: Option<Printable>,
}

/// A page of the events of one action in CloudTrail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailPage {
    /// The successful requests.
    pub events: Vec<BoundaryEvent>,
    /// The time of the oldest event on the page, successful or not; `None` if it has none.
    pub oldest: Option<Timestamp>,
    /// The number of events that cannot be used.
    pub unusable: usize,
    /// Whether no page follows: CloudTrail has no older event.
    pub is_last: bool,
}

impl RecordedRequest {
    /// The name of this tool in its user agent.
    pub const APP: &'static str = "iam-boundaries";

    /// Whether the user agent names this tool. Any client can claim it.
    pub fn names_this_tool(&self) -> bool {
        let is_app = |part: &str| part.strip_prefix("app/") == Some(Self::APP);
        self.user_agent.as_ref().is_some_and(|agent| agent.split(' ').any(is_app))
    }
}

impl BoundaryAction {
    /// All actions.
    pub const ALL: [BoundaryAction; 3] =
        [BoundaryAction::Set, BoundaryAction::Remove, BoundaryAction::Create];

    /// The name of IAM's action for principals of this kind, which is the name of its events.
    pub fn event_name(self, kind: PrincipalKind) -> &'static str {
        match (self, kind) {
            (BoundaryAction::Set, PrincipalKind::User) => "PutUserPermissionsBoundary",
            (BoundaryAction::Set, PrincipalKind::Role) => "PutRolePermissionsBoundary",
            (BoundaryAction::Remove, PrincipalKind::User) => "DeleteUserPermissionsBoundary",
            (BoundaryAction::Remove, PrincipalKind::Role) => "DeleteRolePermissionsBoundary",
            (BoundaryAction::Create, PrincipalKind::User) => "CreateUser",
            (BoundaryAction::Create, PrincipalKind::Role) => "CreateRole",
        }
    }
}
