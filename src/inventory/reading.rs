use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::{ApiError, ErrorClass};
use crate::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName, UniqueId, UnmodifiableRole};

/// The principals that were read, each with what IAM returned for it.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    readings: BTreeMap<Principal, Reading>,
    /// The principals whose readings come from account pages.
    from_pages: BTreeSet<Principal>,
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

impl Inventory {
    /// An inventory of these readings.
    pub fn of(readings: BTreeMap<Principal, Reading>) -> Self {
        Inventory { readings, from_pages: BTreeSet::new() }
    }

    /// An inventory of readings from the pages of `GetAccountAuthorizationDetails`.
    pub fn from_pages(readings: BTreeMap<Principal, Reading>) -> Self {
        let from_pages = readings.keys().cloned().collect();
        Inventory { readings, from_pages }
    }

    /// Whether the reading of `principal` comes from an account page, and not from a call for it only.
    pub fn is_from_pages(&self, principal: &Principal) -> bool {
        self.from_pages.contains(principal)
    }

    /// The reading of `principal`. A principal that was not read is unreadable, so nothing is planned or written
    /// for it.
    pub fn reading(&self, principal: &Principal) -> &Reading {
        self.readings.get(principal).unwrap_or_else(|| {
            let [user, role] = &*NOT_READ;
            match principal.kind {
                PrincipalKind::User => user,
                PrincipalKind::Role => role,
            }
        })
    }

    /// Every reading, by principal.
    pub fn iter(&self) -> impl Iterator<Item = (&Principal, &Reading)> {
        self.readings.iter()
    }

    /// Adds the readings of `newer`, which replace existing ones. If a principal is missing in both, the name that
    /// differs only in case is kept from either.
    pub fn extend(&mut self, newer: Inventory) {
        let Inventory { readings, mut from_pages } = newer;
        self.from_pages.retain(|principal| !readings.contains_key(principal));
        self.from_pages.append(&mut from_pages);
        for (principal, mut reading) in readings {
            let known = self.readings.remove(&principal);
            if let (
                Reading::NotFound { differs_by_case },
                Some(Reading::NotFound { differs_by_case: Some(other) }),
            ) = (&mut reading, known)
            {
                differs_by_case.get_or_insert(other);
            }
            self.readings.insert(principal, reading);
        }
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
