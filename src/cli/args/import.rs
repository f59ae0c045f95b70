use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueEnum;

use super::NoFile;
use super::example::{self, Example};
use crate::iam::PrincipalKind;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Write a new boundaries file",
        commands: &["iam-boundaries --profile prod import --out boundaries.toml"],
    },
    Example {
        purpose: "Compare the account with the boundaries file",
        commands: &["iam-boundaries --profile prod import | diff boundaries.toml -"],
    },
];

/// Generate a boundaries file from the account
///
/// Reads every user and role of the account with iam:GetAccountAuthorizationDetails. If that is denied, reads
/// them with iam:ListUsers, iam:GetUser, iam:ListRoles and iam:GetRole. Service-linked roles and the roles of IAM
/// Identity Center are left out, because only AWS can change them.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct ImportArgs {
    /// Write to this file instead of standard output; an existing file needs --force
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, requires = "out")]
    pub(in crate::cli) force: bool,
    /// Import only principals of this kind [default: users and roles]
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    #[command(flatten)]
    no_file: NoFile,
}

/// The kinds of principals, as values of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// IAM users
    User,
    /// IAM roles
    Role,
}

impl ImportArgs {
    /// The kinds of principals to import.
    pub(in crate::cli) fn kinds(&self) -> BTreeSet<PrincipalKind> {
        match self.kind {
            None => PrincipalKind::ALL.into(),
            Some(Kind::User) => [PrincipalKind::User].into(),
            Some(Kind::Role) => [PrincipalKind::Role].into(),
        }
    }
}
