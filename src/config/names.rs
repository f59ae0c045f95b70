use std::collections::BTreeMap;

use crate::iam::{AccountId, Partition, PolicyArn, PolicyRef};

/// The `[boundaries]` table: short names for policies.
#[derive(Debug, Clone, Default)]
pub struct ShortNames {
    policies: BTreeMap<String, PolicyRef>,
}

impl ShortNames {
    pub(super) fn insert(&mut self, name: &str, policy: PolicyRef) {
        self.policies.insert(name.to_owned(), policy);
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
