use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Map, Value};

use super::account_ids::ACCOUNT;
use super::session::{InvalidToken, Session};
use crate::iam::{AccountId, Partition, PrincipalKind};

/// The protocol of a request and of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// The query protocol of IAM and STS.
    Query,
    /// JSON 1.1, the protocol of AWS Organizations and CloudTrail.
    Json,
}

/// The headers of a request that the sandbox reads.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Headers<'a> {
    /// `Authorization`
    pub(super) authorization: Option<&'a str>,
    /// `X-Amz-Security-Token`
    pub(super) session_token: Option<&'a str>,
    /// `X-Amz-Target`, which names the action of a JSON request.
    pub(super) target: Option<&'a str>,
    /// `User-Agent`
    pub(super) user_agent: Option<&'a str>,
    /// The address of the client, which is not a header.
    pub(super) address: Option<IpAddr>,
}

impl Headers<'_> {
    pub(super) fn protocol(&self) -> Protocol {
        if self.target.is_some() { Protocol::Json } else { Protocol::Query }
    }
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub(super) struct RequestOrigin {
    pub(super) access_key_id: String,
    pub(super) user_agent: Option<String>,
    pub(super) address: IpAddr,
}

/// A request to IAM, STS, AWS Organizations or CloudTrail.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) protocol: Protocol,
    pub(super) action: String,
    /// The account of the credentials.
    pub(super) account: String,
    /// The session of the credentials; `None` for other credentials.
    pub(super) session: Option<Session>,
    pub(super) partition: Partition,
    /// The Region that the request is signed for.
    pub(super) region: String,
    pub(super) origin: RequestOrigin,
    parameters: BTreeMap<String, String>,
}

/// An error response of IAM.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl ErrorResponse {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        ErrorResponse { status, code, message: message.into() }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        ErrorResponse::new(400, "ValidationError", message)
    }

    /// The error of IAM and STS for a call that exceeds a rate limit.
    pub(super) fn throttling() -> Self {
        ErrorResponse::new(400, "Throttling", "Rate exceeded")
    }

    /// The message of AWS's common validation for a parameter that violates a constraint.
    pub(super) fn constraint(parameter: &str, constraint: &str) -> Self {
        let mut name = parameter.to_owned();
        name[..1].make_ascii_lowercase();
        ErrorResponse::validation(format!(
            "1 validation error detected: Value at '{name}' failed to satisfy constraint: {constraint}"
        ))
    }
}

impl Request {
    /// Parses the headers and the form or the JSON object in the body.
    pub(super) fn parse(headers: &Headers<'_>, body: &[u8]) -> Result<Request, ErrorResponse> {
        let missing = || {
            ErrorResponse::new(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            )
        };
        // Credential=KEY-ID/DATE/REGION/SERVICE/aws4_request
        let scope = headers
            .authorization
            .and_then(|header| header.split_once("Credential="))
            .map(|(_, scope)| scope)
            .ok_or_else(missing)?;
        let mut scope = scope.split([',', ' ']).next().unwrap_or_default().split('/');
        let key_id = scope.next().filter(|id| !id.is_empty()).ok_or_else(missing)?;
        let region = scope.nth(1).unwrap_or_default();
        let partition = partition_of(region);
        let session = Session::of(key_id, headers.session_token).transpose();
        let session = session.map_err(|InvalidToken| {
            let message = "The security token included in the request is invalid.";
            ErrorResponse::new(403, "InvalidClientTokenId", message)
        })?;
        let account = match (&session, key_id.parse::<AccountId>()) {
            (Some(session), _) => session.account.clone(),
            (None, Ok(account)) => account.to_string(),
            (None, Err(_)) => ACCOUNT.to_owned(),
        };
        let protocol = headers.protocol();
        let (action, parameters) = match headers.target {
            Some(target) => {
                let action = target.rsplit('.').next().unwrap_or_default();
                (action.to_owned(), json_parameters(body)?)
            }
            None => {
                let mut parameters: BTreeMap<String, String> =
                    form_urlencoded::parse(body).into_owned().collect();
                let action = parameters.remove("Action").ok_or_else(|| {
                    let message = "The request must contain the parameter Action";
                    ErrorResponse::new(400, "MissingAction", message)
                })?;
                (action, parameters)
            }
        };
        let origin = RequestOrigin {
            access_key_id: key_id.to_owned(),
            user_agent: headers.user_agent.map(str::to_owned),
            address: headers.address.unwrap_or(Ipv4Addr::LOCALHOST.into()),
        };
        let region = region.to_owned();
        Ok(Request { protocol, action, account, session, partition, region, origin, parameters })
    }

    /// The request with each parameter changed, for this account.
    pub(super) fn localized(&self, account: &str, change: impl Fn(&str) -> String) -> Request {
        let changed = self.parameters.iter().map(|(name, value)| (name.clone(), change(value)));
        Request {
            protocol: self.protocol,
            action: self.action.clone(),
            account: account.to_owned(),
            session: self.session.clone(),
            partition: self.partition,
            region: self.region.clone(),
            origin: self.origin.clone(),
            parameters: changed.collect(),
        }
    }

    /// The parameters by name.
    pub(super) fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, ErrorResponse> {
        self.get(name).ok_or_else(|| ErrorResponse::constraint(name, "Member must not be null"))
    }

    /// The values of `Name.member.1`, `Name.member.2`…, each with `field` appended.
    pub(super) fn list(&self, name: &str, field: &str) -> Vec<&str> {
        (1..=1_000).map_while(|n| self.get(&format!("{name}.member.{n}{field}"))).collect()
    }

    /// `MaxItems`: from 1 to 1,000; the default is 100.
    pub(super) fn max_items(&self) -> Result<usize, ErrorResponse> {
        let Some(text) = self.get("MaxItems") else { return Ok(100) };
        match text.parse::<usize>() {
            Ok(items @ 1..=1_000) => Ok(items),
            Ok(0) => Err(ErrorResponse::constraint(
                "MaxItems",
                "Member must have value greater than or equal to 1",
            )),
            Ok(_) => Err(ErrorResponse::constraint(
                "MaxItems",
                "Member must have value less than or equal to 1000",
            )),
            Err(_) => {
                Err(ErrorResponse::new(400, "MalformedInput", "MaxItems must be a whole number"))
            }
        }
    }

    /// The user or role that the call names.
    pub(super) fn principal(&self) -> Option<(PrincipalKind, &str)> {
        let named = |kind| self.get(name_parameter(kind)).map(|name| (kind, name));
        PrincipalKind::ALL.into_iter().find_map(named).or_else(|| self.principal_of_arn())
    }

    /// The user or role whose last accessed report the call generates, or the role that it assumes.
    fn principal_of_arn(&self) -> Option<(PrincipalKind, &str)> {
        let arn = self.get("Arn").or_else(|| self.get("RoleArn"))?;
        let (kind, full_name) = arn.rsplit_once(':')?.1.split_once('/')?;
        let kind = PrincipalKind::ALL.into_iter().find(|it| it.noun() == kind)?;
        Some((kind, full_name.rsplit('/').next()?))
    }

    /// The account to which the call belongs: that of the role for `AssumeRole`, and that of the credentials for
    /// every other action.
    pub(super) fn target_account(&self) -> &str {
        let role = self.get("RoleArn").filter(|_| self.action == "AssumeRole");
        let account = role.and_then(|arn| arn.split(':').nth(4));
        account.filter(|id| id.parse::<AccountId>().is_ok()).unwrap_or(&self.account)
    }

    /// The text of the marker, which identifies the item after which the page begins.
    pub(super) fn marker(&self) -> Result<Option<String>, ErrorResponse> {
        let Some(marker) = self.get("Marker") else { return Ok(None) };
        let bytes = (0..marker.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(marker.get(at..at + 2)?, 16).ok())
            .collect::<Option<Vec<u8>>>();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.filter(|text| !text.is_empty()).map(Some).ok_or_else(invalid_marker)
    }
}

/// The fields of a JSON object that are text or numbers, and those of the objects in its lists, named as in the query
/// protocol: `Name.member.1.Field`. No action of the sandbox has other fields.
fn json_parameters(body: &[u8]) -> Result<BTreeMap<String, String>, ErrorResponse> {
    let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|_| {
        let message = "The body of the request is not a JSON object";
        ErrorResponse::new(400, "SerializationException", message)
    })?;
    let text = |value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut parameters = BTreeMap::new();
    for (name, value) in fields {
        let Value::Array(items) = value else {
            parameters.extend(text(value).map(|text| (name, text)));
            continue;
        };
        for (n, item) in (1..).zip(items) {
            let Value::Object(fields) = item else { continue };
            let fields = fields.into_iter().filter_map(|(field, value)| {
                Some((format!("{name}.member.{n}.{field}"), text(value)?))
            });
            parameters.extend(fields);
        }
    }
    Ok(parameters)
}

pub(super) fn invalid_marker() -> ErrorResponse {
    ErrorResponse::validation("Invalid Marker.")
}

/// The parameter that names a user or role.
pub(super) fn name_parameter(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "UserName",
        PrincipalKind::Role => "RoleName",
    }
}

/// The partition of the Region for which the request is signed.
fn partition_of(region: &str) -> Partition {
    let is_in = |prefix: &str| region.starts_with(prefix);
    match () {
        () if is_in("cn-") => Partition::AwsCn,
        () if is_in("us-gov-") => Partition::AwsUsGov,
        () if is_in("eusc-") => Partition::AwsEusc,
        () if is_in("us-iso-") => Partition::AwsIso,
        () if is_in("us-isob-") => Partition::AwsIsoB,
        () if is_in("eu-isoe-") => Partition::AwsIsoE,
        () if is_in("us-isof-") => Partition::AwsIsoF,
        () => Partition::Aws,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_region_of_every_partition_identifies_the_partition() {
        for &partition in Partition::ALL {
            assert_eq!(partition_of(partition.home_region()), partition);
        }
    }
}
