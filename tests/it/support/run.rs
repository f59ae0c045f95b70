//! The module `apply` without a use case. Tests receive the events during the run and can intervene.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::{Deref, Index};
use std::sync::Mutex;
use std::time::Duration;

use iam_boundaries::apply::{Event, Item, Run, RunOptions, Summary, apply};
use iam_boundaries::aws::{Account, LimiterOptions, StopSwitch};
use iam_boundaries::iam::{Principal, PrincipalName};
use iam_boundaries::journal::{Journal, Outcome};
use iam_boundaries::plan::{Plan, Preflight};

use super::fixture::quick;

/// How each change ended. A name is that of a user.
#[derive(Debug, Default)]
pub struct Items(BTreeMap<Principal, Item>);

impl Items {
    /// Adds an item that ended. No change ends twice.
    pub fn add(&mut self, item: Item) {
        let twice = self.0.insert(item.change.principal.clone(), item);
        assert!(twice.is_none(), "a change ended twice: {twice:?}");
    }
}

impl Deref for Items {
    type Target = BTreeMap<Principal, Item>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Index<&PrincipalName> for Items {
    type Output = Item;

    fn index(&self, user: &PrincipalName) -> &Item {
        &self.0[&Principal::user(user.clone())]
    }
}

impl Index<&Principal> for Items {
    type Output = Item;

    fn index(&self, principal: &Principal) -> &Item {
        &self.0[principal]
    }
}

/// One round of verification, without waiting for consistency.
pub fn at_once(concurrency: usize) -> RunOptions {
    RunOptions { concurrency: NonZeroUsize::new(concurrency).unwrap(), verify_for: Duration::ZERO }
}

/// Applies, and checks that each change ended exactly once and that the summary agrees.
pub async fn carry_out(
    account: &Account,
    plan: &Plan,
    options: RunOptions,
    switch: &StopSwitch,
    on: impl FnMut(&Event) + Send,
) -> (Items, Summary) {
    carry_out_with(account, plan, options, switch, None, on).await
}

/// Like [`carry_out`], with a journal.
pub async fn carry_out_with(
    account: &Account,
    plan: &Plan,
    options: RunOptions,
    switch: &StopSwitch,
    journal: Option<&Journal>,
    mut on: impl FnMut(&Event) + Send,
) -> (Items, Summary) {
    let limiter = LimiterOptions { max_in_flight: 64, expected_calls: plan.changes.len() };
    let writer = account.writer(limiter, None, quick());
    let preflight = Preflight::fresh(plan.clone());
    let mut items = Items::default();
    let take = |event: Event| {
        on(&event);
        if let Event::Ended(item) = event {
            items.add(item);
        }
    };
    let take = Mutex::new(take);
    let events = |event| (take.lock().unwrap())(event);
    let run = Run {
        preflight: &preflight,
        account,
        writer: &writer,
        options,
        switch,
        journal,
        events: &events,
    };
    let summary = apply(run).await;
    assert!(plan.changes.iter().all(|change| items[&change.principal].change == *change));
    assert_eq!(items.len(), plan.changes.len());
    let of = |outcome: Outcome| items.values().filter(|item| item.outcome() == outcome).count();
    let not_attempted = summary.not_attempted + summary.conflicts;
    assert_eq!(
        [summary.applied, summary.not_as_written, summary.failed, not_attempted],
        [Outcome::Applied, Outcome::NotAsWritten, Outcome::Failed, Outcome::NotAttempted].map(of)
    );
    (items, summary)
}
