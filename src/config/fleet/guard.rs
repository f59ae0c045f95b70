use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::{Threshold, not_null};

/// The guard rails of a fleet: what a plan of all its accounts must not do without an override. Each account also has
/// the guard rails of its boundaries files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetGuard {
    /// The maximum number of principals that a plan changes in all accounts together: a number, or a percentage of the
    /// principals in the plans of all accounts.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub max_changes: Option<Threshold>,
    /// The maximum number of accounts in which a plan changes something: a number, or a percentage of the accounts.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub max_accounts_changed: Option<Threshold>,
    /// After this number of accounts failed, apply begins no further account. At least 1.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(range(min = 1))]
    pub max_accounts_failed: Option<usize>,
}
