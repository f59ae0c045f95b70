use std::collections::{BTreeMap, HashMap};

use super::{ApiError, ErrorClass};
use crate::iam::{PolicyArn, PrincipalName};

/// The listed users as IAM has them, at one time. Every listed user is in it, whatever was found.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    users: BTreeMap<PrincipalName, Reading>,
}

/// What IAM says of one listed user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The user is there, with this boundary or none.
    Boundary(Option<PolicyArn>),
    /// IAM has no such user.
    NoSuchUser {
        /// A user whose name differs from it by case alone.
        differs_by_case: Option<PrincipalName>,
    },
    /// It could not be found out, for this user alone.
    Unreadable(ApiError),
}

impl Inventory {
    /// A snapshot made of what is known otherwise.
    pub fn of(users: BTreeMap<PrincipalName, Reading>) -> Self {
        Inventory { users }
    }

    /// What was found of `user`; none if the snapshot was not asked for it.
    pub fn reading(&self, user: &PrincipalName) -> Option<&Reading> {
        self.users.get(user)
    }

    pub(super) fn users(&self) -> impl Iterator<Item = &PrincipalName> {
        self.users.keys()
    }

    /// The error, if the caller may not read this user.
    pub(super) fn denied(&self, user: &PrincipalName) -> Option<&ApiError> {
        match self.reading(user) {
            Some(Reading::Unreadable(error)) if error.class == ErrorClass::Denied => Some(error),
            _ => None,
        }
    }

    /// Those of the `listed` whom the caller may not read.
    pub(super) fn denied_of<'a>(&self, listed: &[&'a PrincipalName]) -> Vec<&'a PrincipalName> {
        listed.iter().copied().filter(|user| self.denied(user).is_some()).collect()
    }

    /// Those of the `listed` whom IAM has not, as far as is known.
    pub(super) fn missing_of<'a>(&self, listed: &[&'a PrincipalName]) -> Vec<&'a PrincipalName> {
        let is_missing = |user| matches!(self.reading(user), Some(Reading::NoSuchUser { .. }));
        listed.iter().copied().filter(|user| is_missing(user)).collect()
    }

    /// Takes over what `newer` says. Of a user who is missing in both, either may tell who differs by case.
    pub(super) fn extend(&mut self, newer: Inventory) {
        for (user, mut reading) in newer.users {
            let known = self.users.remove(&user);
            if let (
                Reading::NoSuchUser { differs_by_case },
                Some(Reading::NoSuchUser { differs_by_case: Some(other) }),
            ) = (&mut reading, known)
            {
                differs_by_case.get_or_insert(other);
            }
            self.users.insert(user, reading);
        }
    }
}

/// The readings of the listed users while pages come in; nothing is kept of the others.
pub(super) struct Readings {
    users: BTreeMap<PrincipalName, Reading>,
    by_folded: HashMap<String, PrincipalName>,
    missing: usize,
}

impl Readings {
    pub(super) fn of(listed: &[&PrincipalName]) -> Self {
        let absent = Reading::NoSuchUser { differs_by_case: None };
        Readings {
            users: listed.iter().map(|&user| (user.clone(), absent.clone())).collect(),
            by_folded: listed.iter().map(|&user| (user.folded(), user.clone())).collect(),
            missing: listed.len(),
        }
    }

    pub(super) fn found(&mut self, name: &str, reading: impl FnOnce() -> Reading) {
        let Some(user) = self.by_folded.get(&name.to_ascii_lowercase()) else { return };
        let Some(known) = self.users.get_mut(user) else { return };
        if user.as_str() == name {
            self.missing -= usize::from(matches!(known, Reading::NoSuchUser { .. }));
            *known = reading();
        } else if let (Reading::NoSuchUser { differs_by_case }, Ok(other)) = (known, name.parse()) {
            *differs_by_case = Some(other);
        }
    }

    /// Whether every listed user was found: then nothing more need be read.
    pub(super) fn are_complete(&self) -> bool {
        self.missing == 0
    }

    pub(super) fn into_snapshot(self) -> Inventory {
        Inventory { users: self.users }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PrincipalName {
        text.parse().unwrap()
    }

    #[test]
    fn a_user_that_differs_by_case_alone_is_remembered_but_is_not_the_user() {
        let (alice, bob) = (name("alice"), name("bob"));
        let mut readings = Readings::of(&[&alice, &bob]);
        readings.found("Alice", || Reading::Boundary(None));
        readings.found("bob", || Reading::Boundary(None));
        readings.found("BOB", || unreachable!("only an exact name is read"));
        let snapshot = readings.into_snapshot();
        let differs_by_case = Some(name("Alice"));
        assert_eq!(snapshot.reading(&alice), Some(&Reading::NoSuchUser { differs_by_case }));
        assert_eq!(snapshot.reading(&bob), Some(&Reading::Boundary(None)));
    }

    #[test]
    fn nothing_is_kept_of_unlisted_users() {
        let alice = name("alice");
        let mut readings = Readings::of(&[&alice]);
        readings.found("mallory", || unreachable!("an unlisted user is not read"));
        assert!(!readings.are_complete());
        assert_eq!(readings.into_snapshot().users.len(), 1);
    }

    #[test]
    fn a_user_who_is_on_two_pages_is_counted_once() {
        let (alice, bob) = (name("alice"), name("bob"));
        let mut readings = Readings::of(&[&alice, &bob]);
        for _ in 0..2 {
            readings.found("alice", || Reading::Boundary(None));
        }
        assert!(!readings.are_complete());
        readings.found("bob", || Reading::Boundary(None));
        assert!(readings.are_complete());
    }
}
