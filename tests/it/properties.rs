//! Properties of every file, account and fault.

use crate::support::plans::context;
use iam_boundaries::ops::Selection;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use crate::support::fixture::{access, account, apply, apply_options, quick};
use crate::support::plans::{arn, header, name, read_account_plan};
use crate::support::run::{Items, carry_out_with};
use iam_boundaries::apply::{RunOptions, Summary, Verification};
use iam_boundaries::aws::{Access, Account, StopSwitch};
use iam_boundaries::config::Config;
use iam_boundaries::iam::{PolicyArn, Principal, PrincipalKind, Share};
use iam_boundaries::inventory::{ApiError, CallOutcome, Reading};
use iam_boundaries::journal::{Journal, Outcome, RunRecord};
use iam_boundaries::ops::{self, ApplyInput, ImpactScope, Making, PlanOptions, RollbackOptions};
use iam_boundaries::plan::{Overrides, Plan, ProblemKind, Supervision, Violation};
use iam_boundaries::sandbox::{Chaos, Options, Sandbox, awkward_name};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};

/// The policies in the account. The last one may have been deleted.
const POLICIES: [&str; 4] = ["Developer", "Contractor", "Auditor", "Deleted"];
const POLICY: std::ops::Range<usize> = 0..POLICIES.len();

/// A file and an account, principal by principal. Users and roles have the same names.
#[derive(Debug, Clone)]
struct World {
    users: Vec<One>,
    roles: Vec<One>,
    is_deleted: bool,
    page_size: usize,
}

/// One principal, in the account and in the file.
#[derive(Debug, Clone)]
struct One {
    /// `None` if the principal is not in the account.
    there: Option<Option<usize>>,
    /// `None` if the principal is not in the file.
    listed: Option<Option<usize>>,
    is_protected: bool,
    /// Whether AWS manages it. Users ignore it.
    is_managed: bool,
}

fn principals() -> impl Strategy<Value = One> {
    let boundary = || prop_oneof![1 => Just(None), 3 => POLICY.prop_map(Some)];
    let there = prop_oneof![1 => Just(None), 9 => boundary().prop_map(Some)];
    let listed = prop_oneof![1 => Just(None), 3 => boundary().prop_map(Some)];
    let rare = || prop::bool::weighted(0.02);
    (there, listed, rare(), rare()).prop_map(|(there, listed, is_protected, is_managed)| One {
        there,
        listed,
        is_protected,
        is_managed,
    })
}

fn worlds() -> impl Strategy<Value = World> {
    (vec(principals(), 0..30), vec(principals(), 0..20), any::<bool>(), 1..50_usize)
        .prop_filter("a file lists somebody", |(users, roles, ..)| {
            users.iter().chain(roles).any(|one| one.listed.is_some())
        })
        .prop_map(|(users, roles, is_deleted, page_size)| World {
            users,
            roles,
            is_deleted,
            page_size,
        })
}

fn policy(n: Option<usize>) -> Option<PolicyArn> {
    n.map(|n| arn(POLICIES[n]))
}

impl World {
    /// Every principal.
    fn each(&self) -> impl Iterator<Item = (Principal, &One)> {
        let named = |n: usize| name(&awkward_name(n));
        let users =
            self.users.iter().enumerate().map(move |(n, it)| (Principal::user(named(n)), it));
        let roles =
            self.roles.iter().enumerate().map(move |(n, it)| (Principal::role(named(n)), it));
        users.chain(roles)
    }

    fn file(&self) -> String {
        let mut protected = [Vec::new(), Vec::new()];
        let mut lines = [String::new(), String::new()];
        for (principal, one) in self.each() {
            let (kind, name) = (principal.kind as usize, &principal.name);
            if one.is_protected {
                protected[kind].push(name.as_str().to_uppercase());
            }
            match one.listed.map(policy) {
                None => {}
                Some(None) => lines[kind] += &format!("\"{name}\" = false\n"),
                Some(Some(policy)) => lines[kind] += &format!("\"{name}\" = \"{policy}\"\n"),
            }
        }
        let ([users, roles], [protected, protected_roles]) = (lines, protected);
        format!(
            "[guard]\nmax_changes = \"100%\"\nmax_removals = \"100%\"\nprotected = {protected:?}\n\
             protected_roles = {protected_roles:?}\n[users]\n{users}[roles]\n{roles}"
        )
    }

    fn config(&self) -> Config {
        Config::parse("boundaries.toml", &self.file()).unwrap()
    }

    async fn sandbox(&self, chaos: Option<Chaos>) -> Sandbox {
        let options = Options { page_size: self.page_size, chaos, ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        for policy in POLICIES {
            sandbox.put_policy(policy);
        }
        for (Principal { kind, name }, one) in self.each() {
            let Some(boundary) = one.there.map(policy) else { continue };
            let path = if one.is_managed { "/aws-service-role/x.amazonaws.com/" } else { "/" };
            match kind {
                PrincipalKind::User => sandbox.put_user(&name, boundary.as_ref()),
                PrincipalKind::Role => sandbox.put_role(&name, path, boundary.as_ref()),
            }
        }
        if self.is_deleted {
            sandbox.remove_policy(POLICIES[3]);
        }
        sandbox
    }

    /// The boundary of every principal. The outer `None` means that it does not exist.
    fn truth(&self, sandbox: &Sandbox) -> BTreeMap<Principal, Option<Option<String>>> {
        let boundary = |principal: Principal| {
            let boundary = sandbox.boundary(&principal);
            (principal, boundary)
        };
        self.each().map(|(principal, _)| boundary(principal)).collect()
    }
}

fn text(policy: Option<&PolicyArn>) -> Option<Option<String>> {
    Some(policy.map(|arn| arn.as_str().to_owned()))
}

async fn planned(account: &Account, config: &Config) -> Result<Plan, ApiError> {
    let listed: Vec<Principal> = config.entries().map(|(principal, _)| principal).collect();
    let live = account.inventory(&listed).await?;
    let plan = Plan::between(&context(), config, &live);
    let policies = account.policies(plan.policies()).await?;
    Ok(plan.checked_against(&policies))
}

/// The result of a run.
struct Ran {
    items: Items,
    summary: Summary,
    record: RunRecord,
}

/// Applies a plan with a journal, and checks that each change ended exactly once.
async fn carry_out(account: &Account, plan: &Plan) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let header = header(plan, account.identity());
    let journal = Journal::create(&path, &header).unwrap();
    let options = RunOptions {
        concurrency: NonZeroUsize::new(16).unwrap(),
        verify_for: Duration::from_millis(300),
    };
    let switch = StopSwitch::new();
    let (items, summary) =
        carry_out_with(account, plan, options, &switch, Some(&journal), |_| {}).await;
    journal.finish(&summary.end()).await.unwrap();
    let record = RunRecord::read(&path).unwrap();
    assert_eq!(record.end, Some(summary.end()));
    Ran { items, summary, record }
}

fn check_counts(plan: &Plan, items: &Items, summary: &Summary, record: Option<&RunRecord>) {
    let of = |class| items.values().filter(|item| item.outcome() == class).count();
    let Summary { applied, not_as_written, failed, not_attempted, .. } = *summary;
    let classes =
        [Outcome::Applied, Outcome::NotAsWritten, Outcome::Failed, Outcome::NotAttempted].map(of);
    assert_eq!(classes, [applied, not_as_written, failed, not_attempted]);
    let changed: BTreeSet<&Principal> =
        plan.changes.iter().map(|change| &change.principal).collect();
    assert_eq!(items.keys().collect::<BTreeSet<_>>(), changed);
    // Every principal that may have been written is in the journal, with the correct boundaries.
    let entries = record.map_or(&[][..], |record| &record.entries);
    for entry in entries {
        let item = &items[&entry.intent.principal];
        assert_eq!(entry.intent.boundary, item.change.boundary);
        assert_eq!(entry.outcome(), Some(item.outcome()));
    }
    for (principal, item) in items.iter() {
        let is_recorded = entries.iter().any(|entry| entry.intent.principal == *principal);
        assert!(is_recorded || item.call == CallOutcome::NotAttempted, "{principal}");
    }
}

/// A plan that only says what changes.
fn making(access: Access, out: Option<PathBuf>) -> Making {
    let (account, timeout, impact) = (None, None, ImpactScope::default());
    Making { access, account, out, timeout, impact, record_documents: false }
}

async fn without_faults(world: World) {
    let sandbox = world.sandbox(None).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("boundaries.toml"), world.file()).unwrap();
    let options = PlanOptions {
        making: making(access(&sandbox), None),
        selection: Selection::of_files(vec![path("boundaries.toml")]),
        max_changes: None,
        max_removals: None,
        blame: None,
    };
    let before = world.truth(&sandbox);
    let plan = ops::plan(&options, &mut |_| {}).await.unwrap();
    let saved = Plan::from_json(plan.to_json().as_bytes()).unwrap();
    assert_eq!(saved, plan);

    // A change of a protected principal is a violation, which rejects the whole plan.
    let violations = plan.violations(None, Supervision::Unattended, &Overrides::default());
    let is_protected =
        |it: &Principal| world.each().any(|(principal, one)| one.is_protected && principal == *it);
    let protected: Vec<&Principal> = plan
        .changes
        .iter()
        .map(|change| &change.principal)
        .filter(|principal| is_protected(principal))
        .collect();
    let refused: Vec<&Principal> = violations
        .iter()
        .map(|refusal| match refusal {
            Violation::Protected { principal, .. } => principal,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(refused, protected);
    if !violations.is_empty() {
        return;
    }

    let input = ApplyInput::Files(Selection::of_files(vec![path("boundaries.toml")]));
    let ran = apply(&apply_options(&sandbox, folder.path(), input)).await;
    check_counts(&plan, &ran.items, &ran.summary, ran.record.as_ref());
    assert_eq!(ran.preflight.plan, plan);
    assert_eq!(ran.summary.applied, plan.changes.len());
    assert!(ran.summary.is_complete());
    let after = world.truth(&sandbox);
    for (it, one) in world.each() {
        let problem = plan.problems.iter().find(|problem| problem.principal == it);
        let is_managed = one.is_managed && it.kind == PrincipalKind::Role && one.there.is_some();
        match (one.listed, problem.map(|problem| &problem.kind)) {
            (Some(_), Some(ProblemKind::Unmodifiable { .. })) => assert!(is_managed),
            (Some(_), _) if is_managed => panic!("{problem:?}"),
            (Some(boundary), None) => assert_eq!(after[&it], text(policy(boundary).as_ref())),
            (Some(_), Some(ProblemKind::NotFound { .. })) => assert_eq!(one.there, None),
            (Some(Some(3)), Some(ProblemKind::NoSuchPolicy { .. })) => assert!(world.is_deleted),
            (Some(_), Some(other)) => panic!("{other:?}"),
            (None, _) => assert_eq!(after[&it], before[&it]),
        }
        if problem.is_some() || one.is_protected {
            assert_eq!(after[&it], before[&it]);
        }
    }
    let again = ops::plan(&options, &mut |_| {}).await.unwrap();
    assert_eq!((again.changes.len(), again.problems), (0, plan.problems));

    // After the rollback, the account is exactly as before the run.
    let Some(journal) = ran.journal else { return };
    sandbox.put_policy(POLICIES[3]);
    let (access, out) = (access(&sandbox), Some(path("back.json")));
    let back = RollbackOptions { making: making(access, out), journal };
    let back = ops::rollback(&back, &mut |_| {}).await.unwrap();
    assert_eq!(back.changes.len(), plan.changes.len());
    assert_eq!(Plan::from_json(back.to_json().as_bytes()).unwrap(), back);
    let plan = Box::new(read_account_plan(&path("back.json")));
    let input = ApplyInput::Planned(plan);
    let rolled_back = apply(&apply_options(&sandbox, folder.path(), input)).await;
    assert!(rolled_back.summary.is_complete());
    assert_eq!(world.truth(&sandbox), before);
}

/// The number of changes with each outcome. It shows that the test covers the outcomes.
type Seen = Mutex<HashMap<Outcome, usize>>;

async fn in_chaos(world: World, chaos: Chaos, seen: &Seen) {
    let sandbox = world.sandbox(Some(chaos)).await;
    let account = account(&sandbox).await.reading_with(quick());
    let config = world.config();
    let before = world.truth(&sandbox);
    // If the account cannot be read, the run fails without changes.
    let Ok(plan) = planned(&account, &config).await else {
        assert_eq!(world.truth(&sandbox), before);
        return;
    };
    let ran = carry_out(&account, &plan).await;
    check_counts(&plan, &ran.items, &ran.summary, Some(&ran.record));
    let after = world.truth(&sandbox);
    for (it, before) in &before {
        let now = &after[it];
        let Some(item) = ran.items.get(it) else {
            assert_eq!(now, before, "{it} has no item");
            continue;
        };
        let (from, to) = (text(item.change.boundary.from()), text(item.change.boundary.to()));
        assert_eq!(*before, from, "{it}");
        let said = format!("{item:?}: {now:?}");
        *seen.lock().unwrap().entry(item.outcome()).or_default() += 1;
        match (item.outcome(), &item.verification) {
            (Outcome::Applied, Verification::AsWritten) => assert_eq!(*now, to, "{said}"),
            // Without verification, the response of IAM determines the outcome.
            (Outcome::Applied, _) => assert_eq!(*now, to, "{said}"),
            (
                Outcome::NotAsWritten | Outcome::Failed,
                Verification::Otherwise(Reading::Found { boundary: found, .. }),
            ) => {
                assert_eq!(*now, text(found.as_ref()), "{said}");
                assert_ne!(*now, to, "{said}");
            }
            (Outcome::NotAsWritten | Outcome::Failed, Verification::Otherwise(_)) => {
                assert_eq!(*now, None, "{said}");
            }
            (Outcome::Failed, Verification::NotNeeded) => {
                assert!(*now == from || now.is_none(), "{said}");
            }
            (Outcome::Failed, _) => assert!([&from, &to, &None].contains(&now), "{said}"),
            (Outcome::NotAttempted, _) => assert_eq!(*now, from, "{said}"),
            (Outcome::NotAsWritten, other) => panic!("{other:?}"),
        }
    }
}

fn check<S: Strategy>(cases: u32, strategy: S, property: impl AsyncFn(S::Value)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // Every run uses the same cases, so that failures are reproducible.
    let config = Runs { cases, failure_persistence: None, ..Runs::default() };
    let rng = prop::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, rng)
        .run(&strategy, |value| {
            runtime.block_on(property(value));
            Ok(())
        })
        .unwrap();
}

#[test]
fn apply_makes_the_account_match_the_file_and_changes_nobody_else_and_can_be_rolled_back() {
    check(96, worlds(), without_faults);
}

#[test]
fn with_random_faults_every_change_has_one_outcome_that_agrees_with_the_account() {
    let chaos = (any::<u64>(), 0..40_u16, 0..10_u16).prop_map(|(seed, share, stubborn)| Chaos {
        share: Share::percent(share),
        stubborn: Share::percent(stubborn),
        max_delay: Duration::from_millis(5),
        max_staleness: Duration::from_millis(50),
        ..Chaos::new(seed)
    });
    let seen = Seen::default();
    // Storms take real time.
    check(32, (worlds(), chaos), async |(world, chaos)| in_chaos(world, chaos, &seen).await);
    let seen = seen.into_inner().unwrap();
    for class in [Outcome::Applied, Outcome::Failed] {
        assert!(seen.get(&class).is_some_and(|count| *count > 3), "{seen:?}");
    }
}
