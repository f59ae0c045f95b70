use aws_sdk_iam::types::{AttachedPermissionsBoundary, Role, RoleDetail, User, UserDetail};

use crate::iam::{PolicyArn, PrincipalKind, UniqueId, UnmodifiableRole};
use crate::inventory::{ApiError, Reading};

/// What a response has about one principal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail<'a> {
    pub(super) kind: PrincipalKind,
    name: Option<&'a str>,
    unique_id: Option<&'a str>,
    path: Option<&'a str>,
    boundary: Option<&'a AttachedPermissionsBoundary>,
}

impl<'a> From<&'a UserDetail> for Detail<'a> {
    fn from(user: &'a UserDetail) -> Self {
        Detail {
            kind: PrincipalKind::User,
            name: user.user_name(),
            unique_id: user.user_id(),
            path: user.path(),
            boundary: user.permissions_boundary(),
        }
    }
}

impl<'a> From<&'a RoleDetail> for Detail<'a> {
    fn from(role: &'a RoleDetail) -> Self {
        Detail {
            kind: PrincipalKind::Role,
            name: role.role_name(),
            unique_id: role.role_id(),
            path: role.path(),
            boundary: role.permissions_boundary(),
        }
    }
}

impl<'a> From<&'a User> for Detail<'a> {
    fn from(user: &'a User) -> Self {
        Detail {
            kind: PrincipalKind::User,
            name: Some(user.user_name()),
            unique_id: Some(user.user_id()),
            path: Some(user.path()),
            boundary: user.permissions_boundary(),
        }
    }
}

impl<'a> From<&'a Role> for Detail<'a> {
    fn from(role: &'a Role) -> Self {
        Detail {
            kind: PrincipalKind::Role,
            name: Some(role.role_name()),
            unique_id: Some(role.role_id()),
            path: Some(role.path()),
            boundary: role.permissions_boundary(),
        }
    }
}

impl<'a> Detail<'a> {
    /// The name, if the response has one.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// The name in a response to `action`.
    ///
    /// # Errors
    /// If the response has none. Then it may have any principal.
    pub(super) fn required_name(&self, action: &'static str) -> Result<&'a str, ApiError> {
        self.name.ok_or_else(|| {
            let message = format!("a {} in the response has no name", self.kind.noun());
            ApiError::unreadable(action, &message)
        })
    }

    /// What makes the principal unmodifiable.
    ///
    /// # Errors
    /// If the response does not say it.
    pub(super) fn unmodifiable(&self) -> Result<Option<UnmodifiableRole>, String> {
        match (self.kind, self.path) {
            (PrincipalKind::User, _) => Ok(None),
            (PrincipalKind::Role, Some(path)) => Ok(UnmodifiableRole::of_path(path)),
            (PrincipalKind::Role, None) => Err("the response has no path for the role".to_owned()),
        }
    }

    /// The reading of the principal in a response to `action`. An incomplete response is unusable: a missing ID or
    /// ARN does not mean that the principal has none.
    pub(super) fn reading(&self, action: &'static str) -> Reading {
        self.parsed()
            .unwrap_or_else(|message| Reading::Unreadable(ApiError::unreadable(action, &message)))
    }

    fn parsed(&self) -> Result<Reading, String> {
        let noun = self.kind.noun();
        let unique_id: UniqueId = self
            .unique_id
            .ok_or_else(|| format!("the response has no unique ID for the {noun}"))?
            .parse()
            .map_err(|error| {
                format!("the {noun}'s unique ID in the response is not valid: {error}")
            })?;
        let boundary: Option<PolicyArn> = match self.boundary {
            None => None,
            Some(attached) => {
                let arn = attached
                    .permissions_boundary_arn()
                    .ok_or("the boundary in the response has no ARN")?;
                Some(arn.parse().map_err(|error| {
                    format!("the boundary's ARN in the response is not valid: {error}")
                })?)
            }
        };
        Ok(match self.unmodifiable()? {
            None => Reading::Found { unique_id, boundary },
            Some(role) => Reading::Unmodifiable { unique_id, boundary, role },
        })
    }
}
