//! The sandbox through its public face: what it keeps, what it refuses, what it answers to nonsense.

use std::path::Path;

use iam_boundaries::sandbox::{
    Action, Burst, Fault, Limit, Options, Sandbox, SandboxError, Seed, Throttle, reset,
};
use iam_boundaries::values::{Rate, UserName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn kept_in(file: &Path) -> Options {
    Options { seed: Seed::Story, state: Some(file.to_owned()), ..Options::default() }
}

/// Sends a form, and gives the status and the body.
async fn post(sandbox: &Sandbox, headers: &str, form: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        form.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(form).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

const SIGNED: &str =
    "Authorization: AWS4-HMAC-SHA256 Credential=any/20261124/us-east-1/iam/aws4_request\r\n";

async fn call(sandbox: &Sandbox, form: &str) -> (u16, String) {
    post(sandbox, SIGNED, form.as_bytes()).await
}

fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

#[tokio::test]
async fn what_was_written_is_there_in_the_next_run_until_it_is_reset() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/state.json");
    let sandbox = Sandbox::start(kept_in(&file)).await.unwrap();
    let boundary = "arn:aws:iam::123456789012:policy/Developer";
    let put =
        format!("Action=PutUserPermissionsBoundary&UserName=dana&PermissionsBoundary={boundary}");
    assert_eq!(call(&sandbox, &put).await.0, 200);
    drop(sandbox);

    let sandbox = Sandbox::start(kept_in(&file)).await.unwrap();
    assert_eq!(sandbox.boundary_of(&user("dana")), Some(Some(boundary.to_owned())));
    drop(sandbox);
    assert!(reset(&file).unwrap());
    assert!(!reset(&file).unwrap());
    let sandbox = Sandbox::start(kept_in(&file)).await.unwrap();
    assert_eq!(sandbox.boundary_of(&user("dana")), Some(None));
}

#[tokio::test]
async fn a_state_that_no_sandbox_wrote_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let other_version =
        r#"{"format": "iam-boundaries/sandbox", "format_version": 9, "accounts": {}}"#;
    for text in
        ["", "{", "[]", r#"{"format": "x", "format_version": 1, "accounts": {}}"#, other_version]
    {
        std::fs::write(&file, text).unwrap();
        let error = Sandbox::start(kept_in(&file)).await.unwrap_err();
        assert!(matches!(error, SandboxError::ForeignState { .. }), "{text}: {error}");
        assert!(error.to_string().contains("sandbox reset"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_kept_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-folder/state.json");
    std::fs::write(folder.path().join("not-a-folder"), "a file").unwrap();
    let options = kept_in(&file);
    match Sandbox::start(options).await {
        // Reading through a file fails at once on some systems.
        Err(SandboxError::State { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(sandbox) => {
            let (status, _) = call(&sandbox, "Action=CreateUser&UserName=new").await;
            assert_eq!(status, 500);
        }
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let first = Sandbox::start(Options::default()).await.unwrap();
    let options = Options { port: first.address().port(), ..Options::default() };
    let error = Sandbox::start(options).await.unwrap_err();
    assert!(error.to_string().contains(&first.address().to_string()), "{error}");
}

#[tokio::test]
async fn users_that_come_and_go_between_pages_do_not_shift_the_others() {
    let options = Options { page_size: 2, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    for name in ["b", "c", "d", "e"] {
        sandbox.put_user(&user(name), None);
    }
    let (_, first) = call(&sandbox, "Action=ListUsers").await;
    assert!(first.contains("<IsTruncated>true</IsTruncated>"), "{first}");
    let marker = first.split("<Marker>").nth(1).unwrap().split('<').next().unwrap();
    sandbox.put_user(&user("a"), None);
    sandbox.remove_user(&user("b"));
    let (_, second) = call(&sandbox, &format!("Action=ListUsers&Marker={marker}")).await;
    assert!(second.contains("<UserName>d</UserName>") && second.contains("<UserName>e</UserName>"));
    assert!(second.contains("<IsTruncated>false</IsTruncated>"), "{second}");
}

#[tokio::test]
async fn accounts_are_apart_and_a_request_without_a_key_is_refused() {
    let sandbox =
        Sandbox::start(Options { seed: Seed::Story, ..Options::default() }).await.unwrap();
    let get = "Action=GetUser&UserName=alice";
    assert_eq!(call(&sandbox, get).await.0, 200);
    let other = SIGNED.replace("any", "999999999999");
    assert_eq!(post(&sandbox, &other, get.as_bytes()).await.0, 404);
    let (status, body) = post(&sandbox, "", get.as_bytes()).await;
    assert_eq!(status, 403);
    assert!(body.contains("<Code>MissingAuthenticationToken</Code>"), "{body}");
}

/// So slow that no token comes back while a test runs.
fn burst_of(calls: f64) -> Limit {
    Limit::new(Rate::per_second(0.001).unwrap(), Burst::of(calls).unwrap())
}

#[tokio::test]
async fn of_many_calls_at_once_exactly_the_burst_is_let_through_and_the_rest_does_nothing() {
    let put: Action = "PutUserPermissionsBoundary".parse().unwrap();
    let throttle = Throttle { actions: [(put, burst_of(7.0))].into(), ..Throttle::default() };
    let sandbox = Sandbox::start(Options { throttle, ..Options::default() }).await.unwrap();
    let users: Vec<UserName> = (0..20).map(|n| user(&format!("user-{n}"))).collect();
    let put = |user: &UserName| {
        let boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
        format!("Action=PutUserPermissionsBoundary&UserName={user}&PermissionsBoundary={boundary}")
    };
    let calls = users.iter().map(|user| {
        sandbox.put_user(user, None);
        let form = put(user);
        let sandbox = &sandbox;
        async move { call(sandbox, &form).await }
    });
    let answers = futures::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 7);
    for (user, (status, body)) in users.iter().zip(&answers) {
        let has_boundary = sandbox.boundary_of(user).unwrap().is_some();
        assert_eq!(has_boundary, *status == 200, "{user}");
        if *status != 200 {
            assert_eq!(*status, 400);
            assert!(body.contains("<Code>Throttling</Code>"), "{body}");
            assert!(body.contains("<Message>Rate exceeded</Message>"), "{body}");
        }
    }

    // Other actions and other accounts have buckets of their own; a fault waits for a call that passes.
    assert_eq!(call(&sandbox, "Action=GetUser&UserName=user-0").await.0, 200);
    let other = SIGNED.replace("any", "999999999999");
    assert_eq!(post(&sandbox, &other, put(&users[0]).as_bytes()).await.0, 404);
    let denied = Fault::error(403, "AccessDenied", "no");
    sandbox.faults().add("PutUserPermissionsBoundary", None, 1, denied);
    assert_eq!(call(&sandbox, &put(&users[0])).await.0, 400);
    assert_eq!(sandbox.calls()["PutUserPermissionsBoundary"], 22);
    assert_eq!(sandbox.throttled_calls(), [("PutUserPermissionsBoundary".into(), 14)].into());

    sandbox.set_throttle(Throttle::default());
    assert_eq!(call(&sandbox, &put(&users[0])).await.0, 403);
    assert_eq!(call(&sandbox, &put(&users[0])).await.0, 200);
}

#[tokio::test]
async fn every_action_that_can_be_limited_is_one_that_is_answered() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    for action in Action::ALL {
        let (_, body) = call(&sandbox, &format!("Action={action}")).await;
        assert!(!body.contains("<Code>InvalidAction</Code>"), "{action}: {body}");
    }
    assert!(call(&sandbox, "Action=Other").await.1.contains("<Code>InvalidAction</Code>"));
}

#[tokio::test]
async fn text_in_answers_is_escaped() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let form = "Action=GetPolicy&PolicyArn=%3C%26%22%3E";
    let (status, body) = call(&sandbox, form).await;
    assert_eq!(status, 404);
    assert!(body.contains("Policy &lt;&amp;&quot;&gt; was not found."), "{body}");
}

#[tokio::test]
async fn nonsense_is_answered_with_an_error_and_never_ends_the_server() {
    let sandbox =
        Sandbox::start(Options { seed: Seed::Story, ..Options::default() }).await.unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let parts: [&[u8]; 14] = [
        b"Action=",
        b"GetUser",
        b"ListUsers",
        b"CreateUser",
        b"&",
        b"UserName=",
        b"=",
        b"%zz",
        b"%ff",
        b"MaxItems=",
        b"-1",
        b"Marker=",
        b"\xc3\xa9\xff",
        b"PermissionsBoundary=arn:",
    ];
    for _ in 0..300 {
        let count = random.usize(..10);
        let form: Vec<u8> =
            (0..count).flat_map(|_| random.choice(parts).unwrap().to_vec()).collect();
        let (status, body) = post(&sandbox, SIGNED, &form).await;
        assert!([200, 400, 404, 409].contains(&status), "{status} {body}");
    }
    assert_eq!(call(&sandbox, "Action=GetUser&UserName=alice").await.0, 200);
}
