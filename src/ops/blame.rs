//! Looking up who made the changes that a plan would undo.

use std::collections::HashMap;

use super::error::Error;
use super::session::Session;
use super::time_limit::{OnWait, TimeLimit};
use crate::aws::{Trail, TrailQuery};
use crate::iam::{AccountId, Printable, Timestamp};
use crate::inventory::CallOutcome;
use crate::journal::RunRecord;
use crate::plan::{BlameSearch, OwnRun, Plan, SourceId};
use crate::state::StateRoot;

impl Session {
    /// Looks up in CloudTrail who made the changes that `plan` would undo, in the time that is left. The runs of this tool
    /// are recognized by the journals in `state`.
    ///
    /// The plan is complete without this, so a lookup that fails is part of the result.
    ///
    /// # Errors
    /// Only if the clock is not usable.
    pub(super) async fn add_blame(
        &self,
        plan: &mut Plan,
        state: &StateRoot,
        time: &mut TimeLimit,
        on_wait: OnWait<'_>,
    ) -> Result<(), Error> {
        let mut trail = self.account.trail();
        let created = self.created();
        let mut search = BlameSearch::new(plan, &created, trail.region(), Timestamp::now()?);
        let lookup = look_up(&mut trail, &mut search);
        let failure = time.within(on_wait, lookup).await.err().map(|error| reason(&error));
        let mut blame = search.finish(failure);
        if let Some(first) = blame.requests().map(|request| request.time).min() {
            let runs = own_runs(state, plan.account, first);
            blame.set_runs(|request_id| runs.get(request_id).cloned());
        }
        plan.blame = Some(blame);
        Ok(())
    }
}

async fn look_up(trail: &mut Trail, search: &mut BlameSearch) -> Result<(), Error> {
    let mut queries: HashMap<SourceId, TrailQuery> = HashMap::new();
    while let Some(id) = search.next() {
        let (action, kind) = id;
        let query = queries.entry(id).or_insert_with(|| TrailQuery::new(action, kind));
        search.add(id, trail.next_page(query).await?);
    }
    Ok(())
}

/// Why the events were not read as far as necessary. A plan contains no request IDs of its own calls.
fn reason(error: &Error) -> Printable {
    match error {
        Error::Call(error) => {
            tracing::info!("{error}");
            error.without_request_id().to_string().into()
        }
        Error::TimeLimit(_) => "the events were not read within the time limit".into(),
        other => other.to_string().into(),
    }
}

/// The days by which the clock of this machine can be behind.
const CLOCK: u32 = 1;

/// The runs of this tool on the account that were in progress at `since` or later, by the IDs of their requests.
fn own_runs(state: &StateRoot, account: AccountId, since: Timestamp) -> HashMap<String, OwnRun> {
    let mut runs = HashMap::new();
    for path in state.journals(account, since.minus_days(CLOCK)) {
        let journal = Printable::path(&path);
        let record = match RunRecord::read(&path) {
            Ok(record) if record.header.account == account => record,
            Ok(_) => continue,
            Err(error) => {
                tracing::info!("cannot use {journal}: {error}");
                continue;
            }
        };
        let run = OwnRun { began: record.header.began, journal };
        for entry in record.entries {
            let request_id = match entry.outcome {
                Some(CallOutcome::Applied { request_id, .. }) => request_id,
                Some(CallOutcome::Failed { error, .. }) => error.request_id,
                _ => None,
            };
            runs.extend(request_id.map(|id| (id.to_string(), run.clone())));
        }
    }
    runs
}
