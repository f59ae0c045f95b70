use std::cmp::Reverse;

use strum::IntoEnumIterator;

use super::action_set::ActionSet;
use super::actions::Actions;
use super::catalog::AccessLevel;

/// How many actions of one service there are in a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTally<'a> {
    /// The service, such as `s3`.
    pub service: &'a str,
    levels: [usize; AccessLevel::COUNT],
}

impl ServiceTally<'_> {
    /// The number of actions by access level, without levels that have none.
    pub fn levels(&self) -> impl Iterator<Item = (AccessLevel, usize)> {
        AccessLevel::iter().zip(self.levels).filter(|(_, count)| *count > 0)
    }
}

/// The services of the actions in a set, those first that matter most: with the most actions that manage permissions, then
/// that write, and then of any kind.
pub fn services<'a>(set: &ActionSet, actions: &'a Actions) -> Vec<ServiceTally<'a>> {
    let mut services: Vec<ServiceTally<'a>> = Vec::new();
    for action in set.iter().map(|index| actions.get(index)) {
        let service = action.service();
        // The actions of the catalog are sorted by service.
        let is_same = services.last().is_some_and(|last| last.service == service);
        let position = match is_same {
            true => services.len() - 1,
            false => services.iter().position(|it| it.service == service).unwrap_or_else(|| {
                services.push(ServiceTally { service, levels: [0; AccessLevel::COUNT] });
                services.len() - 1
            }),
        };
        services[position].levels[action.level as usize] += 1;
    }
    services.sort_by_key(|it| {
        let of = |level| it.levels[level as usize];
        let all: usize = it.levels.iter().sum();
        Reverse((of(AccessLevel::PermissionsManagement), of(AccessLevel::Write), all))
    });
    services
}
