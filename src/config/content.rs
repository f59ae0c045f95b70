use std::collections::BTreeMap;

use super::by_kind::ByKind;
use super::entry::{Entry, Expiration, OnMissing, OnUnlisted, Then};
use super::position::{Located, SourceFile};
use super::{Diagnostic, Guard, Rule, ShortNames};
use crate::iam::{
    AccountId, AssumeRole, NamePattern, Partition, PolicyOwner, PolicyRef, Principal,
    PrincipalCounts, PrincipalKind, PrincipalName, Printable,
};

/// The content of a valid file, or of several files that are layered.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The files, in the order in which they are layered.
    pub files: Vec<SourceFile>,
    /// The account that the files are for; `None` without an `[account]` table.
    pub account: Option<Located<AccountId>>,
    /// The role of this account that reads and changes it, from `[account]`; `None` if the credentials do so themselves.
    pub assume_role: Option<AssumeRole>,
    /// The short names of boundaries, from `[boundaries]`.
    pub names: ShortNames,
    /// The short names that no entry and no rule uses, in the order of the files and of their texts. A user or role can
    /// still have such a boundary: then a plan shows it by this name.
    pub unused_names: Vec<Located<Printable>>,
    /// The guard rails, from `[guard]`.
    pub guard: Guard,
    /// The patterns of protected principals, from `[guard]`, with their positions.
    pub protected: ByKind<Vec<Located<NamePattern>>>,
    /// The entries of `[users]`, by user name.
    pub users: BTreeMap<PrincipalName, Entry>,
    /// The entries of `[roles]`, by role name.
    pub roles: BTreeMap<PrincipalName, Entry>,
    /// The rules for principals without an entry, from `[[rules]]`. The first one that matches decides.
    pub rules: Vec<Rule>,
    /// What a plan says about unlisted users and roles, from `[unlisted]`.
    pub unlisted: ByKind<Option<Located<OnUnlisted>>>,
    /// What a plan says about listed users and roles that do not exist, from `[missing]`.
    pub missing: ByKind<Option<OnMissing>>,
    /// What is probably not intended, in the order of the text.
    pub warnings: Vec<Diagnostic>,
}

impl Config {
    /// The listed principals, each with its entry, in order.
    pub fn entries(&self) -> impl Iterator<Item = (Principal, &Entry)> {
        PrincipalKind::ALL.into_iter().flat_map(|kind| {
            let entries = self.entries_of(kind).iter();
            entries.map(move |(name, entry)| (Principal { kind, name: name.clone() }, entry))
        })
    }

    /// The entry of `principal`, if the files list it.
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

    /// The paths of the files, as a message names them.
    pub fn path(&self) -> String {
        self.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The rules for principals of this kind, in the order in which they are tried.
    pub fn rules_of(&self, kind: PrincipalKind) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.kind == kind)
    }

    /// Whether a plan must know every principal of this kind: a rule or `[unlisted]` concerns those without an entry.
    pub fn concerns_every(&self, kind: PrincipalKind) -> bool {
        let unlisted = self.unlisted.of(kind).as_ref();
        self.rules_of(kind).next().is_some()
            || unlisted.is_some_and(|action| action.value != OnUnlisted::Ignore)
    }

    /// Every expiration.
    pub fn expirations(&self) -> impl Iterator<Item = &Expiration> {
        let entries = self.users.values().chain(self.roles.values());
        entries.filter_map(|entry| entry.expiration.as_ref())
    }

    /// Every policy that the files name.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyRef> {
        let entries = self.users.values().chain(self.roles.values());
        let of_entries = entries.flat_map(|entry| {
            let then = entry.expiration.as_ref().and_then(|expiration| match &expiration.then {
                Then::Boundary(boundary) => boundary.as_ref(),
                Then::Problem => None,
            });
            entry.boundary.iter().chain(then)
        });
        let of_names = self.names.iter().map(|(_, policy)| policy);
        of_names.chain(of_entries).chain(self.rules.iter().map(|rule| &rule.boundary))
    }

    /// The partition of all ARNs in the files; `None` without an ARN.
    pub fn partition(&self) -> Option<Partition> {
        self.policies().find_map(|policy| Some(policy.arn()?.partition()))
    }

    /// Whether the files can be used only in one account, which `[account]` or a customer managed policy names.
    pub fn names_account(&self) -> bool {
        self.account.is_some() || self.policy_account().is_some()
    }

    /// The account of all customer managed policies in the files; `None` without such a policy.
    pub fn policy_account(&self) -> Option<AccountId> {
        self.policies().find_map(|policy| match policy.arn()?.owner() {
            PolicyOwner::Account(account) => Some(account),
            PolicyOwner::Aws => None,
        })
    }
}
