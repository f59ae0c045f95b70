//! The mark of a run that has begun and not ended. It names the run's journal, so that the next run can
//! report what was left open.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::account_directory::AccountDirectory;
use super::atomic::{OnExisting, write_atomically};
use super::error::StateError;
use crate::files::{MaxSize, read_own};
use crate::iam::Timestamp;
use crate::journal::{ReadError, RunRecord};

const NAME: &str = "unfinished.json";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    began: Timestamp,
    /// An absolute path.
    journal: PathBuf,
}

/// What is known of an earlier run that did not end.
#[derive(Debug)]
pub enum UnfinishedRun {
    /// Its journal can be read.
    Recorded {
        /// When the run began to write.
        began: Timestamp,
        /// Its journal.
        journal: PathBuf,
        /// The content of the journal.
        record: Box<RunRecord>,
    },
    /// Its journal cannot be read.
    Unrecorded {
        /// When the run began to write.
        began: Timestamp,
        /// Its journal.
        journal: PathBuf,
        /// Why the journal cannot be read.
        error: ReadError,
    },
    /// The mark cannot be read.
    Unreadable {
        /// The file with the mark.
        file: PathBuf,
        /// The system's reason; `None` if the file does not name a journal.
        error: Option<io::Error>,
    },
}

impl AccountDirectory {
    /// Marks a run as begun, in place of an earlier one. The mark is on disk when this returns.
    ///
    /// # Errors
    /// When the mark cannot be written.
    pub fn mark_unfinished(&self, began: Timestamp, journal: &Path) -> Result<(), StateError> {
        let mark = || {
            // A path that is not Unicode cannot be recorded.
            let text = serde_json::to_string(&Mark { began, journal: journal.to_owned() })?;
            write_atomically(&self.file(NAME), &text, OnExisting::Replace)
        };
        mark().map_err(|error| self.unwritable(error))
    }

    /// Removes the mark: the run has ended, or there was nothing left to do.
    pub fn clear_unfinished(&self) {
        let file = self.file(NAME);
        match fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Harmless: the next run reads a journal that has its end.
            Err(error) => tracing::warn!("cannot remove {}: {error}", file.display()),
        }
    }
}

/// The earlier run on the account that did not end, if there is one.
pub fn unfinished_run(directory: &AccountDirectory) -> Option<UnfinishedRun> {
    let file = directory.file(NAME);
    let text = match read_own(&file, MaxSize::STATE) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(UnfinishedRun::Unreadable { file, error: Some(error) }),
    };
    let Ok(Mark { began, journal }) = serde_json::from_slice(&text) else {
        return Some(UnfinishedRun::Unreadable { file, error: None });
    };
    match RunRecord::read(&journal) {
        Ok(record) if record.end.is_some() => None,
        Ok(record) => Some(UnfinishedRun::Recorded { began, journal, record: Box::new(record) }),
        Err(error) => Some(UnfinishedRun::Unrecorded { began, journal, error }),
    }
}
