//! The example that sets the boundary of a user or role when it is created.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use iam_boundaries::iam::Principal;
use serde_json::{Value, json};

use crate::support::Ran;
use crate::support::fixture::{DETAILS, Fixture, user};
use crate::support::policy::actions;
use crate::support::tools::program;

const FILE: &str = "[account]\nid = \"123456789012\"\n[[rules]]\npath = \"/contractors/*\"\nboundary = \"policy/Developer\"\n\
                    [[rules]]\nfor = \"roles\"\nboundary = \"policy/Other\"\n";

/// Runs the script with an event, while the sandbox in this process serves requests.
async fn on_create(fixture: &Fixture, event: &Value) -> Ran {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let binary = Path::new(env!("CARGO_BIN_EXE_iam-boundaries")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path =
        std::env::join_paths([binary.to_owned()].into_iter().chain(std::env::split_paths(&path)));
    let mut command = Command::new("bash");
    command
        .arg(root.join("examples/event-driven/on-create.sh"))
        .current_dir(fixture.folder())
        .env("PATH", path.unwrap())
        .env("HOME", fixture.folder())
        .env("XDG_STATE_HOME", fixture.folder())
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_ENDPOINT_URL", fixture.sandbox.endpoint_url())
        .env("ON_CREATE_WAIT", "0.01")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let event = event.to_string();
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(event.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    Ran::of(output.await.unwrap())
}

fn event(name: &str, parameters: &Value) -> Value {
    let text = include_str!("../../examples/event-driven/event.json");
    let mut event: Value = serde_json::from_str(text).unwrap();
    event["detail"]["eventName"] = json!(name);
    event["detail"]["requestParameters"] = parameters.clone();
    event
}

#[tokio::test]
async fn a_new_user_and_a_new_role_get_the_boundaries_of_their_rules() {
    if program("jq", "apt-get install jq").is_none() {
        return;
    }
    let fixture = Fixture::users(2).roles(1).file(FILE).start().await;
    fixture.sandbox.put_path(&Principal::user(user(1)), "/contractors/");
    let ran = on_create(&fixture, &event("CreateUser", &json!({ "userName": "user-0001" }))).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert!(fixture.has(1, "Developer") && fixture.has_none(0));
    let ran = on_create(&fixture, &event("CreateRole", &json!({ "roleName": "user-0000" }))).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!((fixture.writes(), fixture.calls(DETAILS)), (2, 0));
}

#[tokio::test]
async fn the_example_allows_what_the_script_calls_and_nothing_else() {
    if program("jq", "apt-get install jq").is_none() {
        return;
    }
    let file = FILE.replace("[[rules]]\npath", "[guard]\nmax_changes = \"25%\"\n[[rules]]\npath");
    let fixture = Fixture::users(20).roles(4).file(&file).start().await;
    fixture.sandbox.put_path(&Principal::user(user(1)), "/contractors/");
    for event in [
        event("CreateUser", &json!({ "userName": "user-0001" })),
        event("CreateRole", &json!({ "roleName": "user-0000" })),
    ] {
        let ran = on_create(&fixture, &event).await;
        assert_eq!(ran.code, 0, "{ran}");
    }
    assert!(fixture.has(1, "Developer"));
    let policy = include_str!("../../examples/event-driven/permissions.json");
    let allowed = BTreeSet::from_iter(actions(&[serde_json::from_str(policy).unwrap()]));
    let calls = fixture.sandbox.calls();
    let called = calls.keys().filter(|&it| it != "GetCallerIdentity");
    assert_eq!(allowed, called.map(|action| format!("iam:{action}")).collect());
}

#[tokio::test]
async fn a_listed_user_that_iam_does_not_return_yet_is_tried_again() {
    if program("jq", "apt-get install jq").is_none() {
        return;
    }
    let file = format!("{FILE}[users]\nlee = \"policy/Other\"\n");
    let fixture = Fixture::users(1).file(&file).start().await;
    let ran = on_create(&fixture, &event("CreateUser", &json!({ "userName": "lee" }))).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert_eq!(
        ran.out.matches("Cannot be planned").count(),
        4,
        "one attempt and three retries: {ran}"
    );
}

#[tokio::test]
async fn an_event_that_names_no_principal_writes_nothing() {
    if program("jq", "apt-get install jq").is_none() {
        return;
    }
    let fixture = Fixture::users(2).file(FILE).start().await;
    fixture.sandbox.put_path(&Principal::user(user(1)), "/contractors/");
    for (name, parameters) in [
        ("CreateUser", json!({ "userName": "user-*" })),
        ("CreateUser", json!({ "userName": "x --only user/user-0001" })),
        ("CreateUser", json!({})),
        ("DeleteUser", json!({ "userName": "user-0001" })),
        // It is not there: the script tries a few times.
        ("CreateUser", json!({ "userName": "nobody" })),
    ] {
        let ran = on_create(&fixture, &event(name, &parameters)).await;
        assert_ne!(ran.code, 0, "{name} {parameters}: {ran}");
    }
    assert_eq!(fixture.writes(), 0);
}
