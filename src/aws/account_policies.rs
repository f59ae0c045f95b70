//! The policies of an account: those on account pages, and managed policies that are on no page.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput;
use aws_sdk_iam::types::{AttachedPolicy, EntityType, ManagedPolicyDetail, PolicyDetail};

use super::call_executor::CallExecutor;
use super::error::CallFailure;
use super::pages::DETAILS;
use super::policies::POLICY;
use super::reader::{MAX_READS_IN_FLIGHT, Reader, concurrently};
use crate::iam::{PolicyArn, Principal, PrincipalKind, Printable};
use crate::inventory::{AccountPolicies, ApiError, ErrorClass, IdentityPolicies, PolicyText};

const VERSION: &str = "iam:GetPolicyVersion";

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
                user.user_policy_list(),
                user.attached_managed_policies(),
                user.group_list(),
            );
            insert(&mut policies.principals, PrincipalKind::User, user.user_name(), of);
        }
        for role in page.role_detail_list() {
            let of =
                identity(texts, role.role_policy_list(), role.attached_managed_policies(), &[]);
            insert(&mut policies.principals, PrincipalKind::Role, role.role_name(), of);
        }
        for group in page.group_detail_list() {
            let of =
                identity(texts, group.group_policy_list(), group.attached_managed_policies(), &[]);
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

    /// Notes that the last page was read.
    pub(super) fn complete(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).policies.is_complete = true;
    }

    /// The policies collected so far.
    pub(super) fn collected(&self) -> AccountPolicies {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).policies.clone()
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
    inline: &[PolicyDetail],
    attached: &[AttachedPolicy],
    groups: &[String],
) -> IdentityPolicies {
    let mut policies = IdentityPolicies {
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

impl Reader {
    /// The documents of the default versions of managed policies, with two calls each.
    ///
    /// # Errors
    /// Only errors that concern every call. A single policy that cannot be read is an error in the result.
    pub(super) async fn documents(
        &self,
        arns: &BTreeSet<&PolicyArn>,
    ) -> Result<BTreeMap<PolicyArn, PolicyText>, ApiError> {
        let [policies, versions] =
            &[POLICY, VERSION].map(|action| self.executor(action, MAX_READS_IN_FLIGHT, arns.len()));
        let documents = arns.iter().map(|&arn| async move {
            match self.document(policies, versions, arn).await {
                Err(error) if error.class == ErrorClass::Credentials => Err(error),
                read => Ok((arn.clone(), read)),
            }
        });
        concurrently(documents).await
    }

    async fn document(
        &self,
        policies: &CallExecutor,
        versions: &CallExecutor,
        arn: &PolicyArn,
    ) -> PolicyText {
        let get = || async {
            let sent = self.iam.get_policy().policy_arn(arn.as_str()).send().await;
            sent.map_err(|error| CallFailure::from_sdk(POLICY, error))
        };
        let policy = self.call(policies, get).await?;
        let policy = policy.policy().filter(|policy| policy.arn() == Some(arn.as_str()));
        let id = policy.and_then(|policy| policy.default_version_id()).ok_or_else(|| {
            ApiError::unreadable(POLICY, "the response has no default version of the policy")
        })?;
        let get = || async {
            let request = self.iam.get_policy_version().policy_arn(arn.as_str()).version_id(id);
            request.send().await.map_err(|error| CallFailure::from_sdk(VERSION, error))
        };
        let response = self.call(versions, get).await?;
        let version = response.policy_version().filter(|it| it.version_id() == Some(id));
        let document = version.and_then(|version| version.document());
        document.map(Arc::from).ok_or_else(|| {
            ApiError::unreadable(VERSION, "the response has no document of the requested version")
        })
    }
}
