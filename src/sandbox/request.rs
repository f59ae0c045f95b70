use std::collections::BTreeMap;

use super::ACCOUNT;
use crate::iam::{AccountId, Partition};

/// A call as the query protocol carries it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) action: String,
    pub(super) account: String,
    pub(super) partition: Partition,
    parameters: BTreeMap<String, String>,
}

/// An error answer of IAM's.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl ApiError {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        ApiError { status, code, message: message.into() }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        ApiError::new(400, "ValidationError", message)
    }

    /// A constraint that a parameter fails, in the words of AWS's common validation.
    pub(super) fn constraint(parameter: &str, constraint: &str) -> Self {
        let mut name = parameter.to_owned();
        name[..1].make_ascii_lowercase();
        ApiError::validation(format!(
            "1 validation error detected: Value at '{name}' failed to satisfy constraint: {constraint}"
        ))
    }
}

impl Request {
    /// From the `Authorization` header and the body, a form.
    pub(super) fn parse(authorization: Option<&str>, body: &[u8]) -> Result<Request, ApiError> {
        let missing = || {
            ApiError::new(
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
            ApiError::new(400, "MissingAction", "The request must contain the parameter Action")
        })?;
        Ok(Request { action, account, partition: partition_of(region), parameters })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::constraint(name, "Member must not be null"))
    }

    /// `Name.member.1`, `Name.member.2`…, each with what stands behind the number.
    pub(super) fn list(&self, name: &str, field: &str) -> Vec<&str> {
        (1..=1_000).map_while(|n| self.get(&format!("{name}.member.{n}{field}"))).collect()
    }

    /// `MaxItems`: 1 to 1,000, and 100 where it is not given.
    pub(super) fn max_items(&self) -> Result<usize, ApiError> {
        let Some(text) = self.get("MaxItems") else { return Ok(100) };
        match text.parse::<usize>() {
            Ok(items @ 1..=1_000) => Ok(items),
            Ok(0) => Err(ApiError::constraint(
                "MaxItems",
                "Member must have value greater than or equal to 1",
            )),
            Ok(_) => Err(ApiError::constraint(
                "MaxItems",
                "Member must have value less than or equal to 1000",
            )),
            Err(_) => Err(ApiError::new(400, "MalformedInput", "MaxItems must be a whole number")),
        }
    }

    /// The name after which the page begins.
    pub(super) fn marker(&self) -> Result<Option<String>, ApiError> {
        let Some(marker) = self.get("Marker") else { return Ok(None) };
        let bytes = (0..marker.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(marker.get(at..at + 2)?, 16).ok())
            .collect::<Option<Vec<u8>>>();
        match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(name) if !name.is_empty() => Ok(Some(name)),
            _ => Err(ApiError::validation("Invalid Marker.")),
        }
    }
}

/// A marker for [`Request::marker`]: opaque, as IAM's are.
pub(super) fn marker_after(name: &str) -> String {
    name.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// A request is signed for a region, and the region's name begins with that of its partition.
fn partition_of(region: &str) -> Partition {
    let begins = |start: &str| region.starts_with(start);
    match () {
        () if begins("cn-") => Partition::AwsCn,
        () if begins("us-gov-") => Partition::AwsUsGov,
        () if begins("eusc-") => Partition::AwsEusc,
        () if begins("us-iso-") => Partition::AwsIso,
        () if begins("us-isob-") => Partition::AwsIsoB,
        () if begins("eu-isoe-") => Partition::AwsIsoE,
        () if begins("us-isof-") => Partition::AwsIsoF,
        () => Partition::Aws,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_tells_its_partition() {
        for &partition in Partition::ALL {
            assert_eq!(partition_of(partition.home_region()), partition);
        }
    }
}
