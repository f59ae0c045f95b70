//! The mark of a run that has begun and not ended: it names the run's journal, so that the next run can
//! say what was left open.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::exit::Failure;
use super::state::AccountFolder;
use crate::apply::Outcome;
use crate::iam::{PrincipalName, Timestamp};
use crate::journal::{ReadError, RunRecord};
use crate::whole_file;

const NAME: &str = "unfinished.json";
/// So many users are named; the journal names all.
const NAMED: usize = 20;

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfinished {
    /// When it began to write.
    pub(super) began: Timestamp,
    /// Its journal: an absolute path.
    pub(super) journal: PathBuf,
}

impl Unfinished {
    /// Marks this run, in place of an earlier one. The mark is on the disk when this returns.
    pub(super) fn mark(&self, folder: &AccountFolder) -> Result<(), Failure> {
        let file = folder.file(NAME);
        let mark = || {
            // A path that is no text cannot be written down.
            let text = serde_json::to_string(self)?;
            whole_file::beside(&file, &text)?.persist(&file).map_err(|error| error.error)?;
            whole_file::sync_folder_of(&file)
        };
        mark().map_err(|error: io::Error| folder.cannot_write(&error))
    }

    /// Takes the mark away: the run has ended, or there was nothing left to do.
    pub(super) fn clear(folder: &AccountFolder) {
        let file = folder.file(NAME);
        match fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Nothing is lost by it: the next run reads a journal that has its end.
            Err(error) => tracing::warn!("cannot remove {}: {error}", file.display()),
        }
    }
}

/// What the run before this one left open, for a person; none if it has ended.
pub(super) fn left_open(folder: &AccountFolder) -> Option<String> {
    let file = folder.file(NAME);
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(unknown(&format!("{} cannot be read: {error}", file.display()))),
    };
    let Ok(Unfinished { began, journal }) = serde_json::from_slice(&text) else {
        return Some(unknown(&format!("{} does not name its journal", file.display())));
    };
    let (began, path) = (began.to_the_minute(), journal.display());
    let record = match RunRecord::read(&journal) {
        Ok(record) if record.end.is_some() => return None,
        Ok(record) => record,
        Err(error) => {
            let why = match &error {
                ReadError::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                    "is gone".to_owned()
                }
                other => format!("cannot be used: {other}"),
            };
            return Some(unknown(&format!("it began on {began}, and its journal {path} {why}")));
        }
    };
    let users: Vec<&PrincipalName> = record.left_open().collect();
    let (applied, failed) = (record.count(Outcome::Applied), record.count(Outcome::Failed));
    let open = match users.len() {
        0 => "no change without recording an outcome".to_owned(),
        1 => format!("1 change without recording an outcome: {}", users[0]),
        many => format!("{many} changes without recording an outcome: {}", listed(&users)),
    };
    Some(format!(
        "The run of {began} did not end (its journal: {path}). It had begun {open}; {applied} were recorded \
         as applied, {failed} had failed. This run reads its own users afresh, and plans what is left \
         to do for them; `iam-boundaries rollback` tells of all that are in the journal."
    ))
}

fn unknown(why: &str) -> String {
    format!(
        "The run before this one did not end, and what it left open is not known: {why}. This run reads \
         its users afresh, and plans what is left to do for them."
    )
}

fn listed(users: &[&PrincipalName]) -> String {
    let names: Vec<&str> = users.iter().take(NAMED).map(|user| user.as_str()).collect();
    match users.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
