//! The policies on account pages.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput;
use aws_sdk_iam::types::{AttachedPolicy, EntityType, ManagedPolicyDetail, PolicyDetail};

use super::detail::DETAILS;
use crate::iam::{PolicyArn, Principal, PrincipalKind, Printable};
use crate::inventory::{AccountPolicies, ApiError, IdentityPolicies, PolicyText, PolicyTexts};

/// The filters of account pages that have policies. Those of users and roles are on the pages of users and roles.
pub(super) const FILTERS: [EntityType; 3] =
    [EntityType::Group, EntityType::LocalManagedPolicy, EntityType::AwsManagedPolicy];

/// Collects the policies on the account pages that are read for another purpose.
#[derive(Debug, Default)]
pub(super) struct PolicyCollector(Mutex<Collected>);

#[derive(Debug, Default)]
struct Collected {
    policies: AccountPolicies,
    texts: HashSet<Arc<str>>,
}

impl PolicyCollector {
    /// Takes the policies on a page.
    pub(super) fn take(&self, page: &GetAccountAuthorizationDetailsOutput) {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Collected { policies, texts } = &mut *collected;
        for user in page.user_detail_list() {
            let of = identity(
                texts,
                user.arn(),
                user.user_policy_list(),
                user.attached_managed_policies(),
                user.group_list(),
            );
            insert(&mut policies.principals, PrincipalKind::User, user.user_name(), of);
        }
        for role in page.role_detail_list() {
            let of = identity(
                texts,
                role.arn(),
                role.role_policy_list(),
                role.attached_managed_policies(),
                &[],
            );
            insert(&mut policies.principals, PrincipalKind::Role, role.role_name(), of);
        }
        for group in page.group_detail_list() {
            let of = identity(
                texts,
                group.arn(),
                group.group_policy_list(),
                group.attached_managed_policies(),
                &[],
            );
            if let Some(name) = group.group_name() {
                policies.groups.insert(Printable::exact(name), of);
            }
        }
        for policy in page.policies() {
            // A policy without a valid ARN cannot be attached to a principal that this tool knows.
            if let Some(Ok(arn)) = policy.arn().map(str::parse::<PolicyArn>) {
                policies.managed.insert(arn, default_version(texts, policy));
            }
        }
    }

    /// The policies collected so far.
    pub(super) fn collected(&self) -> AccountPolicies {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).policies.clone()
    }

    /// Those of the documents collected so far that belong to these policies.
    pub(super) fn documents_of(&self, arns: &BTreeSet<PolicyArn>) -> PolicyTexts {
        let collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let managed = &collected.policies.managed;
        arns.iter().filter_map(|arn| Some((arn.clone(), managed.get(arn)?.clone()))).collect()
    }
}

fn insert(
    into: &mut BTreeMap<Principal, IdentityPolicies>,
    kind: PrincipalKind,
    name: Option<&str>,
    of: IdentityPolicies,
) {
    // A principal with an invalid name is reported by the reading of the principals.
    if let Some(Ok(name)) = name.map(str::parse) {
        into.insert(Principal { kind, name }, of);
    }
}

fn identity(
    texts: &mut HashSet<Arc<str>>,
    arn: Option<&str>,
    inline: &[PolicyDetail],
    attached: &[AttachedPolicy],
    groups: &[String],
) -> IdentityPolicies {
    let mut policies = IdentityPolicies {
        arn: arn.map(Printable::exact),
        groups: groups.iter().map(|group| Printable::exact(group)).collect(),
        ..IdentityPolicies::default()
    };
    for policy in inline {
        match policy.policy_document() {
            Some(document) => policies.inline.push(shared(texts, document)),
            None => {
                policies.unreadable =
                    Some("an inline policy in the response has no document".into())
            }
        }
    }
    for policy in attached {
        match policy.policy_arn().map(str::parse) {
            Some(Ok(arn)) => policies.attached.push(arn),
            _ => {
                let why = "an attached policy in the response has no valid ARN";
                policies.unreadable = Some(why.into());
            }
        }
    }
    policies
}

fn default_version(texts: &mut HashSet<Arc<str>>, policy: &ManagedPolicyDetail) -> PolicyText {
    let versions = policy.policy_version_list();
    let document = versions.iter().find(|it| it.is_default_version()).and_then(|it| it.document());
    let missing =
        || ApiError::unreadable(DETAILS, "the response has no default version of the policy");
    document.map(|document| shared(texts, document)).ok_or_else(missing)
}

fn shared(texts: &mut HashSet<Arc<str>>, text: &str) -> Arc<str> {
    if let Some(known) = texts.get(text) {
        return known.clone();
    }
    let new: Arc<str> = text.into();
    texts.insert(new.clone());
    new
}
