use std::collections::BTreeMap;

use super::{Guard, ShortNames};
use crate::iam::{
    AccountId, Digest, Partition, PolicyArn, PolicyOwner, Principal, PrincipalKind, PrincipalName,
    Printable,
};

/// The content of a valid file.
#[derive(Debug, Clone)]
pub struct Config {
    /// The path of the file, as it was specified.
    pub file: Printable,
    /// The SHA-256 digest of the file.
    pub digest: Digest,
    /// The account that the file is for; `None` without an `[account]` table.
    pub account: Option<Located<AccountId>>,
    /// The short names of boundaries, from `[boundaries]`.
    pub names: ShortNames,
    /// The guard rails, from `[guard]`.
    pub guard: Guard,
    /// The entries of `[users]`, by user name.
    pub users: BTreeMap<PrincipalName, Entry>,
}

/// A value, and its position in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The line of the value, from 1.
    pub line: usize,
    /// The column of the value, from 1, in characters.
    pub column: usize,
}

/// An entry of `[users]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The boundary that the user must have; `None` if the user must have none.
    pub boundary: Option<PolicyArn>,
    /// The line of the user's name, from 1.
    pub line: usize,
    /// The column of the user's name, from 1, in characters.
    pub column: usize,
}

impl Config {
    /// The listed principals, each with its entry, in order.
    pub fn entries(&self) -> impl Iterator<Item = (Principal, &Entry)> {
        self.users.iter().map(|(name, entry)| (Principal::user(name.clone()), entry))
    }

    /// The entry of `principal`, if the file lists it.
    pub fn entry(&self, principal: &Principal) -> Option<&Entry> {
        match principal.kind {
            PrincipalKind::User => self.users.get(&principal.name),
        }
    }

    fn arns(&self) -> impl Iterator<Item = &PolicyArn> {
        let of_users = self.users.values().filter_map(|entry| entry.boundary.as_ref());
        self.names.iter().map(|(_, arn)| arn).chain(of_users)
    }

    /// The partition of all ARNs in the file; `None` without an ARN.
    pub fn partition(&self) -> Option<Partition> {
        self.arns().next().map(PolicyArn::partition)
    }

    /// Whether the file can be used only in one account, which `[account]` or a customer managed policy names.
    pub fn names_account(&self) -> bool {
        self.account.is_some() || self.policy_account().is_some()
    }

    /// The account of all customer managed policies in the file; `None` without such a policy.
    pub fn policy_account(&self) -> Option<AccountId> {
        self.arns().find_map(|arn| match arn.owner() {
            PolicyOwner::Account(account) => Some(account),
            PolicyOwner::Aws => None,
        })
    }
}
