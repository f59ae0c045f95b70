use std::collections::BTreeMap;

use super::ApiError;
use crate::iam::{Principal, Printable, Timestamp};

/// What users and roles used last, from `GetServiceLastAccessedDetails`; an error for a principal whose report could not
/// be read
/// ([GetServiceLastAccessedDetails](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html)).
pub type LastUsed = BTreeMap<Principal, Result<Vec<UsedService>, ApiError>>;

/// A service that a principal used. IAM counts attempts, too: a request that was denied is a use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedService {
    /// The namespace, such as `s3`.
    pub namespace: Printable,
    /// When the principal last used an action of the service.
    pub last: Timestamp,
    /// The actions that IAM tracks and the principal used, without the service, and when it last did. IAM tracks actions
    /// only for some services, and only management events.
    pub actions: Vec<(Printable, Timestamp)>,
}
