//! Boundaries files and fleet files: both are TOML, and can be specified in place of each other.

use std::sync::Arc;

use toml::de::DeTable;

use super::source_text::SourceText;
use super::{Diagnostic, FileErrors};

/// What a file is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Boundaries,
    Fleet,
}

/// Tables of boundaries files that fleet files do not have.
const OF_BOUNDARIES: [&str; 7] =
    ["users", "roles", "rules", "boundaries", "account", "unlisted", "missing"];
/// Tables and keys of fleet files that boundaries files do not have.
const OF_FLEET: [&str; 3] = ["accounts", "organization", "files"];

/// The error for a file that is of the other kind than it is expected to be.
pub(super) fn wrong_kind(
    source: &Arc<SourceText>,
    document: &DeTable<'_>,
    expected: FileKind,
) -> Option<FileErrors> {
    let first = |keys: &[&str]| {
        let found = document.iter().map(|(key, _)| key);
        let found = found.filter(|key| keys.contains(&key.get_ref().as_ref()));
        found.map(|key| key.span()).min_by_key(|span| span.start)
    };
    let (own, other, message, help) = match expected {
        FileKind::Boundaries => (
            first(&OF_BOUNDARIES),
            first(&OF_FLEET),
            "this is a fleet file, and not a boundaries file",
            "specify it with --fleet FILE, or specify a boundaries file",
        ),
        FileKind::Fleet => (
            first(&OF_FLEET),
            first(&OF_BOUNDARIES),
            "this is a boundaries file, and not a fleet file",
            "specify it with -f FILE, or name it in files = [...] of a fleet file",
        ),
    };
    match (own, other) {
        (None, Some(span)) => {
            FileErrors::of(vec![Diagnostic::at(source, span, message.to_owned()).help(help)])
        }
        _ => None,
    }
}
