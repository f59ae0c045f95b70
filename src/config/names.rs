use std::collections::BTreeMap;

use super::PinnedDocument;
use crate::iam::{AccountId, Partition, PolicyArn, PolicyRef};

/// The `[boundaries]` table: short names for policies.
#[derive(Debug, Clone, Default)]
pub struct ShortNames {
    policies: BTreeMap<String, PolicyRef>,
    pinned: BTreeMap<String, PinnedDocument>,
}

impl ShortNames {
    pub(super) fn insert(&mut self, name: &str, policy: PolicyRef) {
        self.policies.insert(name.to_owned(), policy);
    }

    /// Pins the document of this policy.
    pub(super) fn pin(&mut self, name: &str, document: PinnedDocument) {
        self.pinned.insert(name.to_owned(), document);
    }

    /// The document that the policy with this short name must have, if the files pin it.
    pub fn pinned(&self, name: &str) -> Option<&PinnedDocument> {
        self.pinned.get(name)
    }

    /// The pinned documents of the policies in this account. A policy with several short names can have several.
    pub fn pinned_by_arn(
        &self,
        account: AccountId,
        partition: Partition,
    ) -> Vec<(PolicyArn, &PinnedDocument)> {
        let pinned = self.pinned.iter().filter_map(|(name, document)| {
            let policy = self.policies.get(name)?;
            Some((policy.in_account(account, partition), document))
        });
        pinned.collect()
    }

    /// Every short name with its policy, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PolicyRef)> {
        self.policies.iter().map(|(name, policy)| (name.as_str(), policy))
    }

    /// The policy with this short name.
    pub fn get(&self, name: &str) -> Option<&PolicyRef> {
        self.policies.get(name)
    }

    /// The short name of each policy in this account. Of several, the first in alphabetical order.
    pub fn by_arn(&self, account: AccountId, partition: Partition) -> BTreeMap<PolicyArn, &str> {
        let mut names = BTreeMap::new();
        for (name, policy) in self.iter() {
            names.entry(policy.in_account(account, partition)).or_insert(name);
        }
        names
    }
}
