//! `boundaries.toml`: what is written, its checks, and its mistakes with line and column.

mod check;
mod diagnostic;
mod guard;
mod import;
mod names;
mod provenance;
mod schema;
mod scope;
mod source;
mod syntax;

pub use diagnostic::{Diagnostic, FileErrors};
pub use guard::Guard;
pub use import::file_of;
pub use names::ShortNames;
pub use provenance::{Provenance, ProvenanceKind};
pub use schema::schema;

use std::collections::BTreeMap;
use std::path::Path;

use crate::iam::{
    AccountId, Digest, Partition, PolicyArn, PolicyOwner, Principal, PrincipalKind, PrincipalName,
};

/// What a file says, with no mistake in it.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file's path, as it was given.
    pub file: String,
    /// The digest of the file's bytes.
    pub digest: Digest,
    /// The account that the file is for, if it says so.
    pub account: Option<Located<AccountId>>,
    /// The short names of boundaries.
    pub names: ShortNames,
    /// The guard rails.
    pub guard: Guard,
    /// The users, with what each shall have.
    pub users: BTreeMap<PrincipalName, Listed>,
}

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1, in characters.
    pub column: usize,
}

/// A user's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The boundary to be; none means that there must be none.
    pub boundary: Option<PolicyArn>,
    /// The line of the user's name, from 1.
    pub line: usize,
    /// The column of the user's name, from 1, in characters.
    pub column: usize,
}

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// Every mistake in the file, or the one reason why it cannot be read.
    pub fn read(path: &Path) -> Result<Config, FileErrors> {
        check::check(source::Source::read(path)?)
    }

    /// Reads and checks an earlier version of a file. An empty one is that of a file that was not there
    /// yet: it lists nobody.
    ///
    /// # Errors
    /// As for [`Config::read`].
    pub fn read_earlier(path: &Path) -> Result<Config, FileErrors> {
        let source = source::Source::read(path)?;
        if !source.text.trim().is_empty() {
            return check::check(source);
        }
        Ok(Config {
            digest: Digest::of(&source.text),
            file: source.file,
            account: None,
            names: ShortNames::default(),
            guard: Guard::default(),
            users: BTreeMap::new(),
        })
    }

    /// Checks `text` as if it stood in `file`.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(file: &str, text: &str) -> Result<Config, FileErrors> {
        check::check(source::Source::new(file, text.to_owned()))
    }

    /// The listed principals, each with its entry, in order.
    pub fn entries(&self) -> impl Iterator<Item = (Principal, &Listed)> {
        self.users.iter().map(|(name, entry)| (Principal::user(name.clone()), entry))
    }

    /// The entry of `principal`, if the file lists it.
    pub fn entry(&self, principal: &Principal) -> Option<&Listed> {
        match principal.kind {
            PrincipalKind::User => self.users.get(&principal.name),
        }
    }

    fn arns(&self) -> impl Iterator<Item = &PolicyArn> {
        let of_users = self.users.values().filter_map(|listed| listed.boundary.as_ref());
        self.names.iter().map(|(_, arn)| arn).chain(of_users)
    }

    /// The partition of the file's ARNs: they all have the same.
    pub fn partition(&self) -> Option<Partition> {
        self.arns().next().map(PolicyArn::partition)
    }

    /// The account that the file's customer managed policies belong to: they all have the same.
    pub fn policy_account(&self) -> Option<AccountId> {
        self.arns().find_map(|arn| match arn.owner() {
            PolicyOwner::Account(account) => Some(account),
            PolicyOwner::Aws => None,
        })
    }
}
