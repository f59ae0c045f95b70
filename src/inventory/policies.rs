use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ApiError;
use crate::iam::{PolicyArn, Principal, Printable};

/// The policies of an account, as the pages of `GetAccountAuthorizationDetails` have them
/// ([GetAccountAuthorizationDetails](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html)).
#[derive(Debug, Clone, Default)]
pub struct AccountPolicies {
    /// The policies of users and roles.
    pub principals: BTreeMap<Principal, IdentityPolicies>,
    /// The policies of groups, by their names.
    pub groups: BTreeMap<Printable, IdentityPolicies>,
    /// The default versions of managed policies.
    pub managed: PolicyTexts,
}

/// The text of a policy document as in the response, percent-encoded (RFC 3986). Equal texts share their memory.
pub type PolicyText = Result<Arc<str>, ApiError>;

/// The documents of the default versions of managed policies.
pub type PolicyTexts = BTreeMap<PolicyArn, PolicyText>;

/// The document of a policy, with the ARN as the texts have it.
///
/// # Errors
/// Why the document is not known: a statement.
pub fn policy_text<'t>(
    texts: &'t PolicyTexts,
    arn: &PolicyArn,
) -> Result<(&'t PolicyArn, &'t str), Printable> {
    match texts.get_key_value(arn) {
        Some((arn, Ok(text))) => Ok((arn, text)),
        Some((_, Err(error))) => {
            Err(format!("cannot read policy {arn}: {}", error.without_request_id()).into())
        }
        None => Err(format!("policy {arn} was not read").into()),
    }
}

/// The identity-based policies of a user, role or group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityPolicies {
    /// Its ARN; `None` if the response has none.
    pub arn: Option<Printable>,
    /// The documents of its inline policies.
    pub inline: Vec<Arc<str>>,
    /// The managed policies that are attached to it.
    pub attached: Vec<PolicyArn>,
    /// The groups of a user.
    pub groups: Vec<Printable>,
    /// Why its policies are not known, although the response has it.
    pub unreadable: Option<Printable>,
}

impl AccountPolicies {
    /// The managed policies of these principals and of their groups whose documents are not among `managed`.
    pub fn missing_of<'a>(
        &'a self,
        principals: impl IntoIterator<Item = &'a Principal>,
    ) -> BTreeSet<&'a PolicyArn> {
        let own = principals.into_iter().filter_map(|it| self.principals.get(it));
        let with_groups = own.flat_map(|own| {
            let groups = own.groups.iter().filter_map(|group| self.groups.get(group));
            std::iter::once(own).chain(groups)
        });
        let attached = with_groups.flat_map(|policies| &policies.attached);
        attached.filter(|arn| !self.managed.contains_key(*arn)).collect()
    }
}
