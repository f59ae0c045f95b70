//! The directories of the runs on fleets, and the marker of a run that did not finish.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::account_directory::{StateRoot, private};
use super::atomic::{OnExisting, write_atomically};
use super::error::StateError;
use crate::files::{MaxSize, read_own};
use crate::iam::{Digest, Printable, Timestamp};

/// The directory in the state directory.
pub(super) const FLEETS: &str = "fleets";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    /// The directory of the run: an absolute path.
    run: PathBuf,
}

/// The state of the fleet of one fleet file.
#[derive(Debug)]
pub struct FleetDirectory {
    path: PathBuf,
    marker: PathBuf,
}

impl StateRoot {
    /// The state of the fleet that `source` names, the path of the fleet file, or of the part of it that `scope` names.
    ///
    /// # Errors
    /// Returns a [`StateError`] if the directory cannot be created, or if another user could change its content.
    pub fn fleet(&self, source: &Printable, scope: &str) -> Result<FleetDirectory, StateError> {
        let path = private(&self.path().join(FLEETS))?;
        let absolute = std::path::absolute(&**source).unwrap_or_else(|_| PathBuf::from(&**source));
        let key = [absolute.as_os_str().as_encoded_bytes(), b"\0", scope.as_bytes()].concat();
        let digest = Digest::of(key).to_string();
        let marker = path.join(format!("unfinished-{}.json", &digest["sha256:".len()..][..16]));
        Ok(FleetDirectory { path, marker })
    }
}

impl FleetDirectory {
    /// A path for the directory of a run that begins now and applies the plan with this digest.
    pub fn run(&self, began: Timestamp, plan: Digest) -> PathBuf {
        let digits = plan.to_string();
        let stem = format!("{}-{}", began.compact(), &digits["sha256:".len()..][..8]);
        let numbered = (2..=u32::MAX).map(|n| self.path.join(format!("{stem}-{n}")));
        let is_unused = |path: &PathBuf| path.symlink_metadata().is_err();
        let first = self.path.join(&stem);
        std::iter::once(first.clone()).chain(numbered).find(is_unused).unwrap_or(first)
    }

    /// Writes the marker of a run whose directory is `run`. The marker is on disk when this returns.
    ///
    /// # Errors
    /// Returns [`StateError::Unwritable`] if the marker cannot be written.
    pub fn mark_unfinished(&self, run: &Path) -> Result<(), StateError> {
        let write = || {
            // Serialization fails for a path that is not Unicode.
            let text = serde_json::to_string(&Marker { run: run.to_owned() })?;
            write_atomically(&self.marker, &text, OnExisting::Replace)
        };
        write().map_err(|error| StateError::Unwritable { path: self.path.clone(), error })
    }

    /// Removes the marker of the run whose directory is `run`: it has finished. The marker of another run stays.
    pub fn clear_unfinished(&self, run: &Path) {
        if !matches!(self.unfinished_run(), Ok(Some(marked)) if marked == run) {
            return;
        }
        match fs::remove_file(&self.marker) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Harmless: the next run finds the end of the run in its record.
            Err(error) => {
                tracing::warn!("cannot remove {}: {error}", Printable::path(&self.marker));
            }
        }
    }

    /// The directory of the earlier run on the fleet that did not finish, if there is one. An error has the path of the
    /// marker.
    ///
    /// # Errors
    /// The marker, and the system's reason why it cannot be read.
    pub fn unfinished_run(&self) -> Result<Option<PathBuf>, (PathBuf, io::Error)> {
        match read_own(&self.marker, MaxSize::STATE) {
            Ok(text) => match serde_json::from_slice::<Marker>(&text) {
                Ok(marker) => Ok(Some(marker.run)),
                Err(error) => Err((self.marker.clone(), error.into())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err((self.marker.clone(), error)),
        }
    }
}
