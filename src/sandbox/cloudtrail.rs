//! CloudTrail: what becomes an event, and the action that looks events up. Events are visible at once, and not minutes
//! after the request as in AWS.

use serde_json::{Map, Value, json};

use super::account::Account;
use super::checks::ActionResult;
use super::organizations::JsonResult;
use super::page::Behavior;
use super::request::{ErrorResponse, Request, name_parameter};
use super::sts::{Identity, identity};
use super::trail::Event;
use super::unique_id;
use crate::iam::PrincipalKind;

/// The actions of IAM whose events are kept: those that decide about boundaries.
const RECORDED: [&str; 6] = [
    "CreateRole",
    "CreateUser",
    "DeleteRolePermissionsBoundary",
    "DeleteUserPermissionsBoundary",
    "PutRolePermissionsBoundary",
    "PutUserPermissionsBoundary",
];

/// The maximum number of events on a page, which is also the default
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).
const MAX_RESULTS: usize = 50;

/// Whether requests of the action become events.
pub(super) fn is_recorded(action: &str) -> bool {
    RECORDED.contains(&action)
}

/// The fields of every event
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).
pub(super) fn common(account: &str, region: &str) -> Map<String, Value> {
    let id = || uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid();
    let record = json!({
        "eventVersion": "1.11",
        "eventSource": "iam.amazonaws.com",
        "awsRegion": region,
        "requestParameters": null,
        "responseElements": null,
        "requestID": id().to_string(),
        "eventID": id().to_string(),
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    match record {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Records a request of one of the [`RECORDED`] actions, and its result. `role` is the role of a caller without a session.
pub(super) fn record(
    account: &mut Account,
    request: &Request,
    role: Option<&str>,
    result: &ActionResult,
    request_id: &str,
) {
    let mut record = common(&request.account, request.partition.home_region());
    let mut set = |name: &str, value: Value| drop(record.insert(name.to_owned(), value));
    set("eventName", request.action.as_str().into());
    set("requestID", request_id.into());
    set("userIdentity", user_identity(request, role));
    set("sourceIPAddress", request.origin.address.to_string().into());
    if let Some(agent) = &request.origin.user_agent {
        set("userAgent", agent.as_str().into());
    }
    set("requestParameters", parameters(request));
    match result {
        Ok(_) => set("responseElements", response_elements(account, request)),
        Err(error) => {
            set("errorCode", error.code.into());
            set("errorMessage", error.message.as_str().into());
        }
    }
    account.trail.add(record);
}

fn user_identity(request: &Request, role: Option<&str>) -> Value {
    let account = &request.account;
    let Identity { arn, id } = identity(request, role, account);
    let key = &request.origin.access_key_id;
    let fields = |kind: &str| json!({ "type": kind, "principalId": id, "arn": arn, "accountId": account, "accessKeyId": key });
    let session = request.session.as_ref().map(|session| session.role.as_str());
    let Some(role) = session.or(role) else {
        let mut user = fields("IAMUser");
        user["userName"] = arn.rsplit('/').next().into();
        return user;
    };
    let mut session = fields("AssumedRole");
    session["sessionContext"] = json!({
        "sessionIssuer": {
            "type": "Role",
            "principalId": id.split(':').next(),
            "arn": format!("arn:{}:iam::{account}:role/{role}", request.partition),
            "accountId": account,
            "userName": role,
        },
        "attributes": { "mfaAuthenticated": "false" },
    });
    session
}

/// The parameters of a request, whose names begin with a small letter in an event. Lists, such as tags, are left out.
fn parameters(request: &Request) -> Value {
    let field = |(name, value): (&String, &String)| {
        let is_single = name != "Version" && !name.contains('.');
        is_single.then(|| (small(name), Value::from(value.as_str())))
    };
    request.parameters().iter().filter_map(field).collect::<Map<_, _>>().into()
}

fn small(name: &str) -> String {
    let mut name = name.to_owned();
    // A client can send any name, also an empty one.
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    name
}

/// What a creation returned; null for other actions.
fn response_elements(account: &Account, request: &Request) -> Value {
    let kind = match request.action.as_str() {
        "CreateUser" => PrincipalKind::User,
        "CreateRole" => PrincipalKind::Role,
        _ => return Value::Null,
    };
    let name = request.get(name_parameter(kind)).unwrap_or_default();
    let id = unique_id::of(kind, &request.account, name, account.deletions_of(kind, name));
    let noun = kind.noun();
    json!({ noun: { format!("{noun}Name"): name, format!("{noun}Id"): id } })
}

/// `LookupEvents`. The events of IAM are in the home Region of the partition
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events>).
pub(super) fn lookup(account: &Account, request: &Request, behavior: Behavior) -> JsonResult {
    let invalid = |code, message: &str| ErrorResponse::new(400, code, message);
    let time = |name| match request.get(name).map(str::parse::<f64>) {
        None => Ok(None),
        Some(Ok(seconds)) if seconds >= 0.0 => Ok(Some(seconds)),
        Some(_) => Err(invalid("InvalidTimeRangeException", "The time range is not valid")),
    };
    let (start, end) = (time("StartTime")?, time("EndTime")?);
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        let message = "The start time is after the end time";
        return Err(invalid("InvalidTimeRangeException", message));
    }
    if request.get("LookupAttributes.member.2.AttributeKey").is_some() {
        let message = "The request has more than one lookup attribute";
        return Err(invalid("InvalidLookupAttributesException", message));
    }
    let attribute = (
        request.get("LookupAttributes.member.1.AttributeKey"),
        request.get("LookupAttributes.member.1.AttributeValue"),
    );
    let field = match attribute.0 {
        None => None,
        Some("EventName") => Some("eventName"),
        Some("EventId") => Some("eventID"),
        Some("EventSource") => Some("eventSource"),
        Some(_) => {
            let message = "The sandbox looks events up by EventName, EventId and EventSource";
            return Err(invalid("InvalidLookupAttributesException", message));
        }
    };
    let max = match request.get("MaxResults").map(str::parse::<usize>) {
        None => MAX_RESULTS,
        Some(Ok(max @ 1..=MAX_RESULTS)) => max,
        Some(_) => {
            return Err(invalid("InvalidMaxResultsException", "MaxResults must be from 1 to 50"));
        }
    };
    let from = match request.get("NextToken") {
        None => 0,
        Some(token) => offset(token, &attribute)
            .ok_or_else(|| invalid("InvalidNextTokenException", "The token is not valid"))?,
    };
    let is_wanted = |event: &&Event| {
        let of_field = |field: &str| event.record.get(field).and_then(Value::as_str);
        let time = event.time as f64;
        request.region == request.partition.home_region()
            && start.is_none_or(|start| time >= start)
            && end.is_none_or(|end| time <= end)
            && field.is_none_or(|field| of_field(field) == attribute.1)
    };
    let events = account.trail.newest_first().into_iter();
    let wanted: Vec<&Event> = events.filter(is_wanted).collect();
    let size = if behavior.is_empty_page { 0 } else { max.min(behavior.page_size) };
    let page: Vec<Value> = wanted.iter().skip(from).take(size).map(|event| listed(event)).collect();
    let until = from + page.len();
    let mut result = json!({ "Events": page });
    if until < wanted.len() {
        result["NextToken"] = token(until, &attribute).into();
    }
    Ok(result)
}

/// An event in a response
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html>).
fn listed(Event { time, record }: &Event) -> Value {
    let text = |name: &str| record.get(name).cloned().unwrap_or_default();
    json!({
        "EventId": text("eventID"),
        "EventName": text("eventName"),
        "ReadOnly": "false",
        "EventTime": time,
        "EventSource": text("eventSource"),
        "Resources": [],
        "CloudTrailEvent": Value::Object(record.clone()).to_string(),
    })
}

/// A token is valid for the attribute of its request only.
type Attribute<'a> = (Option<&'a str>, Option<&'a str>);

fn token(offset: usize, (key, value): &Attribute<'_>) -> String {
    hex::encode(format!("{offset}/{}/{}", key.unwrap_or_default(), value.unwrap_or_default()))
}

fn offset(text: &str, attribute: &Attribute<'_>) -> Option<usize> {
    let decoded = String::from_utf8(hex::decode(text).ok()?).ok()?;
    let offset = decoded.split('/').next()?.parse().ok()?;
    (token(offset, attribute) == text).then_some(offset)
}
