use std::path::{Path, PathBuf};

use super::Format;
use super::example::{self, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Compare a boundary with its earlier version, in a pull request that edits it",
        commands: &[
            "git show origin/main:developer.json > old.json",
            "iam-boundaries impact old.json developer.json --format markdown",
        ],
    },
    Example {
        purpose: "Return exit code 2 if the new version of a boundary can allow more",
        commands: &["iam-boundaries impact old.json new.json --detailed-exitcode"],
    },
    Example {
        purpose: "Show what a boundary takes from users with a policy",
        commands: &["iam-boundaries impact - developer.json --identity power-user.json"],
    },
];

/// Show what a change of a boundary's policy document gives and takes
///
/// Compares two policy documents for every action of the AWS services, without connecting to AWS. An action is allowed
/// on every resource and unconditionally (full), on some resources or under conditions (limited), or not at all (none).
/// Other policies, such as service control policies and resource-based policies, are not considered.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct ImpactArgs {
    /// Policy document of the boundary before the change; - for no boundary
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Policy document of the boundary after the change; - for no boundary
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Identity-based policy of the principal; repeat the option for several
    ///
    /// Without this option, the principal is allowed everything, so that the boundaries themselves are compared.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) identity: Vec<PathBuf>,
    /// Output format
    #[arg(long, default_value = "text")]
    pub(in crate::cli) format: Format,
    /// Return exit code 2 if the change can allow requests that were denied before
    #[arg(long)]
    pub(in crate::cli) detailed_exitcode: bool,
}

impl ImpactArgs {
    /// The boundary before the change.
    pub(in crate::cli) fn before(&self) -> Option<PathBuf> {
        boundary(&self.old)
    }

    /// The boundary after the change.
    pub(in crate::cli) fn after(&self) -> Option<PathBuf> {
        boundary(&self.new)
    }
}

fn boundary(path: &Path) -> Option<PathBuf> {
    (path.as_os_str() != "-").then(|| path.to_owned())
}
