use std::collections::HashSet;
use std::time::SystemTime;

use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, Role, RoleDetail, Tag as SdkTag, User, UserDetail,
};
use aws_smithy_types::DateTime;

use super::texts::Texts;
use crate::iam::{
    PolicyArn, PolicyOwner, PrincipalKind, Printable, Timestamp, UniqueId, UnmodifiableRole,
};
use crate::inventory::{ADMINISTRATIVE_POLICIES, ApiError, Attributes, Reading, Tag};

pub(super) const DETAILS: &str = "iam:GetAccountAuthorizationDetails";

/// What a response has about one principal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail<'a> {
    pub(super) kind: PrincipalKind,
    name: Option<&'a str>,
    unique_id: Option<&'a str>,
    path: Option<&'a str>,
    created: Option<&'a DateTime>,
    boundary: Option<&'a AttachedPermissionsBoundary>,
    tags: &'a [SdkTag],
    groups: Option<&'a [String]>,
    policies: Option<&'a [AttachedPolicy]>,
}

impl<'a> From<&'a UserDetail> for Detail<'a> {
    fn from(user: &'a UserDetail) -> Self {
        Detail {
            kind: PrincipalKind::User,
            name: user.user_name(),
            unique_id: user.user_id(),
            path: user.path(),
            created: user.create_date.as_ref(),
            boundary: user.permissions_boundary(),
            tags: user.tags(),
            groups: user.group_list.as_deref(),
            policies: user.attached_managed_policies.as_deref(),
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
            created: role.create_date.as_ref(),
            boundary: role.permissions_boundary(),
            tags: role.tags(),
            groups: Some(&[]),
            policies: role.attached_managed_policies.as_deref(),
        }
    }
}

impl<'a> From<&'a User> for Detail<'a> {
    fn from(user: &'a User) -> Self {
        Detail {
            kind: PrincipalKind::User,
            name: Some(user.user_name()),
            unique_id: Some(user.user_id()),
            path: present(user.path()),
            created: Some(&user.create_date),
            boundary: user.permissions_boundary(),
            tags: user.tags(),
            groups: None,
            policies: None,
        }
    }
}

impl<'a> From<&'a Role> for Detail<'a> {
    fn from(role: &'a Role) -> Self {
        Detail {
            kind: PrincipalKind::Role,
            name: Some(role.role_name()),
            unique_id: Some(role.role_id()),
            path: present(role.path()),
            created: Some(&role.create_date),
            boundary: role.permissions_boundary(),
            tags: role.tags(),
            groups: Some(&[]),
            policies: None,
        }
    }
}

/// A field that the SDK requires: if it is missing in the response, the SDK makes it empty.
fn present(field: &str) -> Option<&str> {
    Some(field).filter(|field| !field.is_empty())
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

    /// Whether the response says that the principal was created before this time. If it has no date, the SDK makes it
    /// the begin of 1970.
    pub(super) fn is_created_before(&self, time: SystemTime) -> bool {
        self.created().is_some_and(|created| created < time)
    }

    fn created(&self) -> Option<SystemTime> {
        let created = self.created.filter(|created| created.secs() > 0);
        created.and_then(|&created| SystemTime::try_from(created).ok())
    }

    /// The reading of the principal in a response to `action`, with its attributes if it is usable. An incomplete
    /// response is unusable: a missing ID or ARN does not mean that the principal has none.
    pub(super) fn read(
        &self,
        action: &'static str,
        texts: &Texts,
    ) -> (Reading, Option<Attributes>) {
        match self.parsed(texts) {
            Ok((reading, attributes)) => (reading, Some(attributes)),
            Err(message) => (Reading::Unreadable(ApiError::unreadable(action, &message)), None),
        }
    }

    fn parsed(&self, texts: &Texts) -> Result<(Reading, Attributes), String> {
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
        let path = self.path.ok_or_else(|| format!("the response has no path for the {noun}"))?;
        if !(path.starts_with('/') && path.ends_with('/')) {
            let what = "in the response is not valid: a path begins and ends with a slash";
            return Err(format!("the {noun}'s path {what}"));
        }
        let attributes = Attributes {
            path: Some(texts.shared(path)),
            tags: self.parsed_tags(texts)?,
            groups: self.parsed_groups(texts)?,
            is_administrator: self.is_administrator()?,
            created: self.created().and_then(|created| Timestamp::of(created).ok()),
        };
        let unmodifiable = match self.kind {
            PrincipalKind::User => None,
            PrincipalKind::Role => UnmodifiableRole::of_path(path),
        };
        let reading = match unmodifiable {
            None => Reading::Found { unique_id, boundary },
            Some(role) => Reading::Unmodifiable { unique_id, boundary, role },
        };
        Ok((reading, attributes))
    }

    /// The tags. `ResponseCheck` has checked that each has a value. Tag keys are not distinguished by case
    /// ([tags](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html)), so two of them would have no clear
    /// meaning.
    fn parsed_tags(&self, texts: &Texts) -> Result<Vec<Tag>, String> {
        let noun = self.kind.noun();
        let mut keys = HashSet::with_capacity(self.tags.len());
        let tag = |tag: &SdkTag| {
            if tag.key().is_empty() {
                return Err(format!("a tag of the {noun} in the response has no key"));
            }
            if !keys.insert(tag.key().to_lowercase()) {
                let key = Printable::exact(tag.key());
                return Err(format!(
                    "the {noun} in the response has two tags with the key {key:?}, and IAM does not distinguish \
                     keys by case"
                ));
            }
            Ok(Tag { key: texts.shared(tag.key()), value: texts.shared(tag.value()) })
        };
        self.tags.iter().map(tag).collect()
    }

    fn parsed_groups(&self, texts: &Texts) -> Result<Option<Vec<Printable>>, String> {
        let Some(groups) = self.groups else { return Ok(None) };
        if groups.iter().any(String::is_empty) {
            return Err(format!("a group of the {} in the response has no name", self.kind.noun()));
        }
        Ok(Some(groups.iter().map(|group| texts.shared(group)).collect()))
    }

    fn is_administrator(&self) -> Result<Option<bool>, String> {
        let Some(policies) = self.policies else { return Ok(None) };
        let arns: Option<Vec<&str>> = policies.iter().map(AttachedPolicy::policy_arn).collect();
        let noun = self.kind.noun();
        let arns =
            arns.ok_or_else(|| format!("a policy of the {noun} in the response has no ARN"))?;
        Ok(Some(arns.into_iter().any(is_administrative)))
    }
}

/// Whether the policy is one of [`ADMINISTRATIVE_POLICIES`], in any partition.
fn is_administrative(arn: &str) -> bool {
    arn.parse::<PolicyArn>().is_ok_and(|policy| {
        policy.owner() == PolicyOwner::Aws
            && ADMINISTRATIVE_POLICIES.iter().any(|name| arn.ends_with(&format!(":policy/{name}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_policies_of_aws_make_an_administrator_in_any_partition() {
        for arn in [
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws-cn:iam::aws:policy/IAMFullAccess",
            "arn:aws-us-gov:iam::aws:policy/AdministratorAccess",
        ] {
            assert!(is_administrative(arn), "{arn}");
        }
        for arn in [
            "arn:aws:iam::123456789012:policy/AdministratorAccess",
            "arn:aws:iam::aws:policy/job-function/AdministratorAccess",
            "arn:aws:iam::aws:policy/AdministratorAccess-Amplify",
            "arn:aws:iam::aws:policy/PowerUserAccess",
            "AdministratorAccess",
        ] {
            assert!(!is_administrative(arn), "{arn}");
        }
    }
}
