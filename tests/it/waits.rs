//! Calls that fail for a moment are retried until a bound in time, and long waits say what is waited for.

use iam_boundaries::ops::Selection;
use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

use crate::credentials_renewal::CONFIG;
use crate::support::Ran;
use crate::support::fixture::{
    DETAILS, Fixture, PUT, access, account, apply, apply_options, quick, read, run, user,
};
use crate::support::http::{Proxy, Reply, Request, Server, sts_error, sts_success};
use iam_boundaries::apply::Event;
use iam_boundaries::aws::{Access, ConnectError, Connection, RetryPolicy, StopSwitch};
use iam_boundaries::inventory::{ApiError, ErrorClass};
use iam_boundaries::journal::Outcome;
use iam_boundaries::ops::ApplyInput;
use iam_boundaries::sandbox::{Fault, Sandbox};

/// The duration of a failure in real time. It is longer than six attempts with their waits can take.
const HICCUP: Duration = Duration::from_secs(7);
/// More attempts in a row than a call has if the error concerns only that call.
const MANY: u32 = 20;

/// Retries for a minute, with minimal waits.
fn patient() -> RetryPolicy {
    RetryPolicy { retry_for: Duration::from_secs(60), ..quick() }
}

/// An STS that fails in different ways from its first request on, for as long as [`HICCUP`].
fn sts_with_hiccup() -> Server {
    let first = Arc::new(OnceLock::new());
    Server::start(move |request: &Request| {
        if first.get_or_init(Instant::now).elapsed() > HICCUP {
            return sts_success(request, 3_600);
        }
        match request.earlier % 5 {
            0 => Reply::Close,
            1 => sts_error(503, "ServiceUnavailable", "try again"),
            2 => Reply::NotOfAws(502, "<html>Bad Gateway</html>"),
            3 => Reply::NotOfAws(403, "<html>Forbidden</html>"),
            _ => Reply::NotOfAws(200, "<html>Please wait</html>"),
        }
    })
}

fn has_waited(ran: &Ran, what: &str, endpoint: &str) {
    assert_eq!(ran.code, 0, "{ran}");
    let line = format!("Waiting for {what} at {endpoint}: no success for ");
    assert_eq!(ran.err.matches(&line).count(), 1, "{line}\n{ran}");
    assert_eq!(ran.err.lines().filter(|line| line.starts_with("Waiting for ")).count(), 1, "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sts_that_fails_for_seconds_delays_the_identity() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let sts = sts_with_hiccup();
    let fixture = fixture.env("AWS_ENDPOINT_URL_STS", &sts.url());
    let ran = fixture.run(&["plan"]).await;
    has_waited(&ran, "one call of sts:GetCallerIdentity", &sts.url());
    assert!(sts.count("GetCallerIdentity") > 6, "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sts_that_fails_for_seconds_delays_the_role() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    std::fs::write(fixture.folder().join("config"), CONFIG).unwrap();
    let sts = sts_with_hiccup();
    let fixture = fixture.env("AWS_CONFIG_FILE", "config").env("AWS_ENDPOINT_URL_STS", &sts.url());
    let ran = fixture.run(&["--profile", "role", "plan"]).await;
    let what = "sts:AssumeRole of role arn:aws:iam::123456789012:role/R";
    has_waited(&ran, what, &sts.url());
    assert!(sts.count("AssumeRole") > 6, "{ran}");
    assert_eq!(sts.count("GetCallerIdentity"), 1, "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sts_that_fails_for_seconds_delays_the_web_identity() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    std::fs::write(fixture.folder().join("token"), "token").unwrap();
    let sts = sts_with_hiccup();
    let fixture = fixture
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", "token")
        .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/R")
        .env("AWS_ENDPOINT_URL_STS", &sts.url());
    let ran = fixture.run(&["plan"]).await;
    has_waited(&ran, "the web identity of AWS_WEB_IDENTITY_TOKEN_FILE", &sts.url());
    assert!(sts.count("AssumeRoleWithWebIdentity") > 6, "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_without_a_response_is_repeated_whatever_the_source_of_the_credentials() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    std::fs::write(fixture.folder().join("config"), CONFIG).unwrap();
    std::fs::write(fixture.folder().join("token"), "token").unwrap();
    let fixture = fixture.env("AWS_CONFIG_FILE", "config");
    let web_identity = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/R"),
    ];
    let sources = [
        ("GetCallerIdentity", &["plan"][..], &[][..]),
        ("AssumeRole", &["--profile", "role", "plan"], &[]),
        ("AssumeRoleWithWebIdentity", &["plan"], &web_identity),
    ];
    // Each attempt has ten seconds, so they run at the same time.
    let runs = sources.map(|(action, arguments, variables)| {
        let sts = Server::start(move |request| match (request.action(), request.earlier) {
            (called, 0) if called == action => Reply::Hang,
            _ => sts_success(request, 3_600),
        });
        let mut command = fixture.command(arguments);
        command.envs(variables.iter().copied()).env("AWS_ENDPOINT_URL_STS", sts.url());
        async move { (action, run(command).await, sts) }
    });
    for (action, ran, sts) in futures::future::join_all(runs).await {
        assert_eq!(ran.code, 0, "{action}: {ran}");
        assert_eq!(sts.count(action), 2, "{action}: {ran}");
        assert!(ran.err.contains(": no response for "), "{action}: {ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_connections_for_seconds_delays_the_run() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    // The port is taken, and refuses connections until the socket listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut command = fixture.command(&["apply", "--auto-approve"]);
    command.env("HTTP_PROXY", format!("http://127.0.0.1:{port}"));
    let proxy = tokio::spawn(async move {
        tokio::time::sleep(HICCUP).await;
        let listener = socket.listen(64).unwrap().into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        Proxy::start_on(listener, false)
    });
    let ran = run(command).await;
    has_waited(&ran, "one call of sts:GetCallerIdentity", &fixture.sandbox.endpoint_url());
    assert!(ran.err.contains(&format!("the proxy is http://127.0.0.1:{port}")), "{ran}");
    assert_eq!(fixture.writes(), 2, "{ran}");
    assert!(!proxy.await.unwrap().requests().is_empty());
}

/// The faults of a network or an IAM that is not available.
fn outages() -> [Fault; 4] {
    [
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::Garbage,
        Fault::error(503, "ServiceUnavailable", "try again"),
    ]
}

#[tokio::test]
async fn the_first_read_is_retried_until_it_succeeds() {
    for action in [DETAILS, "GetUser", "GetAccountSummary"] {
        for fault in outages() {
            let users = if action == "GetUser" { 2 } else { 5 };
            let fixture = Fixture::users(users).listed_with("Developer").start().await;
            fixture.sandbox.faults().add(action, None, MANY, fault.clone());
            let account = fixture.account().await.reading_with(patient());
            let inventory = read(&account, fixture.config().users.keys()).await.unwrap();
            let is_found = inventory.iter().all(|(_, reading)| reading.boundary() == Some(None));
            assert!(is_found, "{action} {fault:?}: {inventory:?}");
            assert!(fixture.calls(action) > u64::from(MANY), "{action} {fault:?}");
        }
    }
}

#[tokio::test]
async fn writes_are_retried_until_iam_is_available_and_all_are_made() {
    for fault in outages() {
        let fixture = Fixture::users(16).listed_with("Developer").start().await;
        fixture.sandbox.faults().add(PUT, None, 16 * MANY, fault.clone());
        let input =
            ApplyInput::Files(Selection::of_files(vec![fixture.folder().join("boundaries.toml")]));
        let options = apply_options(&fixture.sandbox, fixture.folder(), input);
        let options = iam_boundaries::ops::ApplyOptions { retry_policy: patient(), ..options };
        let applied = apply(&options).await;
        assert_eq!(applied.summary.applied, 16, "{fault:?}: {:?}", applied.summary);
        assert!((0..16).all(|n| fixture.has(n, "Developer")), "{fault:?}");
    }
}

#[tokio::test]
async fn a_change_that_fails_while_others_succeed_has_six_attempts_whatever_the_bound() {
    let fixture = Fixture::users(200).listed_with("Developer").start().await;
    let broken = Fault::error(500, "ServiceFailure", "sorry");
    fixture.sandbox.faults().add(PUT, Some(user(0).as_str()), 100_000, broken);
    let input =
        ApplyInput::Files(Selection::of_files(vec![fixture.folder().join("boundaries.toml")]));
    let options = apply_options(&fixture.sandbox, fixture.folder(), input);
    // The waits are long enough for another change to succeed in each.
    let retry_policy = RetryPolicy {
        first_wait: Duration::from_millis(20),
        longest_wait: Duration::from_millis(20),
        ..RetryPolicy::default()
    };
    let concurrency = 4.try_into().unwrap();
    let max_rate = Some("500".parse().unwrap());
    let options =
        iam_boundaries::ops::ApplyOptions { retry_policy, concurrency, max_rate, ..options };
    let applied = apply(&options).await;
    let item = &applied.items[&user(0)];
    assert_eq!(item.outcome(), Outcome::Failed, "{item:?}");
    assert_eq!(applied.summary.applied, 199);
    // More than six if no other change happened to succeed during a wait.
    let attempts = fixture.calls(PUT) - 199;
    assert!((6..30).contains(&attempts), "{attempts}");
}

async fn identity_error(access: &Access) -> ApiError {
    let connection = Connection::open(access).await;
    match connection.identify_within(Duration::from_secs(1)).await.unwrap_err() {
        ConnectError::Call(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_bound_of_the_identity_is_a_total_and_its_error_says_what_was_tried() {
    let hanging = Server::start(|_| Reply::Hang);
    let failing = Server::start(|_| sts_error(503, "ServiceUnavailable", "try again"));
    let access_to = |server: &Server| Access::Sandbox {
        endpoint_url: server.url(),
        access_key_id: "any",
        secret_access_key: "any",
    };
    let error = identity_error(&access_to(&hanging)).await;
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "TimedOut"));
    let message = format!("no response arrived from {} within 1 second", hanging.url());
    assert_eq!(error.message, message.as_str());
    assert_eq!(hanging.requests().len(), 1);

    let error = identity_error(&access_to(&failing)).await;
    assert_eq!(error.code, "ServiceUnavailable");
    // The time can end between the beginning of an attempt and its request.
    let requests = failing.requests().len();
    let tried = [requests, requests + 1]
        .map(|attempts| format!("try again ({}, {attempts} attempts in 1 second)", failing.url()));
    assert!(tried.contains(&error.message.to_string()), "{error}");
}

#[tokio::test]
async fn a_permanent_error_of_the_identity_has_one_attempt_and_throttling_ends_at_the_bound() {
    for (status, code) in [(403, "AccessDenied"), (403, "ExpiredToken"), (400, "ValidationError")] {
        let sandbox = Sandbox::start(Default::default()).await.unwrap();
        sandbox.faults().add("GetCallerIdentity", None, 100, Fault::error(status, code, "no"));
        let error = identity_error(&access(&sandbox)).await;
        assert_eq!((error.code.as_str(), error.message.as_str()), (code, "no"));
        assert_eq!(sandbox.calls()["GetCallerIdentity"], 1);
    }
    let sandbox = Sandbox::start(Default::default()).await.unwrap();
    sandbox.faults().add("GetCallerIdentity", None, 100_000, Fault::throttling());
    let error = identity_error(&access(&sandbox)).await;
    assert_eq!(error.class, ErrorClass::Throttled, "{error}");
}

#[tokio::test]
async fn a_run_says_what_it_waits_for_until_the_response_arrives() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    let slow = Fault::Slow(Duration::from_secs(8));
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, slow);
    let account = account(&fixture.sandbox).await;
    let plan = fixture.plan(&account).await;
    let mut waits = Vec::new();
    let options = crate::support::run::at_once(3);
    let (_, summary) =
        crate::support::run::carry_out(&account, &plan, options, &StopSwitch::new(), |event| {
            if let Event::Waiting(wait) = event {
                waits.push(wait.clone());
            }
        })
        .await;
    assert!(summary.is_complete(), "{summary:?}");
    let first = waits.first().and_then(Option::as_ref).expect("the run waits");
    let expected =
        format!("one call of iam:{PUT} at {}: no response for ", fixture.sandbox.endpoint_url());
    assert!(first.to_string().starts_with(&expected), "{first}");
}
