use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::WideningGuard;
use crate::iam::{BoundaryChange, Printable};
use crate::impact::{AccessLevel, Actions, Step, Summary};

/// Whether a boundary allows more than the one that it replaces. The boundaries themselves are compared: it does not
/// matter what the principal is allowed besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Widening {
    /// It allows no more.
    No,
    /// It can allow more actions, or more of their requests, but none that manages permissions.
    Actions,
    /// It can allow more of the actions that manage permissions.
    PermissionsManagement,
    /// It allows everything. This is as if the boundary were removed.
    Everything,
    /// This is not known: the reason.
    Unknown(#[schemars(with = "String")] Printable),
}

impl Widening {
    /// What is known of a change without the documents of its boundaries.
    pub(super) fn known(change: &BoundaryChange) -> Option<Widening> {
        match change {
            BoundaryChange::Change { to, .. } if to.is_administrator_access() => {
                Some(Widening::Everything)
            }
            _ => None,
        }
    }

    /// The widening of one boundary change.
    pub(super) fn of(step: &Step, actions: &Actions) -> Widening {
        if step.ends_in_everything() {
            return Widening::Everything;
        }
        let summary = Summary::of(&step.compare_boundaries(actions), actions);
        // An action that the catalog does not have can manage permissions.
        let levels = [AccessLevel::PermissionsManagement, AccessLevel::Unknown];
        match summary.can_allow() {
            false => Widening::No,
            true if levels.iter().any(|level| summary.gains_of(*level) > 0) => {
                Widening::PermissionsManagement
            }
            true => Widening::Actions,
        }
    }

    /// Whether the guard rail refuses it.
    pub(super) fn is_refused_by(&self, guard: WideningGuard) -> bool {
        match (guard, self) {
            (WideningGuard::Allow, _) | (_, Widening::No) => false,
            (WideningGuard::PermissionsManagement, Widening::Actions) => false,
            (WideningGuard::PermissionsManagement | WideningGuard::Refuse, _) => true,
        }
    }
}
