use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::action_set::ActionSet;
use super::actions::Actions;
use super::catalog::AccessLevel;

/// How many actions of a set there are, by access level and by service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// All actions.
    pub actions: usize,
    /// By access level; a level without actions is missing.
    pub levels: BTreeMap<AccessLevel, usize>,
    /// Those services first that matter most: with the most actions that manage permissions, and then that write.
    pub services: Vec<ServiceTally>,
}

/// How many actions of one service there are in a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTally {
    /// The service, such as `s3`.
    pub service: String,
    /// All actions.
    pub actions: usize,
    /// By access level; a level without actions is missing.
    pub levels: BTreeMap<AccessLevel, usize>,
}

impl Tally {
    /// Counts the actions of a set.
    pub fn of(set: &ActionSet, actions: &Actions) -> Tally {
        let mut tally = Tally::default();
        let mut by_service: BTreeMap<&str, ServiceTally> = BTreeMap::new();
        for action in set.iter().map(|index| actions.get(index)) {
            tally.actions += 1;
            *tally.levels.entry(action.level).or_default() += 1;
            let service = action.service();
            let of_service = by_service.entry(service).or_insert_with(|| ServiceTally {
                service: service.to_owned(),
                actions: 0,
                levels: BTreeMap::new(),
            });
            of_service.actions += 1;
            *of_service.levels.entry(action.level).or_default() += 1;
        }
        tally.services = by_service.into_values().collect();
        let count = |it: &ServiceTally, level| it.levels.get(&level).copied().unwrap_or_default();
        tally.services.sort_by_key(|it| {
            let permissions = count(it, AccessLevel::PermissionsManagement);
            Reverse((permissions, count(it, AccessLevel::Write), it.actions))
        });
        tally
    }

    /// The number of actions with this access level.
    pub fn of_level(&self, level: AccessLevel) -> usize {
        self.levels.get(&level).copied().unwrap_or_default()
    }
}
