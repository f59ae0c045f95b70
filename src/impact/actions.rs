use std::collections::BTreeMap;
use std::ops::Range;

use super::action_set::ActionSet;
use super::catalog::{AccessLevel, Catalog};
use super::document::Document;
use crate::iam::ActionPattern;

/// The actions of a comparison: those of the catalog, and those that policy documents name and the catalog does not
/// have. If the catalog has no action for a pattern, such as `newservice:*`, the pattern is an action of its own, so
/// that a comparison does not pass over it.
#[derive(Debug)]
pub struct Actions {
    catalog: &'static Catalog,
    others: Vec<ActionPattern>,
}

/// An action of [`Actions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action<'a> {
    /// Service and name, such as `s3:GetObject`. For an action that the catalog does not have, the text of the policy
    /// document, which can have wildcards.
    pub name: &'a str,
    /// The access level.
    pub level: AccessLevel,
}

impl<'a> Action<'a> {
    /// The service, such as `s3`.
    pub fn service(&self) -> &'a str {
        self.name.split_once(':').map_or(self.name, |(service, _)| service)
    }

    /// The name without the service, such as `GetObject`.
    pub fn operation(&self) -> &'a str {
        self.name.split_once(':').map_or(self.name, |(_, operation)| operation)
    }
}

/// The actions that a pattern selects.
pub(super) struct Selected {
    /// The actions of which every name is matched.
    pub(super) covered: ActionSet,
    /// The actions of which a name can be matched: more than `covered` only for actions that are patterns.
    pub(super) touched: ActionSet,
}

impl Actions {
    /// The actions for a comparison of these documents.
    pub fn of<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Actions {
        let mut actions = Actions { catalog: Catalog::current(), others: Vec::new() };
        let mut unknown = BTreeMap::new();
        for pattern in documents.into_iter().flat_map(Document::patterns) {
            if !unknown.contains_key(pattern.lower()) && !actions.catalog_has(pattern) {
                unknown.insert(pattern.lower().to_owned(), pattern.clone());
            }
        }
        // The service is in lower case, as in the catalog.
        actions.others = unknown.into_values().map(ActionPattern::with_lower_service).collect();
        actions
    }

    /// The number of actions.
    pub fn len(&self) -> usize {
        self.catalog.len() + self.others.len()
    }

    /// Whether there is no action. The catalog always has some.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The action with this index.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, index: usize) -> Action<'_> {
        match self.catalog.actions.get(index) {
            Some(action) => Action { name: &action.name, level: action.level },
            None => {
                let name = self.others[index - self.catalog.len()].as_str();
                Action { name, level: AccessLevel::Unknown }
            }
        }
    }

    /// Whether the catalog has the service.
    pub fn is_known(&self, service: &str) -> bool {
        !self.starting_with(&format!("{service}:")).is_empty()
    }

    /// The actions of a service, in the order of their names. The case of `service` does not matter.
    pub fn of_service(&self, service: &str) -> Vec<usize> {
        let prefix = format!("{}:", service.to_ascii_lowercase());
        let others = self.others.iter().zip(self.catalog.len()..);
        let others = others.filter(|(other, _)| other.lower().starts_with(&prefix));
        self.starting_with(&prefix).chain(others.map(|(_, index)| index)).collect()
    }

    pub(super) fn select(&self, patterns: &[ActionPattern]) -> Selected {
        let mut covered = ActionSet::none(self.len());
        let mut touched = covered.clone();
        for pattern in patterns {
            if pattern.is_universal() {
                covered = ActionSet::all(self.len());
                break;
            }
            self.matching(pattern).for_each(|index| covered.insert(index));
            for (other, index) in self.others.iter().zip(self.catalog.len()..) {
                if pattern.overlaps(other) {
                    touched.insert(index);
                }
                if pattern.covers(other) {
                    covered.insert(index);
                }
            }
        }
        touched.add(&covered);
        Selected { covered, touched }
    }

    fn catalog_has(&self, pattern: &ActionPattern) -> bool {
        pattern.is_universal() || self.matching(pattern).next().is_some()
    }

    /// The actions of the catalog that the pattern matches.
    fn matching(&self, pattern: &ActionPattern) -> impl Iterator<Item = usize> {
        let range = self.starting_with(pattern.prefix());
        range.filter(|&index| pattern.matches(&self.catalog.actions[index].lower))
    }

    fn starting_with(&self, prefix: &str) -> Range<usize> {
        let actions = &self.catalog.actions;
        let start = actions.partition_point(|action| &*action.lower < prefix);
        let count = actions[start..].partition_point(|action| action.lower.starts_with(prefix));
        start..start + count
    }
}
