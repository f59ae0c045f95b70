use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action_set::ActionSet;
use super::actions::Actions;
use super::catalog::AccessLevel;
use super::comparison::{Comparison, Direction};
use super::tally::services;

/// What a change gives and takes, as numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Summary {
    /// What the change is as a whole.
    pub direction: Direction,
    /// Not allowed before, and allowed after the change.
    pub gives: Tally,
    /// Allowed on some resources or under conditions before, and on every resource and unconditionally after the change.
    pub extends: Tally,
    /// Allowed before, and not allowed after the change.
    pub takes: Tally,
    /// Allowed on every resource and unconditionally before, and on some resources or under conditions after the change.
    pub reduces: Tally,
    /// Allowed on some resources or under conditions before and after the change, which can allow more requests.
    pub can_allow_more: Tally,
    /// Allowed on some resources or under conditions before and after the change, which can allow fewer requests.
    pub can_allow_less: Tally,
}

/// How many actions there are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// The number of actions.
    pub actions: usize,
    /// The number of services that the actions belong to.
    pub services: usize,
    /// The number of actions by access level. A level without actions is missing.
    pub access_levels: BTreeMap<AccessLevel, usize>,
    /// The most important of the actions if there are few, and otherwise of the services: those with the most actions that
    /// manage permissions, and then that write.
    pub main: Vec<String>,
}

/// The most actions that are named.
const MAX_NAMED: usize = 3;

impl Summary {
    /// Summarizes a comparison.
    pub fn of(comparison: &Comparison, actions: &Actions) -> Summary {
        let tally = |set| Tally::of(set, actions);
        Summary {
            direction: comparison.direction(),
            gives: tally(&comparison.given),
            extends: tally(&comparison.extended),
            takes: tally(&comparison.taken),
            reduces: tally(&comparison.reduced),
            can_allow_more: tally(&comparison.widened),
            can_allow_less: tally(&comparison.narrowed),
        }
    }

    /// Whether a request can be allowed that was denied before.
    pub fn can_allow(&self) -> bool {
        matches!(self.direction, Direction::Widening | Direction::Mixed)
    }

    /// Whether a request can be denied that was allowed before.
    pub fn can_deny(&self) -> bool {
        matches!(self.direction, Direction::Narrowing | Direction::Mixed)
    }

    /// The number of actions of this access level that the change gives, extends or allows more of.
    pub fn gains_of(&self, level: AccessLevel) -> usize {
        [&self.gives, &self.extends, &self.can_allow_more].map(|it| it.of_level(level)).iter().sum()
    }

    /// The number of actions that the change takes, reduces or allows less of.
    pub fn losses(&self) -> usize {
        [&self.takes, &self.reduces, &self.can_allow_less].map(|it| it.actions).iter().sum()
    }
}

impl Tally {
    /// Counts the actions of a set.
    pub fn of(set: &ActionSet, actions: &Actions) -> Tally {
        let services = services(set, actions);
        let mut access_levels: BTreeMap<AccessLevel, usize> = BTreeMap::new();
        for service in &services {
            for (level, count) in service.levels() {
                *access_levels.entry(level).or_default() += count;
            }
        }
        let count = access_levels.values().sum();
        let main = match count {
            ..=MAX_NAMED => set.iter().map(|index| actions.get(index).name.to_owned()).collect(),
            _ => services.iter().take(MAX_NAMED).map(|it| it.service.to_owned()).collect(),
        };
        Tally { actions: count, services: services.len(), access_levels, main }
    }

    /// The number of actions of this access level.
    pub fn of_level(&self, level: AccessLevel) -> usize {
        self.access_levels.get(&level).copied().unwrap_or_default()
    }

    /// Whether `main` has actions, and not services.
    pub fn names_actions(&self) -> bool {
        self.actions <= MAX_NAMED
    }
}
