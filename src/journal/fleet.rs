use std::path::Path;

use serde::{Deserialize, Serialize};

use super::format::EXTENSION;
use super::read::ReadError;
use super::record::RunRecord;
use crate::config::AccountCredentials;
use crate::files::{MaxSize, read_regular};
use crate::iam::{AccountId, AccountName, Digest, Printable, Timestamp, serde_message};

/// The record of a run on a fleet, in the directory of the journals of its accounts. It is written before the first
/// change, and again at the end of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetRecord {
    format: String,
    format_version: u32,
    /// When the run began to make changes.
    pub began: Timestamp,
    /// Whether the run ended. A run that was killed did not.
    pub has_ended: bool,
    /// The fleet file, or the directory of the run that was rolled back.
    pub source: Printable,
    /// The digest of the fleet plan.
    pub plan: Digest,
    /// The accounts with changes.
    pub accounts: Vec<FleetRecordAccount>,
}

/// An account with changes in the record of a run on a fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetRecordAccount {
    /// Its name in the fleet.
    pub name: AccountName,
    /// Its ID. The journal of the account is `ID.jsonl`.
    pub account: AccountId,
    /// The credentials for it.
    pub credentials: AccountCredentials,
    /// The number of planned changes.
    pub changes: usize,
    /// Whether the account has a journal; `None` while the run has not ended.
    pub has_journal: Option<bool>,
}

/// Why a directory is not that of a run on a fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetRecordError {
    /// The record cannot be read. The field is the system's reason.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// The record is not one of a run on a fleet.
    #[error("{NAME} is not the record of a run: {0}")]
    NotUsable(String),
}

/// How far the run on an account of a fleet came, as its journal shows.
#[derive(Debug)]
pub enum FleetRecordState {
    /// The account has no journal: nothing was sent.
    NotBegun,
    /// The journal.
    Begun(Box<RunRecord>),
    /// The journal cannot be read.
    Unreadable(ReadError),
}

const FORMAT: &str = "iam-boundaries/fleet-run";
const FORMAT_VERSION: u32 = 1;
const NAME: &str = "fleet.json";

impl FleetRecord {
    /// The name of the file.
    pub const NAME: &str = NAME;

    /// The name of the journal of an account in the directory.
    pub fn journal_of(account: AccountId) -> String {
        format!("{account}.{EXTENSION}")
    }

    /// The record of a run that begins.
    pub fn new(
        began: Timestamp,
        source: Printable,
        plan: Digest,
        accounts: Vec<FleetRecordAccount>,
    ) -> FleetRecord {
        let (format, format_version) = (FORMAT.to_owned(), FORMAT_VERSION);
        FleetRecord { format, format_version, began, has_ended: false, source, plan, accounts }
    }

    /// Reads the record in `directory`.
    ///
    /// # Errors
    /// [`FleetRecordError`] if it cannot be read, or is not a record of this version.
    pub fn read(directory: &Path) -> Result<FleetRecord, FleetRecordError> {
        let text = read_regular(&directory.join(NAME), MaxSize::RECORD)?;
        let record: FleetRecord = serde_json::from_slice(&text)
            .map_err(|error| FleetRecordError::NotUsable(serde_message(&error)))?;
        if record.format != FORMAT || record.format_version != FORMAT_VERSION {
            let found =
                format!("its format is {} version {}", record.format, record.format_version);
            return Err(FleetRecordError::NotUsable(found));
        }
        Ok(record)
    }

    /// The record as text.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("strings and numbers serialize to JSON") + "\n"
    }
}

impl FleetRecordAccount {
    /// `payments-prod (111111111111)`.
    pub fn label(&self) -> String {
        format!("{} ({})", self.name, self.account)
    }

    /// The name of its journal in the directory.
    pub fn journal(&self) -> String {
        FleetRecord::journal_of(self.account)
    }

    /// How far the run on the account came. A journal that existed at the end of the run and does not exist is unreadable.
    pub fn state(&self, directory: &Path) -> FleetRecordState {
        match RunRecord::read(&directory.join(self.journal())) {
            Ok(record) => FleetRecordState::Begun(Box::new(record)),
            Err(ReadError::Unreadable(error))
                if error.kind() == std::io::ErrorKind::NotFound
                    && self.has_journal != Some(true) =>
            {
                FleetRecordState::NotBegun
            }
            Err(error) => FleetRecordState::Unreadable(error),
        }
    }
}
