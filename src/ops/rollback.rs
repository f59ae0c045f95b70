use std::path::PathBuf;

use super::error::Error;
use super::input::Input;
use super::plan::Making;
use super::time_limit::OnWait;
use crate::iam::Printable;
use crate::journal::RunRecord;
use crate::plan::Plan;

/// Options of [`rollback`].
#[derive(Debug, Clone)]
pub struct RollbackOptions {
    /// How the plan is made.
    pub making: Making,
    /// The journal of the run.
    pub journal: PathBuf,
}

/// Plans to restore the boundaries that a run changed. Changes nothing. `on_wait` receives long waits.
///
/// # Errors
/// If the journal cannot be used, the account cannot be read, or the plan cannot be saved.
pub async fn rollback(options: &RollbackOptions, on_wait: OnWait<'_>) -> Result<Plan, Error> {
    let RollbackOptions { making, journal } = options;
    let record = RunRecord::read(journal)
        .map_err(|source| Error::ReadJournal { path: journal.clone(), source })?;
    let path = Printable::path(journal);
    let input = Input::Journal { record: Box::new(record), path };
    making.plan(input, None, on_wait).await
}
