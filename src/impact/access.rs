use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action_set::ActionSet;
use super::permissions::Permissions;

/// The effective permissions of a principal: what its identity-based policies and its boundary both allow, and neither
/// denies
/// ([Permissions boundaries](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html)).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Access {
    /// The actions that are allowed on every resource and unconditionally.
    pub fully: ActionSet,
    /// The actions of which a request can be allowed.
    pub allowed: ActionSet,
}

/// How far an action is allowed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Extent {
    /// No request is allowed.
    None,
    /// Requests are allowed on some resources or under conditions. This is also the result if it is not known whether
    /// none or every request is allowed.
    Limited,
    /// Every request is allowed.
    Full,
}

impl Access {
    /// What is allowed by identity-based policies within a boundary.
    pub fn within(identity: &Permissions, boundary: &Permissions) -> Access {
        let allowed = identity.allowed.and(&boundary.allowed);
        let denied_fully = identity.denied_fully.or(&boundary.denied_fully);
        Access {
            fully: identity.fully().and(&boundary.fully()),
            allowed: allowed.without(&denied_fully),
        }
    }

    /// How far the action with this index is allowed.
    pub fn extent(&self, index: usize) -> Extent {
        match (self.fully.contains(index), self.allowed.contains(index)) {
            (true, _) => Extent::Full,
            (false, true) => Extent::Limited,
            (false, false) => Extent::None,
        }
    }
}

impl Extent {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Extent::None => "none",
            Extent::Limited => "limited",
            Extent::Full => "full",
        }
    }
}
