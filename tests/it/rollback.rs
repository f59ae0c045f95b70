//! Rolling back a run, based on its journal and the current state of the account.

use iam_boundaries::config::SourceFile;
use std::collections::BTreeMap;

use crate::support::plans::{self, arn, principal, unreadable};
use iam_boundaries::iam::{BoundaryChange, Digest, Partition, PolicyArn};
use iam_boundaries::inventory::{
    ApiError, CallOutcome, CallerIdentity, ErrorClass, Inventory, PolicyState, Reading,
};
use iam_boundaries::journal::{Correction, Entry, Found, Header, Intent, Outcome, RunRecord};
use iam_boundaries::plan::{
    Change, Guard, Plan, PlanSource, ProblemKind, changed_principals, check_journal_scope, rollback,
};

fn identity() -> CallerIdentity {
    CallerIdentity {
        account: "123456789012".parse().unwrap(),
        partition: Partition::Aws,
        arn: "arn:aws:iam::123456789012:user/ops".into(),
    }
}

/// A plan with these changes.
fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        changes,
        names: BTreeMap::from([(arn("A"), "a".to_owned()), (arn("B"), "b".to_owned())]),
        guard: Guard { protected: vec!["root-*".parse().unwrap()], ..Guard::default() },
        ..plans::empty_plan()
    }
}

fn change(user: &str, from: Option<PolicyArn>, to: Option<PolicyArn>) -> Change {
    plans::change(user, 4, BoundaryChange::between(from.as_ref(), to.as_ref()).unwrap())
}

/// The record of a run with these changes and outcomes.
fn record(changes: Vec<(Change, Option<CallOutcome>)>) -> RunRecord {
    let plan = plan(changes.iter().map(|(change, _)| change.clone()).collect());
    let entries = (2..).zip(changes).map(|(line, (change, outcome))| Entry {
        intent: Intent::from(&change),
        line,
        outcome,
        correction: None,
    });
    RunRecord {
        header: Header { plan: Digest::of("plan"), ..plans::header(&plan, &identity()) },
        entries: entries.collect(),
        end: None,
        digest: Digest::of("journal"),
    }
}

fn applied() -> Option<CallOutcome> {
    Some(CallOutcome::Applied { attempts: 1, request_id: None })
}

fn failed(class: ErrorClass, may_be_done: bool) -> Option<CallOutcome> {
    let error = ApiError {
        action: "iam:PutUserPermissionsBoundary".into(),
        class,
        code: "Code".into(),
        message: "message".into(),
        request_id: None,
    };
    Some(CallOutcome::Failed { attempts: 1, error, may_be_done })
}

fn live<const N: usize>(users: [(&str, Reading); N]) -> Inventory {
    Inventory::of(users.into_iter().map(|(user, reading)| (principal(user), reading)).collect())
}

fn has(boundary: Option<PolicyArn>) -> Reading {
    plans::found(boundary)
}

#[test]
fn each_kind_of_change_is_rolled_back() {
    let (a, b) = (arn("A"), arn("B"));
    let record = record(vec![
        (change("zoe", None, Some(a.clone())), applied()),
        (change("bob", Some(a.clone()), Some(b.clone())), None),
        (change("eve", Some(b.clone()), None), applied()),
    ]);
    let live =
        live([("zoe", has(Some(a.clone()))), ("bob", has(Some(b.clone()))), ("eve", has(None))]);
    let plan = rollback(&record, &"run.jsonl".into(), &live);
    let changes: Vec<_> = plan
        .changes
        .iter()
        .map(|it| (it.principal.name.as_str(), it.provenance.line, it.boundary.clone()))
        .collect();
    let expected = [
        ("bob", 3, BoundaryChange::Change { from: b.clone(), to: a.clone() }),
        ("eve", 4, BoundaryChange::Add { to: b }),
        ("zoe", 2, BoundaryChange::Remove { from: a }),
    ];
    assert_eq!(changes, expected);
    let journal = SourceFile { path: "run.jsonl".into(), digest: Digest::of("journal") };
    let source = PlanSource::Rollback {
        journal,
        plan: Digest::of("plan"),
        run_ended: Some(false),
        unconfirmed: vec![principal("bob")],
    };
    assert_eq!(plan.source, source);
    assert_eq!(plan.name_of(&arn("A")), "a");
    assert_eq!(plan.guard, record.header.guard);
    assert_eq!(Plan::from_json(plan.to_json().as_bytes()), Ok(plan));
}

#[test]
fn only_users_that_are_as_the_run_left_them_are_rolled_back() {
    let set = |user| (change(user, None, Some(arn("A"))), applied());
    let record = record(["back", "as-left", "other", "gone", "unread"].map(set).into());
    let live = live([
        ("back", has(None)),
        ("as-left", has(Some(arn("A")))),
        ("other", has(Some(arn("B")))),
        ("gone", Reading::NotFound { differs_by_case: None }),
        ("unread", unreadable("no")),
    ]);
    let plan = rollback(&record, &"run.jsonl".into(), &live);
    assert_eq!(plan.changes.len(), 1);
    assert_eq!((plan.changes[0].principal.name.as_str(), plan.in_sync.users), ("as-left", 1));
    let problems: Vec<_> = plan
        .problems
        .iter()
        .map(|it| (it.principal.name.as_str(), it.provenance.line, it.kind.code(it.principal.kind)))
        .collect();
    let expected =
        [("gone", 5, "NoSuchUser"), ("other", 4, "NotAsLeft"), ("unread", 6, "AccessDenied")];
    assert_eq!(problems, expected);
    let ProblemKind::NotAsLeft { left, found } = &plan.problems[1].kind else {
        panic!("{:?}", plan.problems)
    };
    assert_eq!((left, found), (&Some(arn("A")), &Some(arn("B"))));
    assert_eq!(Plan::from_json(plan.to_json().as_bytes()), Ok(plan));
}

#[test]
fn a_change_that_was_certainly_not_made_is_not_rolled_back() {
    let with = |(n, outcome)| (change(&format!("user-{n}"), None, Some(arn("A"))), outcome);
    let may_be_done = [
        None,
        applied(),
        failed(ErrorClass::Transient, true),
        // An earlier attempt may have succeeded without a response.
        failed(ErrorClass::Denied, true),
    ];
    let Some(CallOutcome::Failed { attempts, error, .. }) = failed(ErrorClass::Throttled, false)
    else {
        panic!()
    };
    let surely_not = [
        Some(CallOutcome::NotAttempted),
        Some(CallOutcome::ThrottledUntilStop { attempts, error }),
        failed(ErrorClass::Denied, false),
    ];
    let outcomes = (0..).zip(may_be_done.iter().chain(&surely_not).cloned());
    let record = record(outcomes.map(with).collect());
    let looked_at: Vec<_> = changed_principals(&record).cloned().collect();
    let expected: Vec<_> =
        (0..may_be_done.len()).map(|n| principal(&format!("user-{n}"))).collect();
    assert_eq!(looked_at, expected);
    let live = looked_at.into_iter().map(|user| (user, has(Some(arn("A")))));
    let plan = rollback(&record, &"run.jsonl".into(), &Inventory::of(live.collect()));
    assert_eq!(plan.changes.len(), may_be_done.len());
    assert_eq!(plan.listed().total(), may_be_done.len());
}

#[test]
fn a_change_that_the_journal_does_not_confirm_is_named() {
    let corrected = |outcome, found| Some(Correction { outcome, found: Found::Boundary(found) });
    let unknown = failed(ErrorClass::Transient, true);
    let cases = [
        ("applied", applied(), None, false),
        ("found", unknown.clone(), corrected(Outcome::Applied, Some(arn("A"))), false),
        ("no-outcome", None, None, true),
        ("no-response", unknown.clone(), None, true),
        // IAM reported success, and verification found something else.
        ("replaced", applied(), corrected(Outcome::NotAsWritten, None), true),
        // These are not rolled back.
        ("not-made", unknown, corrected(Outcome::Failed, None), false),
        ("rejected", failed(ErrorClass::Denied, false), None, false),
    ];
    let set = |user: &str| change(user, None, Some(arn("A")));
    let changes = cases.iter().map(|(user, outcome, ..)| (set(user), outcome.clone()));
    let mut record = record(changes.collect());
    for (entry, (_, _, correction, _)) in record.entries.iter_mut().zip(&cases) {
        entry.correction = correction.clone();
    }
    let live = cases.iter().map(|(user, ..)| (principal(user), has(Some(arn("A")))));
    let plan = rollback(&record, &"run.jsonl".into(), &Inventory::of(live.collect()));
    let mut expected: Vec<_> =
        cases.iter().filter(|(.., named)| *named).map(|(user, ..)| principal(user)).collect();
    expected.sort();
    assert_eq!(plan.source.unconfirmed(), expected);
    assert_eq!(plan.changes.len(), 5);
    assert_eq!(Plan::from_json(plan.to_json().as_bytes()), Ok(plan));
}

#[test]
fn a_change_whose_policy_no_longer_exists_is_a_problem_and_not_named_with_the_changes() {
    let record = record(vec![
        (change("alice", Some(arn("Deleted")), Some(arn("A"))), None),
        (change("bob", None, Some(arn("A"))), None),
    ]);
    let live = live([("alice", has(Some(arn("A")))), ("bob", has(Some(arn("A"))))]);
    let plan = rollback(&record, &"run.jsonl".into(), &live);
    assert_eq!(plan.source.unconfirmed(), [principal("alice"), principal("bob")]);
    let policies = BTreeMap::from([(arn("Deleted"), PolicyState::NoSuchPolicy)]);
    let plan = plan.checked_against(&policies);
    assert_eq!(plan.problems[0].principal, principal("alice"));
    assert_eq!(plan.source.unconfirmed(), [principal("bob")]);
    assert_eq!(Plan::from_json(plan.to_json().as_bytes()), Ok(plan));
}

#[test]
fn a_change_that_verification_did_not_find_is_not_rolled_back_after_another_run_made_it() {
    let (a, b, c) = (Some(arn("A")), Some(arn("B")), Some(arn("C")));
    // What verification found, and what the user has now.
    let cases = [
        ("never-made", Found::Boundary(a.clone()), a.clone()),
        ("made-later", Found::Boundary(a.clone()), b.clone()),
        ("changed-later", Found::Boundary(a.clone()), c.clone()),
        ("other-during-the-run", Found::Boundary(c.clone()), c.clone()),
        // The unique ID shows that the user existed all the time: verification read something stale.
        ("not-found", Found::NotFound, b.clone()),
    ];
    let unknown = |user| (change(user, a.clone(), b.clone()), failed(ErrorClass::Transient, true));
    let mut record = record(cases.iter().map(|(user, ..)| unknown(*user)).collect());
    for (entry, (_, found, _)) in record.entries.iter_mut().zip(&cases) {
        let (outcome, found) = (Outcome::Failed, found.clone());
        entry.correction = Some(Correction { outcome, found });
    }
    let live = live(cases.map(|(user, _, now)| (user, has(now))));
    let plan = rollback(&record, &"run.jsonl".into(), &live);
    let changed: Vec<_> = plan.changes.iter().map(|it| it.principal.name.as_str()).collect();
    assert_eq!((changed, plan.in_sync.users), (vec!["not-found"], 2));
    let problems: Vec<_> =
        plan.problems.iter().map(|it| (it.principal.name.as_str(), it.kind.clone())).collect();
    let not_as_left = |found| ProblemKind::NotAsLeft { left: a.clone(), found };
    let expected =
        [("changed-later", not_as_left(c.clone())), ("made-later", not_as_left(b.clone()))];
    assert_eq!(problems, expected);
    assert_eq!(Plan::from_json(plan.to_json().as_bytes()), Ok(plan));
}

#[test]
fn a_journal_of_another_account_or_partition_is_refused() {
    let header = record(Vec::new()).header;
    assert_eq!(check_journal_scope(&header, &"run.jsonl".into(), &identity()), Ok(()));
    let elsewhere = CallerIdentity { account: "999999999999".parse().unwrap(), ..identity() };
    let said =
        check_journal_scope(&header, &"run.jsonl".into(), &elsewhere).unwrap_err().to_string();
    assert_eq!(
        said,
        "wrong account: the run in run.jsonl was on account 123456789012, and the credentials \
         (arn:aws:iam::123456789012:user/ops) belong to account 999999999999"
    );
    let elsewhere = CallerIdentity { partition: Partition::AwsCn, ..identity() };
    let said =
        check_journal_scope(&header, &"run.jsonl".into(), &elsewhere).unwrap_err().to_string();
    assert!(
        said.starts_with("wrong partition: the ARNs in run.jsonl are in partition aws,"),
        "{said}"
    );
}

#[test]
fn a_user_that_was_deleted_and_created_again_is_not_rolled_back() {
    let record = record(vec![(change("alice", None, Some(arn("A"))), applied())]);
    let unique_id = "AIDAZZZZZZZZZZZZZZZZZ".parse().unwrap();
    let live = live([("alice", Reading::Found { unique_id, boundary: Some(arn("A")) })]);
    let plan = rollback(&record, &"run.jsonl".into(), &live);
    assert!(plan.changes.is_empty(), "{plan:?}");
    assert!(matches!(plan.problems[0].kind, ProblemKind::Recreated { .. }), "{plan:?}");
    assert_eq!(Plan::from_json(plan.to_json().as_bytes()), Ok(plan));
}
