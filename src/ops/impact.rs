use std::path::PathBuf;

use super::error::Error;
use super::policy_file::{PolicyFileError, policy_file};
use crate::iam::Printable;
use crate::impact::{ComparedDocuments, Named};

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
