use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::state::{OnExisting, existing_target, write_atomically};

/// A file that a use case writes. The path is checked before the account is read, which can take minutes.
pub(super) struct OutFile {
    path: PathBuf,
    on_existing: OnExisting,
}

impl OutFile {
    /// The file at `path`, or the target if `path` is a symbolic link.
    ///
    /// # Errors
    /// If it is not a regular file, or exists and `force` is not set.
    pub(super) fn at(path: &Path, force: bool) -> Result<Self, Error> {
        let existing = existing_target(path).map_err(|error| match error.kind() {
            io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => {
                Error::NotAFile(path.to_owned())
            }
            _ => Error::Unwritable { path: path.to_owned(), error },
        })?;
        let on_existing = if force { OnExisting::Replace } else { OnExisting::Fail };
        match existing {
            Some(existing) if force => Ok(OutFile { path: existing, on_existing }),
            None if force || path.symlink_metadata().is_err() => {
                Ok(OutFile { path: path.to_owned(), on_existing })
            }
            _ => Err(Error::Exists(path.to_owned())),
        }
    }

    /// The file that is written.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file, completely or not at all.
    pub(super) fn write(&self, text: &str) -> Result<(), Error> {
        let OutFile { path, on_existing } = self;
        write_atomically(path, text, *on_existing).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists(path.clone()),
            _ => Error::Unwritable { path: path.clone(), error },
        })
    }
}
