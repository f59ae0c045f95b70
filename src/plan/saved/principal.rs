use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::{Principal, PrincipalKind, PrincipalName};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct PrincipalDocument {
    /// The kind of the principal.
    pub(super) kind: PrincipalKind,
    /// The name of the principal.
    pub(super) name: PrincipalName,
}

impl From<&Principal> for PrincipalDocument {
    fn from(principal: &Principal) -> Self {
        PrincipalDocument { kind: principal.kind, name: principal.name.clone() }
    }
}
