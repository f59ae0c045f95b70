//! Runs that take so long that principals change before their changes are made: they are checked again every few seconds.

use std::time::{Duration, Instant};

use crate::support::Ran;
use crate::support::fixture::{DETAILS, Fixture, PUT, denied, user};
use crate::support::fleet::until;
use crate::support::plans::arn;
use crate::support::run::{Items, at_once, carry_out};
use iam_boundaries::apply::{Event, Summary, Verification};
use iam_boundaries::aws::StopSwitch;
use iam_boundaries::inventory::Reading;
use iam_boundaries::sandbox::Fault;
use serde_json::json;

const GET_USER: &str = "GetUser";
/// More attempts than the tool makes.
const ALWAYS: u32 = 100_000;
/// The time from one check to the next.
const BETWEEN_CHECKS: Duration = Duration::from_secs(5);

/// An account with this many users without boundaries, each of which takes 200 ms to change.
async fn slow(users: usize) -> Fixture {
    let fixture = Fixture::users(users).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, None, ALWAYS, Fault::Slow(Duration::from_millis(200)));
    fixture
}

/// Creates the user again, without a boundary.
fn recreate(fixture: &Fixture, n: usize) {
    fixture.sandbox.remove_user(&user(n));
    fixture.sandbox.put_user(&user(n), None);
}

/// Makes one change after the other. `interfere` is called after the first one.
async fn apply(fixture: &Fixture, interfere: impl FnOnce() + Send) -> (Items, Summary) {
    let account = fixture.account().await;
    let plan = fixture.plan(&account).await;
    let mut interfere = Some(interfere);
    let on = |event: &Event| {
        if let Event::Answered { .. } = event
            && let Some(interfere) = interfere.take()
        {
            interfere();
        }
    };
    carry_out(&account, &plan, at_once(1), &StopSwitch::new(), on).await
}

#[tokio::test]
async fn a_principal_that_changes_before_its_change_is_made_is_not_written() {
    let fixture = slow(45).await;
    let began = Instant::now();
    let (items, summary) = apply(&fixture, || {
        recreate(&fixture, 40);
        fixture.set(41, "Other");
        fixture.sandbox.remove_user(&user(42));
        // The boundary that the plan sets is no conflict.
        fixture.set(43, "Developer");
    })
    .await;
    assert!(began.elapsed() > BETWEEN_CHECKS, "no check was made");
    assert_eq!((summary.applied, summary.conflicts, summary.not_attempted), (42, 3, 0));
    assert!(!summary.is_complete());
    assert!(fixture.has_none(40) && fixture.has(41, "Other"));
    assert_eq!(fixture.sandbox.boundary_of(&user(42)), None);
    assert_eq!(fixture.calls(PUT), 42);
    let found = |n: usize| items[&user(n)].conflict().unwrap();
    let planned = items[&user(40)].change.unique_id.as_ref();
    assert!(found(40).unique_id().is_some() && found(40).unique_id() != planned);
    assert_eq!(found(41).boundary(), Some(Some(&arn("Other"))));
    assert_eq!(found(42), &Reading::NotFound { differs_by_case: None });
}

#[tokio::test]
async fn changes_that_are_made_are_in_no_conflict() {
    let fixture = slow(40).await;
    let (items, summary) = apply(&fixture, || fixture.set(0, "Other")).await;
    assert_eq!((summary.applied, summary.not_as_written, summary.conflicts), (39, 1, 0));
    assert!(matches!(items[&user(0)].verification, Verification::Otherwise(_)));
}

#[tokio::test]
async fn get_user_confirms_what_account_pages_show() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    (0..2).for_each(|n| fixture.set(n, "Other"));
    let faults = fixture.sandbox.faults();
    faults.add(DETAILS, None, ALWAYS, Fault::WithoutBoundaries);
    faults.add(PUT, Some(user(0).as_str()), 1, Fault::Slow(BETWEEN_CHECKS + BETWEEN_CHECKS / 3));
    let (_, summary) = apply(&fixture, || {}).await;
    assert_eq!((summary.applied, summary.conflicts), (2, 0));
    // For the plan, for the check, and for verification.
    assert_eq!((fixture.calls(DETAILS), fixture.calls(GET_USER)), (1, 6));
}

#[tokio::test]
async fn without_permission_to_read_account_pages_nothing_is_checked_again() {
    let fixture = slow(55).await;
    let faults = fixture.sandbox.faults();
    faults.add(DETAILS, None, 1, Fault::Slow(Duration::ZERO));
    faults.add(DETAILS, None, ALWAYS, denied());
    let (_, summary) = apply(&fixture, || {}).await;
    assert_eq!((summary.applied, summary.conflicts), (55, 0));
    // For the plan, for one check of two, and for verification.
    assert_eq!((fixture.calls(DETAILS), fixture.calls(GET_USER)), (3, 55));
}

/// Runs the binary, and `interfere` once IAM has received a write.
async fn run(fixture: &Fixture, options: &[&str], interfere: impl FnOnce()) -> Ran {
    let arguments = ["apply", "--auto-approve", "--max-changes", "100%", "--journal", "run.jsonl"];
    let arguments = [&arguments[..], options].concat();
    let interference = async {
        until("no write", || fixture.calls(PUT) > 0).await;
        interfere();
    };
    let (ran, ()) = tokio::join!(fixture.run(&arguments), interference);
    ran
}

#[tokio::test]
async fn every_format_reports_a_conflict_during_the_run() {
    let interfere = |fixture: &Fixture| {
        recreate(fixture, 40);
        fixture.set(41, "Other");
    };
    let fixture = slow(42).await;
    let options = ["--concurrency", "1"];
    let text = run(&fixture, &options, || interfere(&fixture)).await;
    assert_eq!(text.code, 3, "{text}");
    assert!(text.out.contains("40 applied, 0 failed, 0 not attempted, 2 in conflict"), "{text}");
    for expected in [
        "In conflict during the run, not changed",
        "the plan expected no boundary, but the user has",
        "the user was deleted and created again",
        "plan again",
    ] {
        assert!(text.out.contains(expected), "{expected}: {text}");
    }
    assert!(fixture.has_none(40) && fixture.has(41, "Other"));
    // The run has not changed these two, so its rollback does not concern them.
    let rollback = fixture.run(&["rollback", "run.jsonl", "--format", "json"]).await;
    let plan: serde_json::Value = serde_json::from_str(&rollback.out).unwrap();
    assert_eq!(plan["changes"].as_array().unwrap().len(), 40, "{rollback}");

    let fixture = slow(42).await;
    let json =
        run(&fixture, &[&options[..], &["--format", "json"]].concat(), || interfere(&fixture))
            .await;
    assert_eq!(json.code, 3, "{json}");
    let lines = json.json_lines();
    let conflicts: Vec<_> = lines.iter().filter(|line| line["outcome"] == "conflict").collect();
    let found: Vec<_> =
        conflicts.iter().map(|line| (&line["name"], &line["found"]["arn"])).collect();
    let other = arn("Other").to_string();
    assert_eq!(
        found,
        [(&"user-0040".into(), &serde_json::Value::Null), (&"user-0041".into(), &other.into())]
    );
    let summary = lines.last().unwrap();
    assert_eq!(
        [&summary["applied"], &summary["conflicts"], &summary["not_attempted"]],
        [&json!(40), &json!(2), &json!(0)]
    );
}

#[tokio::test]
async fn a_throttled_change_ends_in_conflict_only_if_it_cannot_have_been_made() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    // The response to the first write for the second user is lost after the change.
    faults.add(PUT, Some(user(1).as_str()), 1, Fault::CutAfter);
    faults.add(PUT, None, ALWAYS, Fault::throttling());
    let options = ["--format", "json", "--read-back", "0s"];
    let ran = run(&fixture, &options, || (0..2).for_each(|n| recreate(&fixture, n))).await;
    assert_eq!(ran.code, 3, "{ran}");
    let lines = ran.json_lines();
    let item = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    let throttled = item("user-0000");
    assert_eq!(
        (&throttled["outcome"], &throttled["read_back"]),
        (&"conflict".into(), &json!(null))
    );
    assert_eq!(throttled["error"]["class"], "throttled", "{ran}");
    assert!(throttled["attempts"].as_u64() > Some(0) && throttled["found"].is_object(), "{ran}");
    let unknown = item("user-0001");
    assert_eq!(
        (&unknown["outcome"], &unknown["read_back"]),
        (&"failed".into(), &"otherwise".into())
    );
}
