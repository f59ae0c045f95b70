use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::used::UsedPermissions;
use crate::iam::{Principal, Printable};
use crate::impact::{AccessLevel, Actions, Comparison, Summary};

/// What the changes of a plan give and take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanImpact {
    /// The date of the catalog of actions.
    pub catalog_date: String,
    /// The different effects, the most important first: those that give most. Each principal that the plan changes has one.
    pub effects: Vec<Effect>,
    /// What principals used of that which is taken; `None` if it was not read.
    pub used: Option<UsedPermissions>,
}

/// What changes give and take, if it is the same for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The principals, sorted.
    pub principals: Vec<Principal>,
    /// What is given and taken; an error says why this is not known.
    pub result: Result<Summary, Printable>,
}

/// What the change of one principal does to each action.
#[derive(Debug, Clone)]
pub struct ExplainedImpact {
    /// The actions.
    pub actions: Arc<Actions>,
    /// What the change does; an error says why this is not known.
    pub result: Result<Box<Comparison>, Printable>,
}

impl PlanImpact {
    /// The principals that can lose permissions, or of which it is not known.
    pub fn losing(&self) -> impl Iterator<Item = &Principal> {
        let losing =
            self.effects.iter().filter(|it| it.result.as_ref().map_or(true, Summary::can_deny));
        losing.flat_map(|effect| &effect.principals)
    }

    /// The position of the effect of each principal.
    pub fn by_principal(&self) -> HashMap<&Principal, usize> {
        let effects = self.effects.iter().enumerate();
        effects.flat_map(|(n, effect)| effect.principals.iter().map(move |it| (it, n))).collect()
    }
}

impl Effect {
    /// The smallest value is the most important. An effect that is not known comes after those that give something.
    pub(super) fn importance(&self) -> impl Ord + use<> {
        let gains = |level| self.result.as_ref().map_or(0, |it| it.gains_of(level));
        let can_allow = self.result.as_ref().is_ok_and(Summary::can_allow);
        let others =
            [AccessLevel::Tagging, AccessLevel::Read, AccessLevel::List, AccessLevel::Unknown];
        (
            Reverse((
                can_allow,
                gains(AccessLevel::PermissionsManagement),
                gains(AccessLevel::Write),
                others.map(gains).iter().sum::<usize>(),
            )),
            self.result.is_ok(),
            Reverse(self.result.as_ref().map_or(0, Summary::losses)),
        )
    }
}
