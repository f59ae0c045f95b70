use std::collections::{BTreeMap, HashMap};

use super::pages::Kinds;
use crate::iam::{Principal, PrincipalKind};
use crate::inventory::{Attributes, Inventory, Reading};

/// The readings of the listed principals while pages are read. Other principals are ignored.
pub(super) struct Readings {
    readings: BTreeMap<Principal, Reading>,
    attributes: BTreeMap<Principal, Attributes>,
    by_folded: HashMap<(PrincipalKind, String), Principal>,
    missing: usize,
}

impl Readings {
    pub(super) fn of(listed: &[&Principal]) -> Self {
        let absent = Reading::NotFound { differs_by_case: None };
        Readings {
            readings: listed.iter().map(|&it| (it.clone(), absent.clone())).collect(),
            attributes: BTreeMap::new(),
            by_folded: listed.iter().map(|&it| (it.folded(), it.clone())).collect(),
            missing: listed.len(),
        }
    }

    /// Takes the reading of the principal of this kind and name.
    pub(super) fn found(
        &mut self,
        kind: PrincipalKind,
        name: &str,
        read: impl FnOnce() -> (Reading, Option<Attributes>),
    ) {
        let folded = (kind, name.to_ascii_lowercase());
        let Some(principal) = self.by_folded.get(&folded) else { return };
        let Some(known) = self.readings.get_mut(principal) else { return };
        if principal.name.as_str() == name {
            self.missing -= usize::from(known.is_not_found());
            let (reading, attributes) = read();
            *known = reading;
            match attributes {
                Some(attributes) => self.attributes.insert(principal.clone(), attributes),
                None => self.attributes.remove(principal),
            };
        } else if let (Reading::NotFound { differs_by_case }, Ok(other)) = (known, name.parse()) {
            *differs_by_case = Some(other);
        }
    }

    /// Whether every listed principal was found, so that no further page is needed.
    pub(super) fn are_complete(&self) -> bool {
        self.missing == 0
    }

    pub(super) fn into_inventory(self) -> Inventory {
        Inventory::from_pages(self.readings).with_attributes(self.attributes)
    }
}

/// The kinds of the listed principals.
pub(super) fn kinds_of(listed: &[&Principal]) -> Kinds {
    listed.iter().map(|it| it.kind).collect()
}

/// The listed principals that the caller is not allowed to read.
pub(super) fn denied_of<'a>(inventory: &Inventory, listed: &[&'a Principal]) -> Vec<&'a Principal> {
    listed.iter().copied().filter(|it| inventory.reading(it).denied().is_some()).collect()
}

/// The listed principals that IAM did not return.
pub(super) fn missing_of<'a>(
    inventory: &Inventory,
    listed: &[&'a Principal],
) -> Vec<&'a Principal> {
    listed.iter().copied().filter(|it| inventory.reading(it).is_not_found()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Principal {
        Principal::user(text.parse().unwrap())
    }

    fn found() -> (Reading, Option<Attributes>) {
        let unique_id = "AIDAJQABLZS4A3QDU576Q".parse().unwrap();
        (Reading::Found { unique_id, boundary: None }, Some(Attributes::default()))
    }

    #[test]
    fn a_name_that_differs_only_in_case_is_recorded_but_is_not_the_listed_user() {
        let (alice, bob) = (user("alice"), user("bob"));
        let mut readings = Readings::of(&[&alice, &bob]);
        readings.found(PrincipalKind::User, "Alice", found);
        readings.found(PrincipalKind::User, "bob", found);
        readings
            .found(PrincipalKind::User, "BOB", || unreachable!("only an exact name has a reading"));
        let inventory = readings.into_inventory();
        let differs_by_case = Some("Alice".parse().unwrap());
        assert_eq!(inventory.reading(&alice), &Reading::NotFound { differs_by_case });
        assert_eq!(inventory.reading(&bob), &found().0);
    }

    #[test]
    fn unlisted_users_are_ignored() {
        let alice = user("alice");
        let mut readings = Readings::of(&[&alice]);
        readings.found(PrincipalKind::User, "mallory", || unreachable!("mallory is not listed"));
        assert!(!readings.are_complete());
        assert_eq!(readings.into_inventory().iter().count(), 1);
    }

    #[test]
    fn a_user_and_a_role_of_the_same_name_are_two_principals() {
        let (user, role) = (user("deploy"), Principal::role("deploy".parse().unwrap()));
        let mut readings = Readings::of(&[&user, &role]);
        readings.found(PrincipalKind::Role, "deploy", found);
        assert!(!readings.are_complete());
        let inventory = readings.into_inventory();
        assert!(inventory.reading(&user).is_not_found());
        assert_eq!(inventory.reading(&role), &found().0);
    }

    #[test]
    fn a_user_on_two_pages_is_counted_once() {
        let (alice, bob) = (user("alice"), user("bob"));
        let mut readings = Readings::of(&[&alice, &bob]);
        for _ in 0..2 {
            readings.found(PrincipalKind::User, "alice", found);
        }
        assert!(!readings.are_complete());
        readings.found(PrincipalKind::User, "bob", found);
        assert!(readings.are_complete());
    }
}
