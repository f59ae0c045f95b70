//! Runs that are stopped while IAM throttles every write: what was not carried out is not attempted.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::Ran;
use crate::support::fixture::{Fixture, PUT, user};
#[cfg(unix)]
use crate::support::fleet::{ended, interrupt, until};
use iam_boundaries::inventory::CallOutcome;
use iam_boundaries::journal::RunRecord;
use iam_boundaries::sandbox::Fault;

/// More attempts than the tool makes.
const ALWAYS: u32 = 100_000;
const JOURNAL: &str = "run.jsonl";

/// An account with six users. IAM throttles every write. The response to the first write for the first user is lost
/// after the change.
async fn throttled() -> Fixture {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    faults.add(PUT, Some(user(0).as_str()), 1, Fault::CutAfter);
    faults.add(PUT, None, ALWAYS, Fault::throttling());
    fixture
}

fn apply(fixture: &Fixture, format: &str, options: &[&str]) -> Command {
    let arguments =
        ["apply", "--auto-approve", "--concurrency", "3", "--journal", JOURNAL, "--format", format];
    fixture.command(&[&arguments[..], options].concat())
}

/// Interrupts the run once IAM has received some writes.
#[cfg(unix)]
async fn interrupted(fixture: &Fixture, mut command: Command) -> Ran {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("too few writes", || fixture.calls(PUT) >= 4).await;
    interrupt(&child);
    ended(child).await
}

/// Checks the report and the journal: the first change may be made, and no other change was.
fn only_the_lost_change_failed(fixture: &Fixture, ran: &Ran, stopped_by: &str) {
    let lines = ran.json_lines();
    let items: Vec<&Value> = lines.iter().filter(|line| line["type"] == "item").collect();
    assert_eq!(items.len(), 6, "{ran}");
    let mut throttled = 0;
    for item in items {
        if item["name"] == "user-0000" {
            assert_eq!(
                (&item["outcome"], &item["read_back"]),
                (&"failed".into(), &"stopped".into())
            );
            let advice = item["error"]["advice"].as_str().unwrap();
            assert!(advice.contains("IAM may have applied the change"), "{ran}");
            continue;
        }
        assert_eq!(item["outcome"], "not_attempted", "{ran}");
        assert_eq!(item["read_back"], Value::Null, "{ran}");
        if item["attempts"] == 0 {
            assert_eq!(item["error"], Value::Null, "{ran}");
            continue;
        }
        throttled += 1;
        let error = &item["error"];
        assert_eq!((&error["class"], &error["advice"]), (&"throttled".into(), &Value::Null));
        assert_eq!(error["request_id"], item["request_id"], "{ran}");
        assert!(item["request_id"].is_string(), "{ran}");
    }
    assert!(throttled >= 2, "{ran}");
    let summary = lines.last().unwrap();
    assert_eq!(summary["stopped_by"], stopped_by, "{ran}");
    assert_eq!((&summary["failed"], &summary["not_attempted"]), (&1.into(), &5.into()), "{ran}");

    let record = RunRecord::read(&fixture.folder().join(JOURNAL)).unwrap();
    let is_throttled =
        |outcome: &CallOutcome| matches!(outcome, CallOutcome::ThrottledUntilStop { .. });
    let outcomes = record.entries.iter().filter_map(|entry| entry.outcome.as_ref());
    assert_eq!(outcomes.filter(|outcome| is_throttled(outcome)).count(), throttled, "{record:?}");
    let may_be_done: Vec<String> = record
        .entries
        .iter()
        .filter(|entry| entry.may_be_done())
        .map(|entry| entry.intent.principal.to_string())
        .collect();
    assert_eq!(may_be_done, ["user-0000"]);
    assert!(fixture.has(0, "Developer") && (1..6).all(|n| fixture.has_none(n)), "{ran}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn after_an_interrupt_a_throttled_change_is_not_attempted_unless_a_response_was_lost() {
    let fixture = throttled().await;
    let ran = interrupted(&fixture, apply(&fixture, "json", &[])).await;
    assert_eq!(ran.code, 130, "{ran}");
    only_the_lost_change_failed(&fixture, &ran, "interrupted");
    // The change that may be made is rolled back. The others are not looked at.
    let rollback = fixture.run(&["rollback", JOURNAL, "--format", "json"]).await;
    let plan: Value = serde_json::from_str(&rollback.out).unwrap();
    let names: Vec<&Value> =
        plan["changes"].as_array().unwrap().iter().map(|change| &change["name"]).collect();
    assert_eq!(names, ["user-0000"], "{rollback}");
    assert_eq!(plan["problems"], Value::Array(Vec::new()), "{rollback}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_time_limit_a_throttled_change_is_not_attempted_unless_a_response_was_lost() {
    let fixture = throttled().await;
    let command = apply(&fixture, "json", &["--timeout", "4s"]);
    let ran = crate::support::fixture::run(command).await;
    assert_eq!(ran.code, 3, "{ran}");
    only_the_lost_change_failed(&fixture, &ran, "deadline");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_text_says_that_iam_throttled_the_requests_and_gives_no_advice_about_throttling() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, None, ALWAYS, Fault::throttling());
    let ran = interrupted(&fixture, apply(&fixture, "text", &[])).await;
    assert_eq!(ran.code, 130, "{ran}");
    let text = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("0 applied, 0 failed, 6 not attempted"), "{ran}");
    assert!(text.contains("Not attempted, throttled: "), "{ran}");
    assert!(text.contains("requests for these changes until the run was interrupted"), "{ran}");
    for wrong in ["Failed with", "help:", "quota", "later", "minutes"] {
        assert!(!text.contains(wrong), "{wrong}: {ran}");
    }
}
