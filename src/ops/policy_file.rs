//! Files with policy documents.

use std::io;
use std::path::{Path, PathBuf};

use super::io_reason::io_reason;
use crate::files::{self, MaxSize};
use crate::iam::Printable;
use crate::impact::{Document, DocumentError};

/// Why a file with a policy document cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}{reason}", Printable::path(path))]
pub struct PolicyFileError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: PolicyFileReason,
}

/// What is wrong with a file with a policy document.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileReason {
    /// It cannot be read.
    #[error(": {}", io_reason(.0))]
    Unreadable(io::Error),
    /// It is not UTF-8.
    #[error(": it is not UTF-8 text")]
    NotText,
    /// It is not a policy document. The position follows the path.
    #[error(":{0}")]
    Document(DocumentError),
}

/// Reads a file with a policy document.
pub(super) fn policy_file(path: &Path) -> Result<Document, PolicyFileReason> {
    let bytes = files::read_stream(path, MaxSize::POLICY).map_err(PolicyFileReason::Unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| PolicyFileReason::NotText)?;
    // PowerShell writes a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Document::parse(text).map_err(PolicyFileReason::Document)
}
