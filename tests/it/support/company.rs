//! Plans applied with the real SDK over a real socket, on a sandbox of a test's own.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::time::Duration;

use iam_boundaries::apply::{Event, Item, Run, RunOptions, Summary, apply};
use iam_boundaries::aws::{Account, LimiterOptions, StopSwitch};
use iam_boundaries::config::Config;
use iam_boundaries::iam::{PolicyArn, PrincipalName};
use iam_boundaries::journal::{Journal, Outcome};
use iam_boundaries::plan::{Plan, Preflight};
use iam_boundaries::sandbox::{Fault, Options, Sandbox};

use super::accounts::{account, quick, read};

pub const PUT: &str = "PutUserPermissionsBoundary";
pub const DELETE: &str = "DeleteUserPermissionsBoundary";
pub const DETAILS: &str = "GetAccountAuthorizationDetails";

/// A sandbox with users without a boundary, whom a file gives one.
pub struct Company {
    pub sandbox: Sandbox,
    pub boundary: PolicyArn,
    pub config: Config,
}

pub fn user(n: usize) -> PrincipalName {
    format!("user-{n:04}").parse().unwrap()
}

pub fn denied() -> Fault {
    Fault::error(403, "AccessDenied", "not authorized")
}

/// Users who read otherwise than written are not waited for.
pub fn at_once(concurrency: usize) -> RunOptions {
    RunOptions { concurrency: NonZeroUsize::new(concurrency).unwrap(), verify_for: Duration::ZERO }
}

impl Company {
    pub async fn of(count: usize, page_size: usize) -> Self {
        let options = Options { page_size, ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let boundary = sandbox.put_policy("Developer");
        let mut file = "[users]\n".to_owned();
        for n in 0..count {
            sandbox.put_user(&user(n), None);
            file.push_str(&format!("{} = \"{boundary}\"\n", user(n)));
        }
        let config = Config::parse("boundaries.toml", &file).unwrap();
        Company { sandbox, boundary, config }
    }

    pub async fn account(&self) -> Account {
        account(self.sandbox.endpoint_url()).await
    }

    pub async fn plan(&self, account: &Account) -> Plan {
        let snapshot = read(account, self.config.users.keys()).await.unwrap();
        Plan::between(account.identity().account, &self.config, &snapshot)
    }

    /// Plans and applies.
    pub async fn apply(&self, concurrency: usize) -> (BTreeMap<PrincipalName, Item>, Summary) {
        let account = self.account().await;
        let plan = self.plan(&account).await;
        carry_out(&account, &plan, at_once(concurrency), &StopSwitch::new(), |_| {}).await
    }

    pub fn has_boundary(&self, n: usize) -> bool {
        self.sandbox.boundary_of(&user(n)).unwrap().as_deref() == Some(self.boundary.as_str())
    }

    pub fn calls(&self, action: &str) -> u64 {
        self.sandbox.calls().get(action).copied().unwrap_or_default()
    }
}

/// Applies, and checks that each change ended exactly once, as the summary counts it.
pub async fn carry_out(
    account: &Account,
    plan: &Plan,
    options: RunOptions,
    switch: &StopSwitch,
    on: impl FnMut(&Event) + Send,
) -> (BTreeMap<PrincipalName, Item>, Summary) {
    carry_out_with(account, plan, options, switch, None, on).await
}

/// As [`carry_out`], with a journal.
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
