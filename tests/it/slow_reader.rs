//! A run does not wait for a reader of standard output that does not read or stops reading.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use crate::support::fixture::Fixture;
use crate::support::plans::{arn, name};
use iam_boundaries::journal::RunRecord;

/// The number of users. With long names, the report does not fit into a pipe, which holds 64 KiB.
const USERS: usize = 1_500;

/// A sandbox with many users with long names. No user has its listed boundary.
async fn with_long_names() -> Fixture {
    let long = |n: usize| format!("user-{n:04}-{}", "x".repeat(50));
    let lines = (0..USERS).map(|n| format!("{} = \"{}\"\n", long(n), arn("Developer")));
    let file = format!("[users]\n{}", lines.collect::<String>());
    let fixture = Fixture::users(0).file(&file).start().await;
    (0..USERS).for_each(|n| fixture.sandbox.put_user(&name(&long(n)), None));
    fixture
}

fn arguments(format: &str) -> Vec<&str> {
    let apply = ["apply", "--auto-approve", "--max-changes", "100%", "--journal", "run.jsonl"];
    [&apply[..], &["--format", format]].concat()
}

/// Waits until `is_so` returns true. Fails after some minutes.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let bound = Duration::from_secs(180);
    tokio::time::timeout(bound, waited).await.unwrap_or_else(|_| panic!("never: {what}"));
}

async fn unread_output_delays_nothing(format: &str) {
    let fixture = with_long_names().await;
    let mut command = fixture.command(&arguments(format));
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // Nothing has been read yet.
    until("all users are written", || fixture.writes() == USERS as u64).await;
    let journal = fixture.folder().join("run.jsonl");
    until("the journal has its end", || {
        RunRecord::read(&journal).is_ok_and(|record| record.end.is_some())
    })
    .await;
    assert!(run.try_wait().unwrap().is_none(), "it waits for its reader to report");

    let mut out = run.stdout.take().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let text = read.await.unwrap().unwrap();
    assert!(text.len() > 64 * 1024, "{} bytes fit into a pipe", text.len());
    assert!(text.contains(&format!("user-{:04}-x", USERS - 1)));
    let ended = tokio::task::spawn_blocking(move || run.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_reads_nothing_of_json_delays_neither_calls_nor_the_journal() {
    unread_output_delays_nothing("json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_reads_nothing_of_text_delays_neither_calls_nor_the_journal() {
    unread_output_delays_nothing("text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_plan_whose_reader_is_gone_keeps_its_exit_code() {
    let fixture = with_long_names().await;
    for format in ["text", "json"] {
        // Without --max-changes, so many changes violate a guard rail.
        let mut command = fixture.command(&["apply", "--auto-approve", "--format", format]);
        let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(run.stdout.take());
        let ended = tokio::task::spawn_blocking(move || run.wait_with_output().unwrap()).await;
        let ended = ended.unwrap();
        let message = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), fixture.writes()), (Some(4), 0), "{message}");
    }
}

async fn a_closed_reader_stops_nothing(format: &str) {
    let fixture = with_long_names().await;
    let mut command = fixture.command(&arguments(format));
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(run.stdout.take().unwrap());
    let ended = tokio::task::spawn_blocking(move || {
        // Reads one line, like `head -1`.
        out.read_line(&mut String::new()).unwrap();
        drop(out);
        run.wait().unwrap()
    });
    let code = ended.await.unwrap().code();
    assert_eq!(fixture.writes(), USERS as u64);
    let record = RunRecord::read(&fixture.folder().join("run.jsonl")).unwrap();
    assert_eq!(record.end.map(|end| end.applied), Some(USERS));
    assert_eq!(code, Some(3), "the report did not reach its reader");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_closes_after_one_line_of_json_does_not_stop_the_run() {
    a_closed_reader_stops_nothing("json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_closes_after_one_line_of_text_does_not_stop_the_run() {
    a_closed_reader_stops_nothing("text").await;
}
