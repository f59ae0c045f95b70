use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::{AssumeRole, Printable};

/// Which credentials read and change an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountCredentials {
    /// The base credentials: those that the fleet is run with.
    Base,
    /// The base credentials assume this role.
    #[serde(rename = "assume_role")]
    Role(AssumeRole),
    /// A profile of the AWS configuration files, in place of the base credentials.
    Profile(#[schemars(with = "String")] Printable),
}
