use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::{ApiError, Attributes, ErrorClass};
use crate::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName, UniqueId, UnmodifiableRole};

/// The principals that were read, each with what IAM returned for it.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    readings: BTreeMap<Principal, Reading>,
    /// Of principals that exist.
    attributes: BTreeMap<Principal, Attributes>,
    /// The principals whose readings come from account pages.
    from_pages: BTreeSet<Principal>,
    /// The kinds of which every principal of the account was read.
    whole: BTreeSet<PrincipalKind>,
    /// The kinds of which IAM counted more principals than it returned: a statement of the numbers.
    fewer_than_counted: BTreeMap<PrincipalKind, String>,
}

/// What IAM returned for one principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The principal exists.
    Found {
        /// Its unique ID.
        unique_id: UniqueId,
        /// Its permissions boundary; `None` if it has none.
        boundary: Option<PolicyArn>,
    },
    /// The principal is a role that AWS manages: it exists and cannot be changed.
    Unmodifiable {
        /// Its unique ID.
        unique_id: UniqueId,
        /// Its permissions boundary; `None` if it has none.
        boundary: Option<PolicyArn>,
        /// What makes it unmodifiable.
        role: UnmodifiableRole,
    },
    /// IAM has no such principal.
    NotFound {
        /// The name of a principal that differs only in case.
        differs_by_case: Option<PrincipalName>,
    },
    /// The principal could not be read.
    Unreadable(ApiError),
}

/// The readings of a user and of a role that were not requested: they are unknown, not missing.
static NOT_READ: LazyLock<[Reading; 2]> = LazyLock::new(|| {
    ["iam:GetUser", "iam:GetRole"].map(|action| {
        Reading::Unreadable(ApiError {
            action: action.into(),
            class: ErrorClass::Rejected,
            code: "NotRead".into(),
            message: "the principal was not read".into(),
            request_id: None,
        })
    })
});

/// The reading of a principal of a kind that was read completely, if the account does not have it.
static NO_SUCH_PRINCIPAL: Reading = Reading::NotFound { differs_by_case: None };

impl Inventory {
    /// An inventory of these readings.
    pub fn of(readings: BTreeMap<Principal, Reading>) -> Self {
        Inventory { readings, ..Inventory::default() }
    }

    /// An inventory of readings from the pages of `GetAccountAuthorizationDetails`.
    pub fn from_pages(readings: BTreeMap<Principal, Reading>) -> Self {
        let from_pages = readings.keys().cloned().collect();
        Inventory { readings, from_pages, ..Inventory::default() }
    }

    /// An inventory from account pages with every principal of these `kinds`. The readings may contain principals of
    /// other kinds, too.
    pub fn whole(
        kinds: impl IntoIterator<Item = PrincipalKind>,
        readings: BTreeMap<Principal, Reading>,
        attributes: BTreeMap<Principal, Attributes>,
    ) -> Self {
        Inventory::from_pages(readings).with_attributes(attributes).with_whole(kinds)
    }

    /// The inventory with these attributes. Those of a principal that the inventory does not have, or that does not
    /// exist, are ignored.
    #[must_use]
    pub fn with_attributes(mut self, mut attributes: BTreeMap<Principal, Attributes>) -> Self {
        attributes.retain(|principal, _| {
            self.readings.get(principal).is_some_and(|it| it.unique_id().is_some())
        });
        self.attributes.append(&mut attributes);
        self
    }

    /// The inventory, which has every principal of these `kinds`.
    #[must_use]
    pub fn with_whole(mut self, kinds: impl IntoIterator<Item = PrincipalKind>) -> Self {
        self.whole.extend(kinds);
        self
    }

    /// The inventory, of which IAM counted more principals than it returned: a statement of the numbers, by kind.
    #[must_use]
    pub fn with_fewer_than_counted(mut self, fewer: BTreeMap<PrincipalKind, String>) -> Self {
        self.fewer_than_counted.extend(fewer);
        self
    }

    /// The kinds of which IAM counted more principals than it returned, each with a statement of the numbers: `IAM counts 5
    /// users, but returns only 3`. Some may be missing in the inventory.
    pub fn fewer_than_counted(&self) -> impl Iterator<Item = (PrincipalKind, &str)> {
        self.fewer_than_counted.iter().map(|(kind, statement)| (*kind, statement.as_str()))
    }

    /// Whether the reading of `principal` comes from an account page, and not from a call for it only.
    pub fn is_from_pages(&self, principal: &Principal) -> bool {
        self.from_pages.contains(principal)
    }

    /// Whether the inventory has every principal of this kind that the account has. Otherwise, it has only the listed
    /// ones.
    pub fn is_whole(&self, kind: PrincipalKind) -> bool {
        self.whole.contains(&kind)
    }

    /// The reading of `principal`. A principal that was not read is unreadable, so nothing is planned or written
    /// for it. If every principal of its kind was read, it is not found.
    pub fn reading(&self, principal: &Principal) -> &Reading {
        let is_whole = self.is_whole(principal.kind);
        self.readings.get(principal).unwrap_or_else(|| {
            let [user, role] = &*NOT_READ;
            match principal.kind {
                _ if is_whole => &NO_SUCH_PRINCIPAL,
                PrincipalKind::User => user,
                PrincipalKind::Role => role,
            }
        })
    }

    /// The attributes of `principal`; `None` if it does not exist or could not be read.
    pub fn attributes(&self, principal: &Principal) -> Option<&Attributes> {
        self.attributes.get(principal)
    }

    /// Every reading, by principal.
    pub fn iter(&self) -> impl Iterator<Item = (&Principal, &Reading)> {
        self.readings.iter()
    }

    /// Every reading, by principal, with the attributes of the principal; `None` if it does not exist or could not be read.
    pub fn iter_with_attributes(
        &self,
    ) -> impl Iterator<Item = (&Principal, &Reading, Option<&Attributes>)> {
        // Both maps have the same order, and each principal with attributes has a reading.
        let mut attributes = self.attributes.iter().peekable();
        self.readings.iter().map(move |(principal, reading)| {
            let attributes = attributes.next_if(|(it, _)| *it == principal);
            (principal, reading, attributes.map(|(_, attributes)| attributes))
        })
    }

    /// Adds the readings of `newer`, which replace existing ones. If a principal is missing in both, the name that
    /// differs only in case is kept from either.
    ///
    /// What only an existing reading shows, such as the groups of a user, is kept if the unique ID is the same. A
    /// principal that was deleted and created again is another one: nothing is known of its groups and policies.
    pub fn extend(&mut self, newer: Inventory) {
        let Inventory { readings, mut attributes, mut from_pages, mut whole, fewer_than_counted } =
            newer;
        self.fewer_than_counted.extend(fewer_than_counted);
        self.forget(|it| whole.contains(&it.kind) && !readings.contains_key(it));
        self.from_pages.retain(|principal| !readings.contains_key(principal));
        self.from_pages.append(&mut from_pages);
        self.whole.append(&mut whole);
        for (principal, mut reading) in readings {
            let known = self.readings.remove(&principal);
            if let (
                Reading::NotFound { differs_by_case },
                Some(Reading::NotFound { differs_by_case: Some(other) }),
            ) = (&mut reading, &known)
            {
                differs_by_case.get_or_insert_with(|| other.clone());
            }
            let unique_id = reading.unique_id();
            let is_same =
                unique_id.is_some() && known.as_ref().and_then(Reading::unique_id) == unique_id;
            let earlier = self.attributes.remove(&principal).filter(|_| is_same);
            let combined = match (attributes.remove(&principal), earlier) {
                (Some(newer), Some(earlier)) => Some(newer.or_from(earlier)),
                (newer, earlier) => newer.or(earlier),
            };
            if let Some(combined) = combined {
                self.attributes.insert(principal.clone(), combined);
            }
            self.readings.insert(principal, reading);
        }
    }

    /// Removes the principals for which `is_gone` is true.
    fn forget(&mut self, is_gone: impl Fn(&Principal) -> bool) {
        self.readings.retain(|principal, _| !is_gone(principal));
        self.attributes.retain(|principal, _| !is_gone(principal));
        self.from_pages.retain(|principal| !is_gone(principal));
    }
}

impl Reading {
    /// The current boundary of a principal that exists.
    pub fn boundary(&self) -> Option<Option<&PolicyArn>> {
        match self {
            Reading::Found { boundary, .. } | Reading::Unmodifiable { boundary, .. } => {
                Some(boundary.as_ref())
            }
            Reading::NotFound { .. } | Reading::Unreadable(_) => None,
        }
    }

    /// The unique ID of a principal that exists.
    pub fn unique_id(&self) -> Option<&UniqueId> {
        match self {
            Reading::Found { unique_id, .. } | Reading::Unmodifiable { unique_id, .. } => {
                Some(unique_id)
            }
            Reading::NotFound { .. } | Reading::Unreadable(_) => None,
        }
    }

    /// The error, if the caller is not allowed to read the principal.
    pub fn denied(&self) -> Option<&ApiError> {
        match self {
            Reading::Unreadable(error) if error.class == ErrorClass::Denied => Some(error),
            _ => None,
        }
    }

    /// Whether IAM has no such principal.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Reading::NotFound { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Tag;

    fn user(name: &str) -> Principal {
        Principal::user(name.parse().unwrap())
    }

    fn found(unique_id: &str) -> Reading {
        Reading::Found { unique_id: unique_id.parse().unwrap(), boundary: None }
    }

    const FIRST_ID: &str = "AIDA0000000000000001";
    const SECOND_ID: &str = "AIDA0000000000000002";

    fn on_a_page() -> Attributes {
        Attributes {
            path: Some("/data/".into()),
            tags: vec![Tag { key: "team".into(), value: "data".into() }],
            groups: Some(vec!["Data".into()]),
            is_administrator: Some(true),
            created: Some("2024-11-24T00:00:00Z".parse().unwrap()),
        }
    }

    fn read_singly() -> Attributes {
        Attributes { groups: None, is_administrator: None, tags: vec![], ..on_a_page() }
    }

    /// Alice on a page, and then what one more call returned.
    fn alice_then(reading: Reading, attributes: Option<Attributes>) -> Inventory {
        let alice = user("alice");
        let one = |it: &Principal, reading| BTreeMap::from([(it.clone(), reading)]);
        let on_page = one(&alice, found(FIRST_ID));
        let kinds = [PrincipalKind::User];
        let mut inventory = Inventory::whole(kinds, on_page, [(alice.clone(), on_a_page())].into());
        let newer = Inventory::of(one(&alice, reading));
        inventory
            .extend(newer.with_attributes(attributes.map(|it| (alice, it)).into_iter().collect()));
        inventory
    }

    #[test]
    fn a_newer_reading_of_the_same_principal_keeps_what_only_pages_show() {
        let inventory = alice_then(found(FIRST_ID), Some(read_singly()));
        let expected = Attributes { tags: vec![], ..on_a_page() };
        assert_eq!(inventory.attributes(&user("alice")), Some(&expected));
        assert!(
            !inventory.is_from_pages(&user("alice")) && inventory.is_whole(PrincipalKind::User)
        );
        let without = alice_then(found(FIRST_ID), None);
        assert_eq!(without.attributes(&user("alice")), Some(&on_a_page()));
    }

    #[test]
    fn a_principal_that_was_created_again_has_no_attributes_of_the_deleted_one() {
        let inventory = alice_then(found(SECOND_ID), Some(read_singly()));
        assert_eq!(inventory.attributes(&user("alice")), Some(&read_singly()));
        for reading in
            [found(SECOND_ID), Reading::NotFound { differs_by_case: None }, NOT_READ[0].clone()]
        {
            let inventory = alice_then(reading.clone(), None);
            assert_eq!(inventory.attributes(&user("alice")), None);
            assert_eq!(inventory.reading(&user("alice")), &reading);
        }
    }

    #[test]
    fn attributes_of_a_principal_that_does_not_exist_are_ignored() {
        let missing = BTreeMap::from([(user("bob"), Reading::NotFound { differs_by_case: None })]);
        let attributes = ["alice", "bob"].map(|name| (user(name), on_a_page()));
        let inventory = Inventory::of(missing).with_attributes(attributes.into());
        assert!(["alice", "bob"].iter().all(|name| inventory.attributes(&user(name)).is_none()));
    }

    #[test]
    fn principals_with_and_without_attributes_are_iterated_with_their_own() {
        let names = ["a", "b", "c", "d"];
        let readings = names.map(|name| (user(name), found(FIRST_ID)));
        let attributes = [("b", on_a_page()), ("d", read_singly())];
        let inventory = Inventory::of(readings.into())
            .with_attributes(attributes.map(|(name, has)| (user(name), has)).into());
        let iterated: Vec<_> = inventory.iter_with_attributes().collect();
        assert_eq!(iterated.len(), names.len());
        for (principal, reading, attributes) in iterated {
            assert_eq!(reading, inventory.reading(principal));
            assert_eq!(attributes, inventory.attributes(principal), "{principal}");
        }
    }

    #[test]
    fn a_principal_that_a_whole_inventory_does_not_have_is_missing_and_one_of_another_kind_is_not_read()
     {
        let [users, _] = PrincipalKind::ALL;
        let mut inventory = Inventory::of([(user("old"), found(FIRST_ID))].into())
            .with_attributes([(user("old"), on_a_page())].into());
        let role = Principal::role("old".parse().unwrap());
        assert!(!inventory.is_whole(users) && !inventory.reading(&user("nobody")).is_not_found());
        inventory.extend(Inventory::whole([users], BTreeMap::new(), BTreeMap::new()));
        assert!(inventory.is_whole(users) && !inventory.is_whole(PrincipalKind::Role));
        for gone in ["nobody", "old"] {
            assert!(inventory.reading(&user(gone)).is_not_found());
        }
        assert_eq!((inventory.attributes(&user("old")), inventory.iter().count()), (None, 0));
        assert_eq!(inventory.reading(&role), &NOT_READ[1]);
    }

    #[test]
    fn a_principal_that_was_not_read_is_unreadable_and_not_missing() {
        let name: PrincipalName = "alice".parse().unwrap();
        for (principal, action) in
            [(Principal::user(name.clone()), "iam:GetUser"), (Principal::role(name), "iam:GetRole")]
        {
            let reading = Inventory::default().reading(&principal).clone();
            let Reading::Unreadable(error) = reading else { panic!("{reading:?}") };
            assert_eq!((&*error.code, &*error.action), ("NotRead", action));
        }
    }
}
