use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::aws::Account;
use crate::iam::Principal;
use crate::inventory::{ApiError, ErrorClass, Inventory, Reading};
use crate::plan::{Change, Verdict};

/// The changes of a run whose last attempt has not ended. They are compared with the account again and again, because a
/// run can take minutes: a change in conflict is not sent.
pub(super) struct Pending<'a>(Mutex<BTreeMap<&'a Principal, State<'a>>>);

/// A change, and what the last check found if it is in conflict.
struct State<'a> {
    change: &'a Change,
    conflict: Option<Reading>,
}

/// The time from one check to the next. It is longer if reading takes longer than this.
const BETWEEN_CHECKS: Duration = Duration::from_secs(5);

impl<'a> Pending<'a> {
    pub(super) fn new(changes: impl Iterator<Item = &'a Change>) -> Self {
        let states = changes.map(|change| (&change.principal, State { change, conflict: None }));
        Pending(Mutex::new(states.collect()))
    }

    /// Whether the last check has found the change in conflict.
    pub(super) fn is_in_conflict(&self, change: &Change) -> bool {
        self.states().get(&change.principal).is_some_and(|state| state.conflict.is_some())
    }

    /// The last attempt of the change has ended. Returns what the last check found if it is in conflict.
    pub(super) fn end(&self, change: &Change) -> Option<Reading> {
        self.states().remove(&change.principal)?.conflict
    }

    /// Compares the changes with `account` from time to time, as long as this future is polled.
    pub(super) async fn check(&self, account: &Account) -> Infallible {
        let mut wait = BETWEEN_CHECKS;
        loop {
            tokio::time::sleep(wait).await;
            let began = Instant::now();
            match self.compare_with(account).await {
                Ok(()) => {}
                Err(error) if error.class == ErrorClass::Denied => {
                    tracing::info!("{error}; changes are not checked again during the run");
                    return std::future::pending().await;
                }
                Err(error) => {
                    tracing::warn!("{error}; changes were not checked again before they were made");
                }
            }
            wait = began.elapsed().max(BETWEEN_CHECKS);
        }
    }

    async fn compare_with(&self, account: &Account) -> Result<(), ApiError> {
        let principals: Vec<Principal> = self.states().keys().copied().cloned().collect();
        let mut live = account.inventory_by_pages(&principals).await?;
        // As in verification: some emulators of IAM leave boundaries out of the pages.
        let unconfirmed = self.new_conflicts(&live);
        match account.inventory_singly(&unconfirmed).await {
            Ok(singly) => live.extend(readable(&singly)),
            Err(error) => {
                tracing::info!("{error}; account pages decide on {} principals", unconfirmed.len());
            }
        }
        self.update(&live);
        Ok(())
    }

    /// The principals that were in no conflict at the last check.
    fn new_conflicts(&self, live: &Inventory) -> Vec<Principal> {
        let is_new = |state: &&State<'_>| {
            state.conflict.is_none()
                && matches!(Verdict::of(state.change, live), Verdict::Conflict(_))
        };
        let states = self.states();
        states.values().filter(is_new).map(|state| state.change.principal.clone()).collect()
    }

    /// A change that is already made is in no conflict: its response can be on its way. A principal that cannot be read is
    /// as the last check found it.
    fn update(&self, live: &Inventory) {
        for state in self.states().values_mut() {
            match Verdict::of(state.change, live) {
                Verdict::Conflict(Reading::Unreadable(_)) => {}
                Verdict::Conflict(found) => state.conflict = Some(found),
                Verdict::Ready | Verdict::AlreadyDone | Verdict::Blocked(_) => {
                    state.conflict = None;
                }
            }
        }
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<&'a Principal, State<'a>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The inventory without the principals that could not be read.
fn readable(inventory: &Inventory) -> Inventory {
    let is_readable =
        |(_, reading): &(&Principal, &Reading)| !matches!(reading, Reading::Unreadable(_));
    let readings = inventory.iter().filter(is_readable);
    Inventory::of(
        readings.map(|(principal, reading)| (principal.clone(), reading.clone())).collect(),
    )
}
