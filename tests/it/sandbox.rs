//! The sandbox through its public face: what it keeps, what it refuses, what it answers to nonsense.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use iam_boundaries::iam::{PrincipalName, Rate, Share};
use iam_boundaries::sandbox::{
    Action, Burst, Chaos, ChaosKind, Fault, Limit, Options, Sandbox, SandboxError, Seed, Throttle,
    reset,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn kept_in(file: &Path) -> Options {
    Options { seed: Seed::Story, state: Some(file.to_owned()), ..Options::default() }
}

/// Sends a form, and gives the status and the body.
async fn post(sandbox: &Sandbox, headers: &str, form: &[u8]) -> (u16, String) {
    posted(sandbox, headers, form).await.expect("an answer")
}

/// Nothing, if the connection is closed without an answer.
async fn posted(sandbox: &Sandbox, headers: &str, form: &[u8]) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        form.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(form).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    if answer.is_empty() {
        return None;
    }
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    Some((status, answer.split_once("\r\n\r\n").unwrap().1.to_owned()))
}

const SIGNED: &str =
    "Authorization: AWS4-HMAC-SHA256 Credential=any/20261124/us-east-1/iam/aws4_request\r\n";

async fn call(sandbox: &Sandbox, form: &str) -> (u16, String) {
    post(sandbox, SIGNED, form.as_bytes()).await
}

fn user(name: &str) -> PrincipalName {
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
async fn a_state_without_deletions_is_read_as_if_nobody_was_deleted() {
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
    let action: Action = "PutUserPermissionsBoundary".parse().unwrap();
    let throttle = Throttle { actions: [(action, burst_of(7.0))].into(), ..Throttle::default() };
    let sandbox = Sandbox::start(Options { throttle, ..Options::default() }).await.unwrap();
    let users: Vec<PrincipalName> = (0..20).map(|n| user(&format!("user-{n}"))).collect();
    let calls = users.iter().map(|user| {
        sandbox.put_user(user, None);
        let (form, sandbox) = (put(user), &sandbox);
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

const BOUNDARY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn put(user: impl std::fmt::Display) -> String {
    format!("Action=PutUserPermissionsBoundary&UserName={user}&PermissionsBoundary={BOUNDARY}")
}

/// Faults of one kind, for every call that can meet it.
fn always(kind: ChaosKind) -> Chaos {
    let (all, none) = (Share::percent(100), Share::percent(0));
    Chaos { kinds: [kind].into(), share: all, stubborn: none, ..Chaos::new(1) }
}

async fn in_chaos(chaos: Chaos, users: usize) -> Sandbox {
    let options = Options { chaos: Some(chaos), page_size: 5, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    (0..users).for_each(|n| sandbox.put_user(&user(&format!("user-{n:02}")), None));
    sandbox
}

async fn attempt(sandbox: &Sandbox, form: &str) -> Option<(u16, String)> {
    posted(sandbox, SIGNED, form.as_bytes()).await
}

fn has_boundary(sandbox: &Sandbox, name: &str) -> bool {
    sandbox.boundary_of(&user(name)).unwrap().is_some()
}

#[tokio::test]
async fn a_call_that_goes_wrong_by_chance_does_its_work_or_not_as_its_kind_says() {
    for (kind, status, is_done) in [
        (ChaosKind::CutBefore, None, false),
        (ChaosKind::CutAfter, None, true),
        (ChaosKind::Truncated, Some(200), true),
        (ChaosKind::Garbage, Some(200), true),
        (ChaosKind::ServiceFailure, Some(500), false),
    ] {
        let sandbox = in_chaos(always(kind), 1).await;
        for _ in 0..Chaos::IN_A_ROW {
            let answer = attempt(&sandbox, &put("user-00")).await;
            assert_eq!(answer.as_ref().map(|(status, _)| *status), status, "{kind}");
            assert_eq!(has_boundary(&sandbox, "user-00"), is_done, "{kind}");
            let body = answer.map(|(_, body)| body).unwrap_or_default();
            assert!(!body.contains("</PutUserPermissionsBoundaryResponse>"), "{kind}: {body}");
            assert_eq!(body.starts_with("<Put"), kind == ChaosKind::Truncated, "{kind}: {body}");
            let is_error = body.contains("<Code>ServiceFailure</Code>");
            assert_eq!(is_error, kind == ChaosKind::ServiceFailure, "{kind}: {body}");
        }
        let (status, body) = attempt(&sandbox, &put("user-00")).await.unwrap();
        assert_eq!(status, 200, "{kind}");
        assert!(body.ends_with("</PutUserPermissionsBoundaryResponse>"), "{kind}: {body}");
        assert_eq!(call(&sandbox, "Action=GetCallerIdentity").await.0, 200, "{kind}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_the_same_answer() {
    let slowest = Duration::from_millis(5);
    let sandbox = in_chaos(Chaos { slowest, ..always(ChaosKind::Slow) }, 1).await;
    assert_eq!(call(&sandbox, &put("user-00")).await.0, 200);
    assert!(has_boundary(&sandbox, "user-00"));
}

#[tokio::test]
async fn a_write_may_find_its_user_gone_and_a_read_never_does() {
    let sandbox = in_chaos(always(ChaosKind::UserDeleted), 2).await;
    for form in [put("user-00"), "Action=DeleteUserPermissionsBoundary&UserName=user-01".to_owned()]
    {
        let name = form.split("UserName=").nth(1).unwrap().split('&').next().unwrap();
        let get = format!("Action=GetUser&UserName={name}");
        assert_eq!(call(&sandbox, &get).await.0, 200);
        let (status, body) = call(&sandbox, &form).await;
        assert_eq!(status, 404);
        assert!(body.contains("<Code>NoSuchEntity</Code>"), "{body}");
        assert!(body.contains(&format!("The user with name {name} cannot be found.")), "{body}");
        assert_eq!(sandbox.boundary_of(&user(name)), None);
        assert_eq!(call(&sandbox, &get).await.0, 404);
    }
}

#[tokio::test]
async fn a_storm_throttles_call_after_call_and_does_nothing_until_it_is_over() {
    let share = Share::percent(50);
    let chaos = Chaos { share, ..always(ChaosKind::ThrottlingStorms) };
    let sandbox = in_chaos(chaos, 100).await;
    let mut throttled = Vec::new();
    for n in 0..100 {
        let (status, body) = call(&sandbox, &put(format!("user-{n:02}"))).await;
        assert_eq!(status == 400, body.contains("<Code>Throttling</Code>"), "{status} {body}");
        assert_eq!(has_boundary(&sandbox, &format!("user-{n:02}")), status == 200);
        throttled.push(status == 400);
    }
    let count = throttled.iter().filter(|throttled| **throttled).count();
    assert!((20..=80).contains(&count), "{throttled:?}");
    assert!(throttled.chunk_by(|a, b| a == b).any(|run| run.len() > 3), "{throttled:?}");
    assert_eq!(sandbox.throttled_calls()["PutUserPermissionsBoundary"], count as u64);
}

/// The names on each page, from the first to the last.
async fn pages(sandbox: &Sandbox, action: &str) -> Vec<Vec<String>> {
    let mut pages: Vec<Vec<String>> = Vec::new();
    let mut form = format!("Action={action}&MaxItems=1000");
    loop {
        let (_, body) = call(sandbox, &form).await;
        let between = |tag: &str| -> Vec<String> {
            let begin = format!("<{tag}>");
            body.split(&begin)
                .skip(1)
                .map(|rest| rest.split('<').next().unwrap().to_owned())
                .collect()
        };
        pages.push(between("UserName"));
        assert!(pages.len() < 100, "it ends: {pages:?}");
        match between("Marker").pop() {
            Some(marker) => form = format!("Action={action}&MaxItems=1000&Marker={marker}"),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn a_shifted_page_leaves_users_out_or_repeats_some_and_the_reading_ends() {
    let (mut left_out, mut repeated) = (0, 0);
    for seed in 0..20 {
        let sandbox = in_chaos(Chaos { seed, ..always(ChaosKind::ShiftedPages) }, 40).await;
        for action in ["ListUsers", "GetAccountAuthorizationDetails"] {
            let pages = pages(&sandbox, action).await;
            assert_eq!(pages[0], (0..5).map(|n| format!("user-{n:02}")).collect::<Vec<_>>());
            let names = pages.concat();
            let distinct: BTreeSet<&String> = names.iter().collect();
            left_out += 40 - distinct.len();
            repeated += names.len() - distinct.len();
        }
    }
    assert!(left_out > 100 && repeated > 100, "{left_out} {repeated}");
}

#[tokio::test]
async fn one_page_can_be_shifted_alone() {
    let sandbox = Sandbox::start(Options { page_size: 3, ..Options::default() }).await.unwrap();
    "abcdefg".chars().for_each(|name| sandbox.put_user(&user(&name.to_string()), None));
    for (shift, second) in [(1, "efg"), (-1, "cde"), (-9, "bcd"), (9, "")] {
        sandbox.faults().add("ListUsers", None, 2, Fault::Shifted(shift));
        let pages = pages(&sandbox, "ListUsers").await;
        assert_eq!((pages[0].concat(), pages[1].concat()), ("abc".into(), second.into()));
    }
}

#[tokio::test]
async fn stale_reads_show_the_boundary_from_before_and_the_account_has_the_new_one() {
    let hour = Duration::from_secs(3_600);
    let by_chance = Chaos { stalest: hour, ..always(ChaosKind::StaleReads) };
    let always = Options { staleness: hour, ..Options::default() };
    for options in [always, Options { chaos: Some(by_chance), ..Options::default() }] {
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.put_user(&user("alice"), None);
        assert_eq!(call(&sandbox, &put("alice")).await.0, 200);
        assert!(has_boundary(&sandbox, "alice"));
        for read in ["GetUser&UserName=alice", "GetAccountAuthorizationDetails"] {
            let (status, body) = call(&sandbox, &format!("Action={read}")).await;
            assert_eq!(status, 200);
            assert!(body.contains("alice") && !body.contains("PermissionsBoundary"), "{body}");
        }
    }
}

/// What each of the calls was answered, by call and how often it had come.
async fn answers(chaos: Chaos, order: impl Iterator<Item = usize>) -> BTreeMap<(String, u32), u16> {
    let sandbox = &in_chaos(chaos, 40).await;
    let calls = order.map(|n| async move {
        let form = match n % 2 {
            0 => put(format!("user-{n:02}")),
            _ => format!("Action=GetUser&UserName=user-{n:02}"),
        };
        let mut answers = Vec::new();
        for times in 0..4 {
            let answer = attempt(sandbox, &form).await;
            let seen = answer.map_or(0, |(status, body)| status + body.len() as u16);
            answers.push(((form.clone(), times), seen));
        }
        answers
    });
    futures::future::join_all(calls).await.into_iter().flatten().collect()
}

#[tokio::test]
async fn the_same_seed_gives_the_same_calls_the_same_faults_in_whatever_order_they_come() {
    let chaos = |seed| {
        let mut chaos = Chaos { share: Share::percent(40), ..Chaos::new(seed) };
        // Storms go by the order in which calls come.
        chaos.kinds.remove(&ChaosKind::ThrottlingStorms);
        Chaos { slowest: Duration::from_millis(3), ..chaos }
    };
    let first = answers(chaos(1), 0..40).await;
    assert_eq!(first, answers(chaos(1), (0..40).rev()).await);
    assert_ne!(first, answers(chaos(2), 0..40).await);
    let distinct: BTreeSet<u16> = first.values().copied().collect();
    assert!(distinct.len() > 5, "several kinds were met: {distinct:?}");
}

#[tokio::test]
async fn a_fault_that_is_switched_on_goes_before_chance() {
    let sandbox = in_chaos(always(ChaosKind::ServiceFailure), 1).await;
    let denied = Fault::error(403, "AccessDenied", "no");
    sandbox.faults().add("GetUser", None, 1, denied);
    let get = "Action=GetUser&UserName=user-00";
    assert_eq!(call(&sandbox, get).await.0, 403);
    assert_eq!(call(&sandbox, get).await.0, 500);
}

#[test]
fn a_kind_of_chaos_is_one_of_those_that_there_are() {
    for kind in ChaosKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
    let error = "cut".parse::<ChaosKind>().unwrap_err().to_string();
    assert!(error.contains("`cut`") && error.contains("cut-after, truncated"), "{error}");
}
