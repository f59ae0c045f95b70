use std::fmt;
use std::ops::{Add, AddAssign};

use super::{PrincipalKind, counted};

/// A number of users and a number of roles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrincipalCounts {
    /// The number of users.
    pub users: usize,
    /// The number of roles.
    pub roles: usize,
}

impl PrincipalCounts {
    /// Counts principals of these kinds.
    pub fn of(kinds: impl IntoIterator<Item = PrincipalKind>) -> Self {
        let mut counts = PrincipalCounts::default();
        for kind in kinds {
            counts.count(kind);
        }
        counts
    }

    /// Counts one more principal.
    pub fn count(&mut self, kind: PrincipalKind) {
        match kind {
            PrincipalKind::User => self.users += 1,
            PrincipalKind::Role => self.roles += 1,
        }
    }

    /// The number of principals of this kind.
    pub fn of_kind(self, kind: PrincipalKind) -> usize {
        match kind {
            PrincipalKind::User => self.users,
            PrincipalKind::Role => self.roles,
        }
    }

    /// The number of users and roles together.
    pub fn total(self) -> usize {
        self.users + self.roles
    }

    /// `1 user`, `2 roles` or `3 listed users and 1 listed role`: each number that is not 0 with its noun after
    /// `adjective`. `0 users` if both are.
    pub fn described(self, adjective: &str) -> String {
        let of_kind = |kind: PrincipalKind| {
            counted(self.of_kind(kind), &format!("{adjective}{}", kind.noun()))
        };
        match (self.users, self.roles) {
            (_, 0) => of_kind(PrincipalKind::User),
            (0, _) => of_kind(PrincipalKind::Role),
            _ => format!("{} and {}", of_kind(PrincipalKind::User), of_kind(PrincipalKind::Role)),
        }
    }

    /// The word for one of the principals: `user`, `role`, or `principal` if there are both.
    pub fn noun(self) -> &'static str {
        match (self.users, self.roles) {
            (_, 0) => PrincipalKind::User.noun(),
            (0, _) => PrincipalKind::Role.noun(),
            _ => "principal",
        }
    }
}

impl Add for PrincipalCounts {
    type Output = PrincipalCounts;

    fn add(self, other: Self) -> Self {
        PrincipalCounts { users: self.users + other.users, roles: self.roles + other.roles }
    }
}

impl AddAssign for PrincipalCounts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// `3 users and 2 roles`.
impl fmt::Display for PrincipalCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.described(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_name_each_kind_that_there_is() {
        let words = |users, roles| PrincipalCounts { users, roles }.to_string();
        assert_eq!(words(0, 0), "0 users");
        assert_eq!(words(1, 0), "1 user");
        assert_eq!(words(0, 1), "1 role");
        assert_eq!(words(5_000, 2), "5,000 users and 2 roles");
        let counts = PrincipalCounts::of([PrincipalKind::Role, PrincipalKind::User]);
        assert_eq!(counts.described("listed "), "1 listed user and 1 listed role");
        assert_eq!((counts.noun(), counts.total()), ("principal", 2));
    }
}
