use std::collections::BTreeMap;

use super::{Guard, ShortNames};
use crate::iam::{
    AccountId, Digest, Partition, PolicyArn, PolicyOwner, Principal, PrincipalCounts,
    PrincipalKind, PrincipalName, Printable,
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
    /// The entries of `[roles]`, by role name.
    pub roles: BTreeMap<PrincipalName, Entry>,
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

/// An entry of `[users]` or `[roles]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The boundary that the principal must have; `None` if it must have none.
    pub boundary: Option<PolicyArn>,
    /// The line of the principal's name, from 1.
    pub line: usize,
    /// The column of the principal's name, from 1, in characters.
    pub column: usize,
}

impl Config {
    /// The listed principals, each with its entry, in order.
    pub fn entries(&self) -> impl Iterator<Item = (Principal, &Entry)> {
        PrincipalKind::ALL.into_iter().flat_map(|kind| {
            let entries = self.entries_of(kind).iter();
            entries.map(move |(name, entry)| (Principal { kind, name: name.clone() }, entry))
        })
    }

    /// The entry of `principal`, if the file lists it.
    pub fn entry(&self, principal: &Principal) -> Option<&Entry> {
        self.entries_of(principal.kind).get(&principal.name)
    }

    /// The entries of the table for principals of this kind, by name.
    pub fn entries_of(&self, kind: PrincipalKind) -> &BTreeMap<PrincipalName, Entry> {
        match kind {
            PrincipalKind::User => &self.users,
            PrincipalKind::Role => &self.roles,
        }
    }

    /// The number of listed principals.
    pub fn listed(&self) -> PrincipalCounts {
        PrincipalCounts { users: self.users.len(), roles: self.roles.len() }
    }

    fn arns(&self) -> impl Iterator<Item = &PolicyArn> {
        let entries = self.users.values().chain(self.roles.values());
        let of_entries = entries.filter_map(|entry| entry.boundary.as_ref());
        self.names.iter().map(|(_, arn)| arn).chain(of_entries)
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
