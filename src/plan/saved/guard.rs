use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Guard, WideningGuard};
use crate::iam::{Days, NamePattern, Threshold, not_empty, not_null, present};

/// The guard rails: limits on the plan.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct GuardDocument {
    /// The maximum number of changes; null if none is set.
    #[serde(deserialize_with = "present")]
    max_changes: Option<Threshold>,
    /// The maximum number of removals; null if none is set.
    #[serde(deserialize_with = "present")]
    max_removals: Option<Threshold>,
    /// The names and patterns of users that are never changed.
    protected: Vec<NamePattern>,
    /// The names and patterns of roles that are never changed; missing if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    protected_roles: Vec<NamePattern>,
    /// Whether the plan may change the caller's own boundary.
    allow_own_boundary: bool,
    /// Whether the plan may set wider boundaries; missing if it may.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "WideningGuard")]
    widening: Option<WideningGuard>,
    /// The plan must not take what was used in this number of days; missing if it may.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    #[schemars(with = "Days")]
    taking_used: Option<Days>,
}

impl GuardDocument {
    pub(super) fn of(guard: &Guard) -> Self {
        let Guard {
            max_changes,
            max_removals,
            protected,
            protected_roles,
            allow_own_boundary,
            widening,
            taking_used,
        } = guard.clone();
        GuardDocument {
            max_changes,
            max_removals,
            protected,
            protected_roles,
            allow_own_boundary,
            widening: (widening != WideningGuard::Allow).then_some(widening),
            taking_used,
        }
    }

    pub(super) fn into_guard(self) -> Guard {
        let GuardDocument {
            max_changes,
            max_removals,
            protected,
            protected_roles,
            allow_own_boundary,
            widening,
            taking_used,
        } = self;
        Guard {
            max_changes,
            max_removals,
            protected,
            protected_roles,
            allow_own_boundary,
            widening: widening.unwrap_or_default(),
            taking_used,
        }
    }
}
