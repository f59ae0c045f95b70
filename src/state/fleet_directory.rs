//! The directories of the runs on fleets, and the markers of runs that did not finish.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::account_directory::{StateRoot, private, unused_run_path};
use super::atomic::{OnExisting, write_atomically};
use super::content::FLEETS;
use super::error::StateError;
use super::lock::{Lock, lock};
use crate::files::{MaxSize, read_own};
use crate::iam::{Digest, Printable, Timestamp};

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
    /// What distinguishes the fleet in the names of files.
    key: String,
}

/// The marker of a run in progress. The process holds the lock of the marker, which the operating system releases when
/// the process ends, even after a crash. A marker without a lock is that of a run that did not finish.
#[derive(Debug)]
pub struct FleetMarker {
    path: PathBuf,
    _lock: File,
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
        Ok(FleetDirectory { path, key: digest["sha256:".len()..][..16].to_owned() })
    }
}

impl FleetDirectory {
    /// A path for the directory of a run that begins now and applies the plan with this digest.
    pub fn run(&self, began: Timestamp, plan: Digest) -> PathBuf {
        unused_run_path(&self.path, began, plan, "")
    }

    /// Writes the marker of a run whose directory is `run`. The marker is on disk when this returns. It replaces those
    /// of runs that did not finish. The markers of runs in progress stay.
    ///
    /// # Errors
    /// Returns [`StateError::Unwritable`] if the marker cannot be written.
    pub fn mark_unfinished(&self, run: &Path) -> Result<FleetMarker, StateError> {
        let mark = || {
            // Serialization fails for a path that is not Unicode.
            let text = serde_json::to_string(&Marker { run: run.to_owned() })?;
            let mut own = None;
            for (path, locked) in self.markers() {
                // Nothing to remove, and locking would create a file.
                if own.is_some() && path.symlink_metadata().is_err() {
                    continue;
                }
                let Lock::Acquired(file) = lock(&locked)? else { continue };
                if own.is_none() {
                    write_atomically(&path, &text, OnExisting::Replace)?;
                    own = Some(FleetMarker { path, _lock: file });
                } else {
                    remove(&path);
                }
            }
            own.ok_or_else(|| io::Error::other("too many runs on this fleet are in progress"))
        };
        mark().map_err(|error| StateError::Unwritable { path: self.path.clone(), error })
    }

    /// The directories of the earlier runs on the fleet that did not finish. Runs in progress are not among them. An
    /// error has the path of the marker, and the system's reason why it cannot be read.
    pub fn unfinished_runs(&self) -> Vec<Result<PathBuf, (PathBuf, io::Error)>> {
        let run = |(path, locked): (PathBuf, PathBuf)| {
            // A file that cannot be locked is no evidence of a run in progress.
            if path.symlink_metadata().is_ok() && matches!(lock(&locked), Ok(Lock::Held(_))) {
                return None;
            }
            match read_own(&path, MaxSize::STATE) {
                Ok(text) => match serde_json::from_slice::<Marker>(&text) {
                    Ok(marker) => Some(Ok(marker.run)),
                    Err(error) => Some(Err((path, error.into()))),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => Some(Err((path, error))),
            }
        };
        self.markers().filter_map(run).collect()
    }

    /// Removes the markers of the runs that did not finish: nothing is left to do. Those of runs in progress stay.
    pub fn clear_unfinished(&self) {
        for (path, locked) in self.markers() {
            if path.symlink_metadata().is_err() {
                continue;
            }
            if let Ok(Lock::Acquired(_lock)) = lock(&locked) {
                remove(&path);
            }
        }
    }

    /// The paths of the markers, and of the lock of each: those that runs have used, and one more. A lock file is never
    /// removed, because another process can have opened it.
    fn markers(&self) -> impl Iterator<Item = (PathBuf, PathBuf)> {
        /// The maximum number of runs on a fleet at the same time.
        const MAX_RUNS: u32 = 1_000;
        let mut is_last = false;
        let paths = |n: u32| {
            let key = if n == 1 { self.key.clone() } else { format!("{}-{n}", self.key) };
            let marker = self.path.join(format!("unfinished-{key}.json"));
            (marker, self.path.join(format!("unfinished-{key}.lock")))
        };
        (1..=MAX_RUNS).map(paths).take_while(move |(_, lock)| {
            let was_last = is_last;
            is_last = lock.symlink_metadata().is_err();
            !was_last
        })
    }
}

impl FleetMarker {
    /// Removes the marker: the run has finished.
    pub fn clear(self) {
        remove(&self.path);
    }
}

fn remove(marker: &Path) {
    match fs::remove_file(marker) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // Harmless: the next run finds the end of the run in its record.
        Err(error) => tracing::warn!("cannot remove {}: {error}", Printable::path(marker)),
    }
}
