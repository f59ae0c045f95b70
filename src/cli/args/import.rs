use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use super::example::{self, Example};
use super::value::positive_duration;
use crate::iam::PrincipalKind;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Write a new boundaries file",
        commands: &["iam-boundaries --profile prod import --out boundaries.toml"],
    },
    Example {
        purpose: "Also pin the content of the policies",
        commands: &["iam-boundaries import --out boundaries.toml --documents policies"],
    },
    Example {
        purpose: "Return exit code 2 if the account differs from boundaries.toml",
        commands: &["iam-boundaries --profile prod import --check"],
    },
    Example {
        purpose: "Change boundaries.toml to what the account has, and keep its comments",
        commands: &["iam-boundaries --profile prod import --update"],
    },
    Example {
        purpose: "Convert a spreadsheet with the columns name and boundary",
        commands: &["iam-boundaries import --from-csv users.csv --out boundaries.toml"],
    },
];

/// Generate a boundaries file from the account, or update one
///
/// Reads every user and role of the account with iam:GetAccountAuthorizationDetails. If that is denied, reads
/// them with iam:ListUsers, iam:GetUser, iam:ListRoles and iam:GetRole. Service-linked roles and the roles of IAM
/// Identity Center are left out, because only AWS can change them.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES), group = clap::ArgGroup::new("written").args(["out", "documents"]).multiple(true))]
pub(in crate::cli) struct ImportArgs {
    /// Write to this file instead of standard output; an existing file needs --force
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Write the documents of the boundaries' policies to this directory, and pin them in the new file
    ///
    /// Reads the default version of each policy with iam:GetPolicy and iam:GetPolicyVersion, and writes it as JSON to a
    /// file of its own. The new file names it in [boundaries], and plan then reports a policy that differs from its
    /// document. An existing file needs --force. If a document cannot be read or written, nothing is written.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["update", "check", "from_csv"])]
    pub(in crate::cli) documents: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long, requires = "written")]
    pub(in crate::cli) force: bool,
    /// Update an existing file [default: the file of -f]
    ///
    /// Changes the entries whose users and roles have another boundary in the account, and adds entries for those
    /// that have a boundary and are not listed. Everything else stays as it is: comments, order, formatting, and the
    /// entries of users and roles that the account does not have.
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with_all = ["out", "force", "check", "from_csv"])]
    update: Option<Option<PathBuf>>,
    /// Compare the account with a file, and return exit code 2 if they differ [default: the file of -f]
    ///
    /// They differ if a listed user or role has another boundary or does not exist, or if one that is not listed has
    /// a boundary. Writes nothing.
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with_all = ["out", "force", "update", "from_csv"])]
    check: Option<Option<PathBuf>>,
    /// Output format of --check
    #[arg(long, value_name = "FORMAT", default_value = "text", requires = "check", conflicts_with_all = ["out", "update", "from_csv"])]
    pub(in crate::cli) format: CheckFormat,
    /// With --check, print nothing if all is well; otherwise the report after one line for a notification
    ///
    /// All is well if the account and the file do not differ.
    #[arg(short, long, requires = "check", conflicts_with_all = ["verbose", "out", "update", "from_csv"])]
    pub(in crate::cli) quiet: bool,
    /// Convert a CSV file, without connecting to AWS; - reads standard input
    ///
    /// The first line names the columns: name and boundary, and optionally kind (user or role) and reason. A
    /// boundary is a policy ARN, or false if there must be none. With --account ID, it can also be the name of a
    /// policy of that account.
    #[arg(long, value_name = "CSV", conflicts_with_all = ["update", "check", "kind", "timeout"])]
    from_csv: Option<PathBuf>,
    /// Import only principals of this kind [default: users and roles]
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// Maximum time to read the account, such as 90s, 10m or 1h30m
    #[arg(long, value_name = "TIME", value_parser = positive_duration)]
    pub(in crate::cli) timeout: Option<Duration>,
}

/// The output formats of `import --check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
}

/// What an import does.
#[derive(Debug)]
pub(in crate::cli) enum ImportMode<'a> {
    /// Generates a file from the account.
    New,
    /// Updates a file; `None` is the file of `-f`.
    Update(Option<&'a Path>),
    /// Compares a file; `None` is the file of `-f`.
    Check(Option<&'a Path>),
    /// Converts a CSV file.
    FromCsv(&'a Path),
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
    /// What to do.
    pub(in crate::cli) fn mode(&self) -> ImportMode<'_> {
        match (&self.update, &self.check, &self.from_csv) {
            (Some(file), _, _) => ImportMode::Update(file.as_deref()),
            (_, Some(file), _) => ImportMode::Check(file.as_deref()),
            (_, _, Some(csv)) => ImportMode::FromCsv(csv),
            (None, None, None) => ImportMode::New,
        }
    }

    /// Whether the output of `--check` is text.
    pub(in crate::cli) fn is_text(&self) -> bool {
        self.format == CheckFormat::Text
    }

    /// The kinds of principals to import.
    pub(in crate::cli) fn kinds(&self) -> BTreeSet<PrincipalKind> {
        match self.kind {
            None => PrincipalKind::ALL.into(),
            Some(Kind::User) => [PrincipalKind::User].into(),
            Some(Kind::Role) => [PrincipalKind::Role].into(),
        }
    }
}
