//! Credentials that expire during a run are renewed, whatever passes, and a refusal ends the run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use iam_boundaries::inventory::CallOutcome;
use iam_boundaries::journal::RunRecord;

use crate::support::Ran;
use crate::support::fixture::Fixture;
use crate::support::http::{Reply, Request, Server, sts_error, sts_success, time_in};

/// The first credentials expire after this time. They are not used in the last 10 seconds.
const LIFETIME: u64 = 12;

/// A profile whose role is assumed with the keys of another one.
pub(crate) const CONFIG: &str = "
[profile role]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = keys
[profile keys]
aws_access_key_id = AKIASOURCE
aws_secret_access_key = any
";

const APPLY: [&str; 10] = [
    "apply",
    "--auto-approve",
    "--journal",
    "journal.jsonl",
    "--max-rate",
    "10",
    "--concurrency",
    "4",
    "--max-changes",
    "100",
];

/// An STS whose renewals of the role end by `renewal`, by their number from 1.
fn sts(renewal: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static) -> Server {
    Server::start(move |request| match (request.action(), request.earlier) {
        ("AssumeRole", 0) => sts_success(request, LIFETIME),
        ("AssumeRole", number) => renewal(number).unwrap_or_else(|| sts_success(request, 3_600)),
        _ => sts_success(request, 0),
    })
}

async fn fixture(sts: &Server) -> Fixture {
    let fixture = Fixture::users(40).listed_with("Developer").start().await;
    std::fs::write(fixture.folder().join("config"), CONFIG).unwrap();
    fixture.env("AWS_CONFIG_FILE", "config").env("AWS_ENDPOINT_URL_STS", &sts.url())
}

/// A run of 40 changes that takes 4 seconds, with the profile `role`.
async fn apply_with_role(sts: &Server) -> (Fixture, Ran) {
    let fixture = fixture(sts).await;
    let ran = fixture.run(&[&["--profile", "role"], &APPLY[..]].concat()).await;
    (fixture, ran)
}

fn everything_is_done(fixture: &Fixture, ran: &Ran) {
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(fixture.writes(), 40, "{ran}");
    assert!((0..40).all(|n| fixture.has(n, "Developer")), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_fails_for_seconds_delays_the_run_and_every_change_is_made() {
    // More failures in a row than any call has attempts.
    let sts = sts(|number| match number {
        1 | 7 => Some(sts_error(503, "ServiceUnavailable", "try again")),
        // A proxy refuses, and not STS.
        4 => Some(Reply::Response(403, String::new(), "<html>no</html>".to_owned())),
        2 | 5 => Some(Reply::Close),
        3 | 6 => Some(sts_error(400, "Throttling", "slow down")),
        _ => None,
    });
    let (fixture, ran) = apply_with_role(&sts).await;
    everything_is_done(&fixture, &ran);
    assert_eq!(sts.count("AssumeRole"), 9, "{ran}");
    assert!(ran.err.contains("sts:AssumeRole failed: ServiceUnavailable"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_renewed_once_for_all_calls_and_nothing_is_said_about_it() {
    let sts = sts(|_| None);
    let (fixture, ran) = apply_with_role(&sts).await;
    everything_is_done(&fixture, &ran);
    assert_eq!(sts.count("AssumeRole"), 2, "{ran}");
    assert!(!ran.err.contains("WARN"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_expire_while_every_change_waits_in_the_queue_are_renewed() {
    let sts = sts(|_| None);
    let fixture = fixture(&sts).await;
    let apply = APPLY.map(|argument| if argument == "4" { "64" } else { argument });
    let ran = fixture.run(&[&["--profile", "role"], &apply[..]].concat()).await;
    everything_is_done(&fixture, &ran);
    assert_eq!(sts.count("AssumeRole"), 2, "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_refused_ends_the_run_and_the_advice_is_about_the_role() {
    for code in ["AccessDenied", "ExpiredToken"] {
        let sts = sts(move |_| Some(sts_error(403, code, "not authorized to perform it")));
        let (fixture, ran) = apply_with_role(&sts).await;
        assert_eq!(ran.code, 3, "{ran}");
        assert!(fixture.writes() < 40, "{ran}");
        let text = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&format!("sts:AssumeRole failed: {code}")), "{ran}");
        assert!(text.contains("of profile \"role\""), "{ran}");
        assert!(!text.contains("--profile"), "{ran}");
        // Refused once, or ahead of the expiry and once more.
        let count = sts.count("AssumeRole");
        assert!((2..=3).contains(&count), "{count} requests\n{ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_requests_that_were_sent_count_as_attempts_and_as_calls() {
    let sts = sts(|_| Some(sts_error(403, "AccessDenied", "not authorized to perform it")));
    let fixture = fixture(&sts).await;
    let arguments = [&["--profile", "role"], &APPLY[..], &["--format", "json"]].concat();
    let ran = fixture.run(&arguments).await;
    assert_eq!(ran.code, 3, "{ran}");
    let lines = ran.json_lines();
    let attempts = |line: &serde_json::Value| line["attempts"].as_u64().unwrap();
    let items: Vec<_> = lines.iter().filter(|line| line["type"] == "item").collect();
    let refused: Vec<_> =
        items.iter().filter(|line| line["error"]["action"] == "sts:AssumeRole").collect();
    assert!(!refused.is_empty(), "{ran}");
    assert!(refused.iter().all(|line| attempts(line) == 0 && line["outcome"] == "failed"), "{ran}");
    let sum: u64 = items.iter().map(|line| attempts(line)).sum();
    let calls = lines.last().unwrap()["calls"].as_u64().unwrap();
    assert_eq!((sum, calls), (fixture.writes(), fixture.writes()), "{ran}");
    // The journal has the same outcomes, and can be read.
    let record = RunRecord::read(&fixture.folder().join("journal.jsonl")).unwrap();
    let is_unsent = |call: &CallOutcome| matches!(call, CallOutcome::Failed { attempts: 0, .. });
    let outcomes = record.entries.iter().filter_map(|entry| entry.outcome.as_ref());
    assert_eq!(outcomes.filter(|call| is_unsent(call)).count(), refused.len(), "{ran}");
    assert!(!ran.err.contains("0 attempts"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sts_that_is_unavailable_before_the_run_is_named_without_advice_about_credentials() {
    let sts = Server::start(|_| sts_error(503, "ServiceUnavailable", "try again"));
    let fixture = fixture(&sts).await;
    let ran =
        fixture.run(&[&["--profile", "role"], &APPLY[..], &["--timeout", "3s"]].concat()).await;
    assert_eq!((ran.code, fixture.writes()), (1, 0), "{ran}");
    let waited = format!(
        "nothing was changed: the account was not read within the time limit, waiting for sts:AssumeRole of role \
         arn:aws:iam::123456789012:role/R at {}: no success for ",
        sts.url()
    );
    assert!(ran.err.contains(&waited), "{ran}");
    assert!(ran.err.contains("its last attempt failed: ServiceUnavailable: try again"), "{ran}");
    assert!(ran.err.contains("help: run the command again, or increase --timeout"), "{ran}");
    assert!(!ran.err.contains("--profile"), "{ran}");
    assert!(sts.count("AssumeRole") > 3, "{ran}");
}

/// Credentials of a container, which expire after `lifetime` seconds.
fn container_credentials(lifetime: u64, number: usize) -> Reply {
    let expiration = time_in(lifetime);
    let body = format!(
        "{{\"AccessKeyId\": \"ASIACONTAINER{number}\", \"SecretAccessKey\": \"any\", \"Token\": \"token\", \
         \"Expiration\": \"{expiration}\"}}"
    );
    Reply::Response(200, "Content-Type: application/json\r\n".to_owned(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_whose_source_is_unavailable_for_a_moment_delays_the_run() {
    let failures = Arc::new(Mutex::new(5));
    let has_begun = Arc::new(AtomicBool::new(false));
    let source = Server::start(move |request: &Request| {
        if !has_begun.swap(true, Ordering::Relaxed) {
            return container_credentials(LIFETIME, 0);
        }
        let mut left = failures.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return Reply::Response(503, String::new(), "unavailable".to_owned());
        }
        container_credentials(3_600, request.earlier)
    });
    let fixture = Fixture::users(40).listed_with("Developer").start().await;
    let fixture = fixture
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{}/container", source.url()));
    let ran = fixture.run(&APPLY).await;
    everything_is_done(&fixture, &ran);
    assert_eq!(source.requests().len(), 7, "{ran}");
}
