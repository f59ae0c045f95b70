use std::collections::BTreeMap;

use super::action_set::ActionSet;
use super::actions::Actions;

/// The actions of a set that belong to one service, as few patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folded {
    /// Every action of the service.
    Every,
    /// Those that these patterns match: `Get*`, `DeleteBucket`. They match no other action of the service. Those that matter
    /// most come first: permissions management, then writing.
    Only(Vec<String>),
    /// All but those that these patterns match.
    Except(Vec<String>),
}

/// Folds the actions of `set` that belong to `service`.
pub fn folded(set: &ActionSet, service: &str, actions: &Actions) -> Folded {
    let all = actions.of_service(service);
    if actions.is_known(service) && all.iter().all(|&index| set.contains(index)) {
        return Folded::Every;
    }
    let only = patterns(set, &all, actions);
    let except = patterns(&set.inverted(), &all, actions);
    match actions.is_known(service) && except.len() * 2 < only.len() {
        true => Folded::Except(except),
        false => Folded::Only(only),
    }
}

/// The patterns of those actions of a service, which has `all`, that are in `set`.
fn patterns(set: &ActionSet, all: &[usize], actions: &Actions) -> Vec<String> {
    // The most that a prefix can stand for is a verb: the first word of the name.
    let mut by_verb: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &index in all {
        by_verb.entry(verb(actions.get(index).operation())).or_default().push(index);
    }
    let mut patterns = Vec::new();
    for (verb, of_verb) in by_verb {
        let inside: Vec<usize> = of_verb.into_iter().filter(|&index| set.contains(index)).collect();
        let Some(level) = inside.iter().map(|&index| actions.get(index).level).min() else {
            continue;
        };
        let starts = |index: usize| {
            let start = actions.get(index).operation().as_bytes().get(..verb.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(verb.as_bytes()))
        };
        let is_whole = all.iter().all(|&index| !starts(index) || set.contains(index));
        match is_whole && inside.len() > 1 {
            true => patterns.push((level, format!("{verb}*"))),
            false => patterns.extend(inside.into_iter().map(|index| {
                let action = actions.get(index);
                (action.level, action.operation().to_owned())
            })),
        }
    }
    patterns.sort();
    patterns.into_iter().map(|(_, pattern)| pattern).collect()
}

/// The first word of a name such as `GetObject`.
fn verb(operation: &str) -> &str {
    let is_start = |&(position, c): &(usize, char)| position > 0 && !c.is_ascii_lowercase();
    operation
        .char_indices()
        .find(is_start)
        .map_or(operation, |(position, _)| &operation[..position])
}
