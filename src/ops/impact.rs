use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::io_reason::io_reason;
use crate::files::{self, MaxSize};
use crate::iam::Printable;
use crate::impact::{ComparedDocuments, Document, DocumentError, Named};

/// Options of [`impact`].
#[derive(Debug, Clone)]
pub struct ImpactOptions {
    /// The document of the boundary before the change; `None` for no boundary.
    pub before: Option<PathBuf>,
    /// The document of the boundary after the change; `None` for no boundary.
    pub after: Option<PathBuf>,
    /// The documents of the identity-based policies. Without one, the boundaries themselves are compared.
    pub identity: Vec<PathBuf>,
}

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

/// Compares two documents of permissions boundaries, without AWS.
///
/// # Errors
/// [`Error::PolicyFiles`] with every file that cannot be used.
pub fn impact(options: &ImpactOptions) -> Result<ComparedDocuments, Error> {
    let mut errors = Vec::new();
    let mut read = |path: &PathBuf| match policy_file(path) {
        Ok(document) => Some((Printable::path(path), document)),
        Err(reason) => {
            errors.push(PolicyFileError { path: path.clone(), reason });
            None
        }
    };
    let before = options.before.as_ref().and_then(&mut read);
    let after = options.after.as_ref().and_then(&mut read);
    let identity: Vec<Named> = options.identity.iter().filter_map(&mut read).collect();
    match errors.is_empty() {
        true => Ok(ComparedDocuments::of(before, after, identity)),
        false => Err(Error::PolicyFiles(errors)),
    }
}

/// Reads a file with a policy document.
pub(super) fn policy_file(path: &Path) -> Result<Document, PolicyFileReason> {
    let bytes = files::read_stream(path, MaxSize::POLICY).map_err(PolicyFileReason::Unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| PolicyFileReason::NotText)?;
    Document::parse(&text).map_err(PolicyFileReason::Document)
}
