//! Slow sources and endpoints, clocks that differ, and Regions of another partition.

use std::time::{Duration, Instant, SystemTime};

use crate::support::fixture::{DETAILS, Fixture, user};
use crate::support::http::{Reply, Request, Server, http_date, sts_error, sts_success};
use crate::support::recorder::forward;
use crate::support::{Binary, Ran};
use iam_boundaries::iam::Principal;
use iam_boundaries::sandbox::ACCOUNT;

const FILE: &str = "[users]\nalice = \"arn:aws:iam::123456789012:policy/Developer\"\n";

/// Runs `plan`, which must end within its time limit and a margin.
fn plan_for_seven_seconds(binary: &Binary) -> Ran {
    let began = Instant::now();
    let ran = binary.run(&["plan", "--timeout", "7s"]);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?} {ran}", began.elapsed());
    assert_eq!(ran.code, 1, "{ran}");
    ran
}

#[test]
fn an_endpoint_that_never_responds_is_named_once_after_five_seconds() {
    let sts = Server::start(|_| Reply::Hang);
    let binary = Binary::with_file(FILE)
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_ENDPOINT_URL", &sts.url());
    let ran = plan_for_seven_seconds(&binary);
    let wait = format!("one call of sts:GetCallerIdentity at {}: no response for", sts.url());
    assert_eq!(ran.err.matches(&format!("Waiting for {wait}")).count(), 1, "{ran}");
    let end = format!("error: the account was not read within the time limit, waiting for {wait}");
    assert!(ran.err.contains(&end), "{ran}");
    assert!(ran.err.contains("increase --timeout"), "{ran}");
}

#[cfg(unix)]
#[test]
fn a_credential_process_that_does_not_end_is_named_once_after_five_seconds() {
    let binary = Binary::with_file(FILE)
        .env("AWS_CONFIG_FILE", "config")
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let config = "[default]\ncredential_process = sleep 600\n";
    std::fs::write(binary.folder().join("config"), config).unwrap();
    let ran = plan_for_seven_seconds(&binary);
    let notice = "Waiting for the credential_process of profile \"default\": no response for";
    assert_eq!(ran.err.matches(notice).count(), 1, "{ran}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn after_a_signal_a_request_without_a_response_fails_after_ten_seconds_and_may_be_done() {
    use crate::support::fixture::PUT;
    use iam_boundaries::sandbox::Fault;
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, None, 9, Fault::Slow(Duration::from_secs(300)));
    let arguments = "apply --auto-approve --format json --concurrency 1 --journal journal.jsonl";
    let mut command = fixture.command(&arguments.split(' ').collect::<Vec<_>>());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    let waiting = Instant::now();
    while fixture.calls(PUT) == 0 && waiting.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let began = Instant::now();
    let id = i32::try_from(child.id()).unwrap();
    let kill = std::process::Command::new("kill").args(["-TERM", &id.to_string()]).status();
    assert!(kill.unwrap().success());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let ran = Ran::of(output);
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(9) && took < Duration::from_secs(30), "{took:?} {ran}");
    assert_eq!(ran.code, 130, "{ran}");
    let failed = ran.json_lines().into_iter().find(|line| line["outcome"] == "failed");
    let failed = failed.unwrap_or_else(|| panic!("{ran}"));
    assert_eq!(failed["error"]["code"], "TimedOut", "{ran}");
    assert!(ran.out.contains("within 10 seconds after the run was stopped"), "{ran}");
    let journal = std::fs::read_to_string(fixture.folder().join("journal.jsonl")).unwrap();
    assert!(journal.contains("\"may_be_done\":true"), "{journal}");
}

/// The time of a server whose clock is `ahead` of this machine's.
fn server_time(ahead: Duration) -> SystemTime {
    SystemTime::now() + ahead
}

/// Whether the signature of a request is from the same quarter of an hour as `time`.
fn is_signed_at(request: &Request, time: SystemTime) -> bool {
    let date = &request.headers["x-amz-date"];
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..8],
        &date[9..11],
        &date[11..13],
        &date[13..15]
    );
    let signed = humantime::parse_rfc3339(&rfc3339).unwrap();
    let difference = signed.duration_since(time).unwrap_or_else(|error| error.duration());
    difference < Duration::from_secs(900)
}

/// An STS that accepts only signatures of its own time, which is two hours ahead of this machine's.
fn sts_ahead(is_dated: bool, accepts: bool) -> Server {
    Server::start(move |request| {
        let now = server_time(Duration::from_secs(7_200));
        let (status, body) = if accepts && is_signed_at(request, now) {
            let Reply::Response(status, _, body) = sts_success(request, 0) else { unreachable!() };
            (status, body)
        } else {
            let message =
                "Signature expired: 20261125T153435Z is now earlier than 20261125T171935Z";
            let reply = sts_error(403, "SignatureDoesNotMatch", message);
            let Reply::Response(status, _, body) = reply else { unreachable!() };
            (status, body)
        };
        let date = if is_dated { format!("Date: {}\r\n", http_date(now)) } else { String::new() };
        Reply::Response(status, date, body)
    })
}

async fn plan_with(sts: &Server) -> Ran {
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    fixture.env("AWS_ENDPOINT_URL_STS", &sts.url()).run(&["plan"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_differs_is_corrected_from_the_response() {
    let sts = sts_ahead(true, true);
    let ran = plan_with(&sts).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(sts.requests().len(), 2, "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_cannot_be_corrected_is_named_with_both_times() {
    let hour = |ahead| humantime::format_rfc3339(server_time(ahead)).to_string()[..14].to_owned();
    let (here, there) = (Duration::ZERO, Duration::from_secs(7_200));
    let before = (hour(here), hour(there));
    let ran = plan_with(&sts_ahead(true, false)).await;
    assert_eq!(ran.code, 1, "{ran}");
    let text = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_named = [before, (hour(here), hour(there))].iter().any(|(here, there)| {
        let (here, there) = (format!("clock says {here}"), format!("AWS's says {there}"));
        text.contains(&here) && text.contains(&there)
    });
    assert!(is_named && text.contains("ClockSkew: this machine's"), "{ran}");
    assert!(text.contains("set this machine's clock") && !text.contains("--profile"), "{ran}");

    let ran = plan_with(&sts_ahead(false, true)).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("Signature expired: 20261125T153435Z"), "{ran}");
    assert!(ran.err.contains("this machine's clock") && !ran.err.contains("--profile"), "{ran}");
}

/// The sandbox, with the time of a clock that is this far ahead.
fn sandbox_ahead(fixture: &Fixture, ahead: Duration) -> Server {
    let address = fixture.sandbox.address();
    Server::start(move |request| {
        let (status, body) = forward(address, request, &request.body);
        let date = format!("Date: {}\r\n", http_date(server_time(ahead)));
        Reply::Response(status, date, body)
    })
}

const IN_TIME: Duration = Duration::from_mins(3);
const AHEAD: Duration = Duration::from_hours(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_differs_does_not_decide_which_entries_are_expired() {
    let file = |entry: &str| {
        format!(
            "[account]\nid = \"{ACCOUNT}\"\n[boundaries]\ndeveloper = \"policy/Developer\"\nother = \"policy/Other\"\n\
             [users]\nuser-0000 = {entry}\n"
        )
    };
    let expiring = file("{ boundary = \"developer\", until = 2026-01-31, then = \"other\" }");
    let commands = [
        &["plan"][..],
        &["plan", "--explain", "user/user-0000"],
        &["apply", "--auto-approve"],
        &["import", "--check"],
        &["import", "--update"],
    ];
    let fixture = Fixture::users(1).file(&expiring).start().await;
    let ahead = sandbox_ahead(&fixture, AHEAD);
    let fixture = fixture.env("AWS_ENDPOINT_URL", &ahead.url());
    for command in commands {
        let ran = fixture.run(command).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
        let text = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("nothing was changed") || command[0] != "apply", "{ran}");
        assert!(text.contains("this machine's clock says 20"), "{ran}");
        assert!(text.contains("not known which entries with `until` are expired"), "{ran}");
        assert!(text.contains("help: set this machine's clock"), "{ran}");
    }
    assert_eq!((fixture.writes(), fixture.has_none(0)), (0, true));
    assert_eq!(fixture.run(&["plan", "--as-of", "2026-01-30"]).await.code, 0);

    // The time decides nothing.
    fixture.write_file(&file("\"developer\""));
    let ran = fixture.run(&["apply", "--auto-approve"]).await;
    assert_eq!((ran.code, fixture.has(0, "Developer")), (0, true), "{ran}");

    // The clock differs by less than AWS accepts.
    fixture.write_file(&expiring);
    let in_time = sandbox_ahead(&fixture, IN_TIME);
    let fixture = fixture.env("AWS_ENDPOINT_URL", &in_time.url());
    let ran = fixture.run(&["apply", "--auto-approve"]).await;
    assert_eq!((ran.code, fixture.has(0, "Other")), (0, true), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_differs_does_not_decide_what_was_used_lately() {
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
    fixture.sandbox.attach_policy(&Principal::user(user(0)), &policy.parse().unwrap());
    let ahead = sandbox_ahead(&fixture, AHEAD);
    let fixture = fixture.env("AWS_ENDPOINT_URL", &ahead.url());
    let ran = fixture.run(&["plan", "--last-used", "90"]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("not known what was used in the last days"), "{ran}");
    assert_eq!(fixture.run(&["plan", "--impact"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_differs_does_not_prove_that_the_pages_have_everyone() {
    let rule =
        "[[rules]]\nname = \"*\"\nboundary = \"arn:aws:iam::123456789012:policy/Developer\"\n";
    for (ahead, pages) in [(IN_TIME, 3), (AHEAD, 6)] {
        let fixture = Fixture::users(25).file(rule).page_size(10).start().await;
        let server = sandbox_ahead(&fixture, ahead);
        let fixture = fixture.env("AWS_ENDPOINT_URL", &server.url());
        let ran = fixture.run(&["plan"]).await;
        assert_eq!((ran.code, fixture.calls(DETAILS)), (0, pages), "{ran}");
        assert!(ran.out.contains("25 to add"), "{ran}");
    }
}

#[test]
fn a_region_of_another_partition_is_named_with_both_sources_before_any_call() {
    let sts = Server::start(|request| sts_success(request, 0));
    let binary = Binary::with_file(FILE)
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_CONFIG_FILE", "config")
        .env("AWS_ENDPOINT_URL", &sts.url());
    let config = "[profile china]\nregion = cn-north-1\n";
    std::fs::write(binary.folder().join("config"), config).unwrap();
    for (arguments, variable, origin) in [
        (&["--region", "cn-north-1", "plan"][..], None, "--region"),
        (&["plan"], Some(("AWS_REGION", "cn-north-1")), "AWS_REGION"),
        (&["plan"], Some(("AWS_DEFAULT_REGION", "cn-north-1")), "AWS_DEFAULT_REGION"),
        (&["plan"], Some(("AWS_PROFILE", "china")), "profile \"china\""),
        (&["--region", "cn-north-1", "apply", "--auto-approve"], None, "--region"),
    ] {
        let mut command = binary.command(arguments);
        let ran = Ran::of(command.envs(variable).output().unwrap());
        assert_eq!(ran.code, 1, "{ran}");
        let message = format!(
            "the Region cn-north-1 of {origin} is in partition aws-cn, and the ARNs in boundaries.toml are in \
             partition aws"
        );
        assert!(ran.err.contains(&message), "{message} {ran}");
        assert!(ran.err.contains("--region us-east-1"), "{ran}");
        assert!(sts.requests().is_empty(), "{ran}");
    }
}
