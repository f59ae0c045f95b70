//! The marker file of an unfinished run. It names the run's journal, so that the next run can report the changes
//! whose outcome is unknown.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::account_directory::{AccountDirectory, StateRoot};
use super::atomic::{OnExisting, write_atomically};
use super::content::UNFINISHED;
use super::error::StateError;
use crate::files::{MaxSize, read_own};
use crate::iam::{AccountId, Printable, Timestamp};
use crate::journal::{ReadError, RunRecord};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    began: Timestamp,
    /// An absolute path.
    journal: PathBuf,
}

/// What is known about an earlier run that did not finish.
#[derive(Debug)]
pub enum UnfinishedRun {
    /// Its journal can be read.
    ReadableJournal {
        /// When the run began to write.
        began: Timestamp,
        /// Its journal.
        journal: PathBuf,
        /// The content of the journal.
        record: Box<RunRecord>,
    },
    /// Its journal cannot be read.
    UnreadableJournal {
        /// When the run began to write.
        began: Timestamp,
        /// Its journal.
        journal: PathBuf,
        /// Why the journal cannot be read.
        error: ReadError,
    },
    /// The marker cannot be read.
    UnreadableMarker {
        /// The marker file.
        file: PathBuf,
        /// The system's reason; `None` if the file does not name a journal.
        error: Option<io::Error>,
    },
}

impl UnfinishedRun {
    /// Its journal; `None` if the marker does not name it.
    pub fn journal(&self) -> Option<&Path> {
        match self {
            UnfinishedRun::ReadableJournal { journal, .. }
            | UnfinishedRun::UnreadableJournal { journal, .. } => Some(journal),
            UnfinishedRun::UnreadableMarker { .. } => None,
        }
    }
}

impl AccountDirectory {
    /// Writes the marker of a run that begins, and replaces that of an earlier run. The marker is on disk when this
    /// returns.
    ///
    /// # Errors
    /// Returns [`StateError::Unwritable`] if the marker cannot be written.
    pub fn mark_unfinished(&self, began: Timestamp, journal: &Path) -> Result<(), StateError> {
        let write = || {
            // Serialization fails for a path that is not Unicode.
            let text = serde_json::to_string(&Marker { began, journal: journal.to_owned() })?;
            write_atomically(&self.file(UNFINISHED), &text, OnExisting::Replace)
        };
        write().map_err(|error| self.unwritable(error))
    }

    /// Removes the marker: the run has finished, or there was nothing left to do.
    pub fn clear_unfinished(&self) {
        let file = self.file(UNFINISHED);
        match fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Harmless: the next run finds the end of the run in the journal.
            Err(error) => tracing::warn!("cannot remove {}: {error}", Printable::path(&file)),
        }
    }
}

impl StateRoot {
    /// Whether an earlier run on the account may not have finished. Creates nothing.
    pub fn may_be_unfinished(&self, account: AccountId) -> bool {
        self.path().join(account.as_str()).join(UNFINISHED).symlink_metadata().is_ok()
    }
}

/// The earlier run on the account that did not finish, if there is one.
pub fn unfinished_run(directory: &AccountDirectory) -> Option<UnfinishedRun> {
    let file = directory.file(UNFINISHED);
    let text = match read_own(&file, MaxSize::STATE) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(UnfinishedRun::UnreadableMarker { file, error: Some(error) }),
    };
    let Ok(Marker { began, journal }) = serde_json::from_slice(&text) else {
        return Some(UnfinishedRun::UnreadableMarker { file, error: None });
    };
    match RunRecord::read(&journal) {
        Ok(record) if record.end.is_some() => None,
        Ok(record) => {
            Some(UnfinishedRun::ReadableJournal { began, journal, record: Box::new(record) })
        }
        Err(error) => Some(UnfinishedRun::UnreadableJournal { began, journal, error }),
    }
}
