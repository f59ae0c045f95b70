//! The module `apply` without a use case. Tests receive the events during the run and can intervene.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::time::Duration;

use iam_boundaries::apply::{Event, Item, Run, RunOptions, Summary, apply};
use iam_boundaries::aws::{Account, LimiterOptions, StopSwitch};
use iam_boundaries::iam::PrincipalName;
use iam_boundaries::journal::{Journal, Outcome};
use iam_boundaries::plan::{Plan, Preflight};

use super::fixture::quick;

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
) -> (BTreeMap<PrincipalName, Item>, Summary) {
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
) -> (BTreeMap<PrincipalName, Item>, Summary) {
    let limiter = LimiterOptions { max_in_flight: 64, expected_calls: plan.changes.len() };
    let writer = account.writer(limiter, None, quick());
    let preflight = Preflight::fresh(plan.clone());
    let mut items = BTreeMap::new();
    let take = |event: Event| {
        on(&event);
        if let Event::Ended(item) = event {
            let twice = items.insert(item.change.principal.name.clone(), item);
            assert!(twice.is_none(), "an item ended twice: {twice:?}");
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
    assert!(plan.changes.iter().all(|change| items[&change.principal.name].change == *change));
    assert_eq!(items.len(), plan.changes.len());
    let of = |outcome: Outcome| items.values().filter(|item| item.outcome() == outcome).count();
    assert_eq!(
        [summary.applied, summary.not_as_written, summary.failed, summary.not_attempted],
        [Outcome::Applied, Outcome::NotAsWritten, Outcome::Failed, Outcome::NotAttempted].map(of)
    );
    (items, summary)
}
