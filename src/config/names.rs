use std::collections::BTreeMap;

use crate::iam::PolicyArn;

/// The `[boundaries]` table: short names for ARNs.
#[derive(Debug, Clone, Default)]
pub struct ShortNames {
    arns: BTreeMap<String, PolicyArn>,
    names: BTreeMap<PolicyArn, String>,
}

impl ShortNames {
    pub(super) fn insert(&mut self, name: &str, arn: PolicyArn) {
        let first = self.names.entry(arn.clone()).or_insert_with(|| name.to_owned());
        if name < first.as_str() {
            *first = name.to_owned();
        }
        self.arns.insert(name.to_owned(), arn);
    }

    /// The short name of a boundary. If it has several, the first in alphabetical order.
    pub fn name_of(&self, arn: &PolicyArn) -> Option<&str> {
        self.names.get(arn).map(String::as_str)
    }

    /// Every short name with its boundary, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PolicyArn)> {
        self.arns.iter().map(|(name, arn)| (name.as_str(), arn))
    }
}
