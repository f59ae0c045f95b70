use std::collections::BTreeMap;

use super::account::ACCOUNT;
use crate::iam::{AccountId, Partition, PrincipalKind};

/// A request of the query protocol.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) action: String,
    pub(super) account: String,
    pub(super) partition: Partition,
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
    /// Parses the `Authorization` header and the form in the body.
    pub(super) fn parse(
        authorization: Option<&str>,
        body: &[u8],
    ) -> Result<Request, ErrorResponse> {
        let missing = || {
            ErrorResponse::new(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            )
        };
        // Credential=KEY-ID/DATE/REGION/SERVICE/aws4_request
        let scope = authorization
            .and_then(|header| header.split_once("Credential="))
            .map(|(_, scope)| scope)
            .ok_or_else(missing)?;
        let mut scope = scope.split([',', ' ']).next().unwrap_or_default().split('/');
        let key_id = scope.next().filter(|id| !id.is_empty()).ok_or_else(missing)?;
        let region = scope.nth(1).unwrap_or_default();
        let account = match key_id.parse::<AccountId>() {
            Ok(account) => account.to_string(),
            Err(_) => ACCOUNT.to_owned(),
        };
        let mut parameters: BTreeMap<String, String> =
            form_urlencoded::parse(body).into_owned().collect();
        let action = parameters.remove("Action").ok_or_else(|| {
            ErrorResponse::new(
                400,
                "MissingAction",
                "The request must contain the parameter Action",
            )
        })?;
        Ok(Request { action, account, partition: partition_of(region), parameters })
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

    /// The user or role whose last accessed report the call generates.
    fn principal_of_arn(&self) -> Option<(PrincipalKind, &str)> {
        let (kind, full_name) = self.get("Arn")?.rsplit_once(':')?.1.split_once('/')?;
        let kind = PrincipalKind::ALL.into_iter().find(|it| it.noun() == kind)?;
        Some((kind, full_name.rsplit('/').next()?))
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
