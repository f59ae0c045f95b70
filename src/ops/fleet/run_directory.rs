use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::error::Error;
use super::super::fleet_error::FleetError;
use crate::files::{create_private_directory, sync_parent_directory, write_reason};
use crate::iam::{Printable, Timestamp};
use crate::journal::{
    FleetRecord, FleetRecordAccount, FleetRecordError, FleetRecordState, JournalError,
};
use crate::plan::FleetPlan;
use crate::state::{FleetMarker, OnExisting, StateRoot, write_atomically};

/// The directory of a run on a fleet: the journals of the accounts, and the record of the run.
pub(super) struct RunDirectory {
    path: PathBuf,
    marker: FleetMarker,
    record: FleetRecord,
}

/// An earlier run on a fleet that did not finish.
#[derive(Debug)]
pub enum UnfinishedFleetRun {
    /// Its record can be read.
    Known {
        /// The directory of its journals.
        directory: PathBuf,
        /// The record of the run.
        record: FleetRecord,
        /// How far the run came in each account, in the order of the record.
        states: Vec<FleetRecordState>,
    },
    /// What it left open is not known. The fields are the file or directory, and why it cannot be used.
    Unknown(Printable, Printable),
}

impl UnfinishedFleetRun {
    /// The journals of the accounts of which this says how far the run came.
    pub(super) fn journals(&self) -> Vec<PathBuf> {
        let UnfinishedFleetRun::Known { directory, record, states } = self else {
            return Vec::new();
        };
        let accounts = record.accounts.iter().zip(states);
        let begun = accounts.filter(|(_, state)| !matches!(state, FleetRecordState::NotBegun));
        begun.map(|(account, _)| directory.join(account.journal())).collect()
    }
}

impl RunDirectory {
    /// Creates the directory of a run that applies the plan in these accounts, at `path` or in the state directory. From now
    /// on, the next run on the fleet reports this one if it does not end, and no earlier one. `None` without accounts: there
    /// is nothing to change.
    ///
    /// # Errors
    /// If the directory exists, or it or the record cannot be written.
    pub(super) fn create(
        plan: &FleetPlan,
        accounts: Vec<FleetRecordAccount>,
        path: Option<&Path>,
        state: &StateRoot,
    ) -> Result<Option<RunDirectory>, Error> {
        let source = plan.source.path().clone();
        let fleet = state.fleet(&source, &scope(plan))?;
        if accounts.is_empty() {
            // An account with an unfinished change that cannot be planned has a marker of its own.
            fleet.clear_unfinished();
            return Ok(None);
        }
        let (began, digest) = (Timestamp::now()?, plan.digest());
        let path = match path {
            Some(path) => std::path::absolute(path)
                .map_err(|error| Error::JournalPath { path: path.to_owned(), error })?,
            None => fleet.run(began, digest),
        };
        let unwritable =
            |error: io::Error| JournalError::Unwritable { path: path.clone(), error: error.into() };
        if path.symlink_metadata().is_ok() {
            return Err(JournalError::Exists(path).into());
        }
        create_private_directory(&path)
            .and_then(|()| sync_parent_directory(&path))
            .map_err(unwritable)?;
        let record = FleetRecord::new(began, source, digest, accounts);
        if let Err(error) = write(&record, &path) {
            remove(&path);
            return Err(unwritable(error).into());
        }
        match fleet.mark_unfinished(&path) {
            Ok(marker) => Ok(Some(RunDirectory { path, marker, record })),
            Err(error) => {
                // The run has not begun.
                remove(&path);
                Err(error.into())
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The run is over. Returns the directory; `None` if no account has a journal. Then the directory is removed.
    pub(super) fn end(mut self) -> Option<PathBuf> {
        self.record.has_ended = true;
        for account in &mut self.record.accounts {
            let journal = self.path.join(account.journal());
            let is_absent = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
            account.has_journal = Some(!journal.symlink_metadata().is_err_and(is_absent));
        }
        if self.record.accounts.iter().all(|account| account.has_journal == Some(false)) {
            self.discard();
            return None;
        }
        if let Err(error) = write(&self.record, &self.path) {
            let file = Printable::path(&self.path.join(FleetRecord::NAME));
            tracing::warn!("cannot write {file}: {}", write_reason(&error));
        }
        self.marker.clear();
        Some(self.path)
    }

    /// Removes the directory of a run that wrote no journal.
    pub(super) fn discard(self) {
        remove(&self.path);
        self.marker.clear();
    }
}

fn write(record: &FleetRecord, directory: &Path) -> io::Result<()> {
    let file = directory.join(FleetRecord::NAME);
    write_atomically(&file, &record.to_json(), OnExisting::Replace)
}

/// Removes the directory of a run that has not begun.
fn remove(directory: &Path) {
    if let Err(error) = fs::remove_dir_all(directory) {
        tracing::warn!("cannot remove {}: {error}", Printable::path(directory));
    }
}

/// What distinguishes runs on parts of a fleet, which can be unfinished independently.
fn scope(plan: &FleetPlan) -> String {
    let mut scope = plan.shard.map(|shard| shard.to_string()).unwrap_or_default();
    if plan.part_of.is_some() {
        scope.extend(plan.accounts.iter().map(|it| format!(" {}", it.account.id)));
    }
    scope
}

/// The earlier runs on the fleet of `plan` that did not finish. Runs in progress are not among them.
///
/// # Errors
/// If the state directory cannot be used.
pub(super) fn unfinished_runs(
    plan: &FleetPlan,
    state: &StateRoot,
) -> Result<Vec<UnfinishedFleetRun>, Error> {
    let marked = state.fleet(plan.source.path(), &scope(plan))?.unfinished_runs();
    Ok(marked.into_iter().filter_map(unfinished_run).collect())
}

/// The run that a marker names; `None` if it ended.
fn unfinished_run(marked: Result<PathBuf, (PathBuf, io::Error)>) -> Option<UnfinishedFleetRun> {
    let unknown = |file: &Path, why: String| {
        Some(UnfinishedFleetRun::Unknown(Printable::path(file), Printable::new(&why)))
    };
    let directory = match marked {
        Ok(directory) => directory,
        Err((file, error)) => return unknown(&file, error.to_string()),
    };
    match FleetRecord::read(&directory) {
        Ok(record) if record.has_ended => None,
        Ok(record) => {
            let states = record.accounts.iter().map(|it| it.state(&directory)).collect();
            Some(UnfinishedFleetRun::Known { directory, record, states })
        }
        Err(error) => unknown(&directory, error.to_string()),
    }
}

/// Whether `path` is a directory: that of a run on a fleet, and not the journal of a run on an account.
pub fn is_run_directory(path: &Path) -> bool {
    path.is_dir()
}

/// The record of the run whose directory is `path`.
///
/// # Errors
/// [`FleetError::Directory`] if it is not one.
pub(super) fn read_record(path: &Path) -> Result<FleetRecord, Error> {
    FleetRecord::read(path).map_err(|error| {
        let why = match &error {
            FleetRecordError::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                format!("it is a directory without {}", FleetRecord::NAME)
            }
            other => other.to_string(),
        };
        let path = Printable::path(path);
        FleetError::Directory { path, why: Printable::new(&why) }.into()
    })
}
