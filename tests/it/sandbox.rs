//! The public interface of the sandbox: state, unique IDs, pages, accounts, throttling and invalid requests.

use std::collections::BTreeSet;
use std::path::Path;

use iam_boundaries::iam::{PrincipalName, Rate};
use iam_boundaries::sandbox::{
    Action, Burst, Fault, LimitModel, Options, RateLimit, Sandbox, SandboxError, Seed, Throttle,
    reset,
};

use crate::support::plans::name as user;
use crate::support::query::{SIGNED, call, organizations, post, put};

fn kept_in(file: &Path) -> Options {
    Options { seed: Seed::Story, state: Some(file.to_owned()), ..Options::default() }
}

#[tokio::test]
async fn a_write_is_kept_for_the_next_run_until_a_reset() {
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

fn user_ids(body: &str) -> Vec<String> {
    let rest = body.split("<UserId>").skip(1);
    rest.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_user_has_a_unique_id_that_every_action_answers() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (_, created) = call(&sandbox, "Action=CreateUser&UserName=alice").await;
    sandbox.put_user(&user("bob"), None);
    let ids = ["alice", "bob"].map(|name| sandbox.unique_id_of(&user(name)).unwrap());
    assert_ne!(ids[0], ids[1]);
    for id in &ids {
        let is_of_alphabet = |c: char| c.is_ascii_uppercase() || ('2'..='7').contains(&c);
        assert!(id.len() == 21 && id.starts_with("AIDA") && id.chars().all(is_of_alphabet), "{id}");
    }
    assert_eq!(user_ids(&created), ids[..1]);
    assert_eq!(user_ids(&call(&sandbox, "Action=GetUser&UserName=alice").await.1), ids[..1]);
    for action in ["ListUsers", "GetAccountAuthorizationDetails"] {
        assert_eq!(user_ids(&call(&sandbox, &format!("Action={action}")).await.1), ids, "{action}");
    }
    assert_eq!(sandbox.unique_id_of(&user("nobody")), None);
    let another = Sandbox::start(Options::default()).await.unwrap();
    another.put_user(&user("alice"), None);
    assert_eq!(another.unique_id_of(&user("alice")).unwrap(), ids[0]);
}

#[tokio::test]
async fn a_user_that_is_deleted_and_created_again_has_a_new_unique_id() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let sandbox = Sandbox::start(kept_in(&file)).await.unwrap();
    let alice = user("alice");
    let id = |sandbox: &Sandbox| sandbox.unique_id_of(&alice).unwrap();
    let mut ids = BTreeSet::from([id(&sandbox)]);
    sandbox.put_user(&alice, None);
    assert!(ids.contains(&id(&sandbox)), "a user that is replaced keeps its id");
    sandbox.remove_user(&alice);
    assert_eq!(sandbox.unique_id_of(&alice), None);
    sandbox.remove_user(&alice);
    sandbox.put_user(&alice, None);
    assert!(ids.insert(id(&sandbox)));
    assert_eq!(call(&sandbox, "Action=DeleteUser&UserName=alice").await.0, 200);
    assert_eq!(call(&sandbox, "Action=CreateUser&UserName=alice").await.0, 200);
    assert!(ids.insert(id(&sandbox)));
    drop(sandbox);

    let sandbox = Sandbox::start(kept_in(&file)).await.unwrap();
    assert!(ids.contains(&id(&sandbox)), "the next run has the same id");
    sandbox.remove_user(&alice);
    sandbox.put_user(&alice, None);
    assert!(ids.insert(id(&sandbox)));
}

#[tokio::test]
async fn a_state_file_without_counts_of_deletions_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let text = r#"{"format": "iam-boundaries/sandbox", "format_version": 1, "accounts": {"123456789012":
        {"users": {"alice": {"path": "/", "boundary": null}}, "policies": {}}}}"#;
    std::fs::write(&file, text).unwrap();
    let sandbox = Sandbox::start(kept_in(&file)).await.unwrap();
    let fresh = Sandbox::start(Options::default()).await.unwrap();
    fresh.put_user(&user("alice"), None);
    assert_eq!(sandbox.unique_id_of(&user("alice")), fresh.unique_id_of(&user("alice")));
}

#[tokio::test]
async fn a_state_file_of_another_format_is_refused_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let other_version =
        r#"{"format": "iam-boundaries/sandbox", "format_version": 9, "accounts": {}}"#;
    for text in
        ["", "{", "[]", r#"{"format": "x", "format_version": 1, "accounts": {}}"#, other_version]
    {
        std::fs::write(&file, text).unwrap();
        let error = Sandbox::start(kept_in(&file)).await.unwrap_err();
        assert!(matches!(error, SandboxError::InvalidState { .. }), "{text}: {error}");
        assert!(error.to_string().contains("is not a sandbox state file: "), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_saved_fails() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-folder/state.json");
    std::fs::write(folder.path().join("not-a-folder"), "a file").unwrap();
    let options = kept_in(&file);
    match Sandbox::start(options).await {
        // On some systems, reading below a file fails when the sandbox starts.
        Err(SandboxError::State { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(sandbox) => {
            let (status, _) = call(&sandbox, "Action=CreateUser&UserName=new").await;
            assert_eq!(status, 500);
        }
    }
}

#[tokio::test]
async fn the_error_for_a_port_in_use_names_the_address() {
    let first = Sandbox::start(Options::default()).await.unwrap();
    let options = Options { port: first.address().port(), ..Options::default() };
    let error = Sandbox::start(options).await.unwrap_err();
    assert!(error.to_string().contains(&first.address().to_string()), "{error}");
}

#[tokio::test]
async fn users_created_and_deleted_between_pages_do_not_shift_other_users() {
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
async fn accounts_are_separate_and_a_request_without_a_key_is_refused() {
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

/// A rate limit that adds no tokens to a bucket during a test.
fn burst_of(calls: f64) -> RateLimit {
    let model = LimitModel::Continuous { burst: Some(Burst::of(calls).unwrap()) };
    RateLimit::new(Rate::per_second(0.001).unwrap(), model)
}

#[tokio::test]
async fn of_concurrent_calls_exactly_the_burst_is_executed_and_the_others_do_nothing() {
    let action: Action = "PutUserPermissionsBoundary".parse().unwrap();
    let throttle = Throttle { actions: [(action, burst_of(7.0))].into(), ..Throttle::default() };
    let sandbox = Sandbox::start(Options { throttle, ..Options::default() }).await.unwrap();
    let users: Vec<PrincipalName> = (0..20).map(|n| user(&format!("user-{n}"))).collect();
    let calls = users.iter().map(|user| {
        sandbox.put_user(user, None);
        let (form, sandbox) = (put(user), &sandbox);
        async move { call(sandbox, &form).await }
    });
    let responses = futures::future::join_all(calls).await;
    assert_eq!(responses.iter().filter(|(status, _)| *status == 200).count(), 7);
    for (user, (status, body)) in users.iter().zip(&responses) {
        let has_boundary = sandbox.boundary_of(user).unwrap().is_some();
        assert_eq!(has_boundary, *status == 200, "{user}");
        if *status != 200 {
            assert_eq!(*status, 400);
            assert!(body.contains("<Code>Throttling</Code>"), "{body}");
            assert!(body.contains("<Message>Rate exceeded</Message>"), "{body}");
        }
    }

    // Other actions and other accounts have separate buckets. A throttled call does not use up a fault.
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
async fn writes_of_different_actions_share_the_limit_of_writes() {
    let throttle = Throttle { writes: Some(burst_of(2.0)), ..Throttle::default() };
    let sandbox = Sandbox::start(Options { throttle, ..Options::default() }).await.unwrap();
    sandbox.put_user(&user("alice"), None);
    let delete = "Action=DeleteUserPermissionsBoundary&UserName=alice";
    let put = put(user("alice"));
    let forms = [&put, delete, &put, delete];
    let mut statuses = Vec::new();
    for form in forms {
        statuses.push(call(&sandbox, form).await.0);
    }
    assert_eq!(statuses, [200, 200, 400, 400]);
    assert_eq!(call(&sandbox, "Action=GetUser&UserName=alice").await.0, 200);
}

#[tokio::test]
async fn every_action_that_can_be_throttled_is_supported() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    for action in Action::ALL {
        if Action::ORGANIZATIONS.contains(&action) {
            let (_, body) = organizations(&sandbox, "any", action, "{}").await;
            assert!(body.contains("AWSOrganizationsNotInUseException"), "{action}: {body}");
            continue;
        }
        if action == "LookupEvents".parse().unwrap() {
            let (status, body) = organizations(&sandbox, "any", action, "{}").await;
            assert!(status == 200 && body.starts_with("{\"Events\":["), "{status}: {body}");
            continue;
        }
        let (_, body) = call(&sandbox, &format!("Action={action}")).await;
        assert!(!body.contains("<Code>InvalidAction</Code>"), "{action}: {body}");
    }
    assert!(call(&sandbox, "Action=Other").await.1.contains("<Code>InvalidAction</Code>"));
}

#[tokio::test]
async fn text_in_responses_is_escaped() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let form = "Action=GetPolicy&PolicyArn=%3C%26%22%3E";
    let (status, body) = call(&sandbox, form).await;
    assert_eq!(status, 404);
    assert!(body.contains("Policy &lt;&amp;&quot;&gt; was not found."), "{body}");
}

#[tokio::test]
async fn a_malformed_request_gets_an_error_and_the_server_continues() {
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
