use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use super::plan::Making;
use super::session::{ImpactScope, Input};
use super::time_limit::OnWait;
use crate::aws::Access;
use crate::iam::{AccountId, Printable};
use crate::journal::RunRecord;
use crate::plan::Plan;

/// Options of [`rollback`].
#[derive(Debug, Clone)]
pub struct RollbackOptions {
    /// The credentials and the endpoint.
    pub access: Access,
    /// The only account that the credentials may belong to; `None` for any.
    pub account: Option<AccountId>,
    /// The journal of the run.
    pub journal: PathBuf,
    /// Where to save the plan.
    pub out: Option<PathBuf>,
    /// The time limit for reading the account.
    pub timeout: Option<Duration>,
    /// What to say about what the changes give and take.
    pub impact: ImpactScope,
    /// Whether the plan records the documents of the policies that it sets, as a plan that is saved does.
    pub record_documents: bool,
}

/// Plans to restore the boundaries that a run changed. Changes nothing. `on_wait` receives long waits.
///
/// # Errors
/// If the journal cannot be used, the account cannot be read, or the plan cannot be saved.
pub async fn rollback(options: &RollbackOptions, on_wait: OnWait<'_>) -> Result<Plan, Error> {
    let RollbackOptions { access, account, journal, out, timeout, impact, record_documents } =
        options;
    let record = RunRecord::read(journal)
        .map_err(|source| Error::ReadJournal { path: journal.clone(), source })?;
    let path = Printable::path(journal);
    let input = Input::Journal { record: Box::new(record), path };
    let making = Making {
        access,
        account: *account,
        timeout: *timeout,
        out: out.as_ref(),
        impact: *impact,
        record_documents: *record_documents,
    };
    making.plan(input, on_wait).await
}
