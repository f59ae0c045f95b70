use crate::iam::PrincipalKind;

/// A value for users and one for roles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByKind<T> {
    /// The value for users.
    pub users: T,
    /// The value for roles.
    pub roles: T,
}

impl<T> ByKind<T> {
    /// The value for principals of this kind.
    pub fn of(&self, kind: PrincipalKind) -> &T {
        match kind {
            PrincipalKind::User => &self.users,
            PrincipalKind::Role => &self.roles,
        }
    }

    /// The value for principals of this kind, to change it.
    pub fn of_mut(&mut self, kind: PrincipalKind) -> &mut T {
        match kind {
            PrincipalKind::User => &mut self.users,
            PrincipalKind::Role => &mut self.roles,
        }
    }

    /// Both values, each with its kind.
    pub fn by_kind(&self) -> [(PrincipalKind, &T); 2] {
        PrincipalKind::ALL.map(|kind| (kind, self.of(kind)))
    }
}
