use std::path::PathBuf;

use super::example::{self, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example { purpose: "Read the main page", commands: &["iam-boundaries man | man -l -"] },
    Example {
        purpose: "Install all pages",
        commands: &[
            "iam-boundaries man --out pages",
            "install -Dm644 -t ~/.local/share/man/man1 pages/*.1",
            "install -Dm644 -t ~/.local/share/man/man5 pages/*.5",
        ],
    },
];

/// Print the manual page, or write all manual pages to a directory
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct ManArgs {
    /// Write a page for each command, boundaries.toml.5 and fleet.toml.5 to this directory
    #[arg(short, long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
}
