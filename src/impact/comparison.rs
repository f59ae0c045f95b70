use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Access, Extent};
use super::action_set::ActionSet;
use super::actions::Actions;
use super::document::{Document, Effect};
use super::permissions::{Permissions, Scope, scopes};

/// A change from one boundary to another.
#[derive(Debug, Clone)]
pub struct Step {
    before: Permissions,
    after: Permissions,
    /// The actions for which the limits of the boundary after the change can allow more than those before.
    can_widen: ActionSet,
    /// The actions for which they can allow less.
    can_narrow: ActionSet,
}

/// What a change of the boundary does to the effective permissions of a principal. An action is in at most one of the
/// first four sets; `widened` and `narrowed` can both have an action whose limits are others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Comparison {
    /// What is allowed before the change.
    pub before: Access,
    /// What is allowed after the change.
    pub after: Access,
    /// Full or limited before, and none after.
    pub taken: ActionSet,
    /// Full before, and limited after.
    pub reduced: ActionSet,
    /// None before, and limited or full after.
    pub given: ActionSet,
    /// Limited before, and full after.
    pub extended: ActionSet,
    /// Limited before and after, and requests can be denied that were allowed before.
    pub narrowed: ActionSet,
    /// Limited before and after, and requests can be allowed that were denied before.
    pub widened: ActionSet,
}

/// What a change is as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Direction {
    /// Every request has the same result before and after.
    NoEffect,
    /// No request is allowed that was denied before.
    Narrowing,
    /// No request is denied that was allowed before.
    Widening,
    /// Neither is certain.
    Mixed,
}

impl Step {
    /// The change from one boundary to another; `None` for no boundary.
    pub fn new(before: Option<&Document>, after: Option<&Document>, actions: &Actions) -> Step {
        let permissions = |boundary: Option<&Document>| match boundary {
            Some(document) => Permissions::of(document, actions),
            None => Permissions::everything(actions),
        };
        let scopes = |boundary: Option<&Document>| {
            boundary.map(|document| scopes(document, actions)).unwrap_or_default()
        };
        let (old, new) = (scopes(before), scopes(after));
        let (before, after) = (permissions(before), permissions(after));
        let none = || ActionSet::none(actions.len());
        let (mut can_widen, mut can_narrow) = (none(), none());
        for (scope, added) in differences(&new, &old, none()) {
            match scope.effect {
                Effect::Allow => can_widen.add(&added.without(&before.allowed_fully)),
                Effect::Deny => can_narrow.add(&added.without(&before.denied_fully)),
            }
        }
        for (scope, removed) in differences(&old, &new, none()) {
            match scope.effect {
                Effect::Allow => can_narrow.add(&removed.without(&after.allowed_fully)),
                Effect::Deny => can_widen.add(&removed.without(&after.denied_fully)),
            }
        }
        // Without a boundary there are no statements, and everything is allowed.
        can_widen.add(&after.allowed_fully.without(&before.allowed_fully));
        can_narrow.add(&before.allowed_fully.without(&after.allowed_fully));
        Step { before, after, can_widen, can_narrow }
    }

    /// Whether the boundary after the change allows everything.
    pub fn ends_in_everything(&self) -> bool {
        self.after.is_everything()
    }

    /// What the change does to a principal with these identity-based policies.
    pub fn compare(&self, identity: &Permissions) -> Comparison {
        let before = Access::within(identity, &self.before);
        let after = Access::within(identity, &self.after);
        let limited = before.allowed.and(&after.allowed);
        let limited = limited.without(&before.fully).without(&after.fully);
        Comparison {
            taken: before.allowed.without(&after.allowed),
            reduced: before.fully.and(&after.allowed).without(&after.fully),
            given: after.allowed.without(&before.allowed),
            extended: after.fully.and(&before.allowed).without(&before.fully),
            narrowed: limited.and(&self.can_narrow),
            widened: limited.and(&self.can_widen),
            before,
            after,
        }
    }

    /// What the change does to a principal that is allowed everything: the difference of the boundaries themselves.
    pub fn compare_boundaries(&self, actions: &Actions) -> Comparison {
        self.compare(&Permissions::everything(actions))
    }
}

/// The actions of each scope of `a` that `b` does not have in the same scope.
fn differences<'a>(
    a: &'a BTreeMap<Scope, ActionSet>,
    b: &BTreeMap<Scope, ActionSet>,
    none: ActionSet,
) -> impl Iterator<Item = (&'a Scope, ActionSet)> {
    a.iter().map(move |(scope, actions)| (scope, actions.without(b.get(scope).unwrap_or(&none))))
}

impl Comparison {
    /// What the change is as a whole.
    pub fn direction(&self) -> Direction {
        match (self.can_deny(), self.can_allow()) {
            (false, false) => Direction::NoEffect,
            (true, false) => Direction::Narrowing,
            (false, true) => Direction::Widening,
            (true, true) => Direction::Mixed,
        }
    }

    /// Whether a request can be denied that was allowed before.
    pub fn can_deny(&self) -> bool {
        [&self.taken, &self.reduced, &self.narrowed].iter().any(|set| !set.is_empty())
    }

    /// Whether a request can be allowed that was denied before.
    pub fn can_allow(&self) -> bool {
        [&self.given, &self.extended, &self.widened].iter().any(|set| !set.is_empty())
    }

    /// The actions of which a request can be allowed that was denied before.
    pub fn gains(&self) -> ActionSet {
        self.given.or(&self.extended).or(&self.widened)
    }

    /// The actions of which a request can be denied that was allowed before.
    pub fn losses(&self) -> ActionSet {
        self.taken.or(&self.reduced).or(&self.narrowed)
    }

    /// The actions that are allowed after the change as before it, of the services of which others are not.
    pub fn kept(&self, actions: &Actions) -> ActionSet {
        let changed = self.gains().or(&self.losses());
        let services: BTreeSet<&str> =
            changed.iter().map(|index| actions.get(index).service()).collect();
        let mut kept = ActionSet::none(actions.len());
        let same = self.after.allowed.without(&changed);
        let of_services =
            same.iter().filter(|&index| services.contains(actions.get(index).service()));
        of_services.for_each(|index| kept.insert(index));
        kept
    }

    /// How far the action with this index is allowed before and after the change.
    pub fn extents(&self, index: usize) -> (Extent, Extent) {
        (self.before.extent(index), self.after.extent(index))
    }
}
