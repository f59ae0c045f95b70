//! Fault injection in the sandbox: added faults and random faults.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use iam_boundaries::iam::Share;
use iam_boundaries::sandbox::{Chaos, ChaosKind, Fault, Options, Sandbox};

use crate::support::plans::name as user;
use crate::support::query::{call, put, try_call};

/// Faults of one kind for every applicable call.
fn always(kind: ChaosKind) -> Chaos {
    let (all, none) = (Share::percent(100), Share::percent(0));
    Chaos { kinds: [kind].into(), share: all, stubborn: none, ..Chaos::new(1) }
}

async fn with_chaos(chaos: Chaos, users: usize) -> Sandbox {
    let options = Options { chaos: Some(chaos), page_size: 5, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    (0..users).for_each(|n| sandbox.put_user(&user(&format!("user-{n:02}")), None));
    sandbox
}

fn has_boundary(sandbox: &Sandbox, name: &str) -> bool {
    sandbox.boundary_of(&user(name)).unwrap().is_some()
}

#[tokio::test]
async fn the_kind_of_a_random_fault_determines_whether_the_call_is_executed() {
    for (kind, status, is_executed) in [
        (ChaosKind::CutBefore, None, false),
        (ChaosKind::CutAfter, None, true),
        (ChaosKind::Truncated, Some(200), true),
        (ChaosKind::Garbage, Some(200), true),
        (ChaosKind::ServiceFailure, Some(500), false),
    ] {
        let sandbox = with_chaos(always(kind), 1).await;
        for _ in 0..Chaos::MAX_CONSECUTIVE_FAILURES {
            let response = try_call(&sandbox, &put("user-00")).await;
            assert_eq!(response.as_ref().map(|(status, _)| *status), status, "{kind}");
            assert_eq!(has_boundary(&sandbox, "user-00"), is_executed, "{kind}");
            let body = response.map(|(_, body)| body).unwrap_or_default();
            assert!(!body.contains("</PutUserPermissionsBoundaryResponse>"), "{kind}: {body}");
            assert_eq!(body.starts_with("<Put"), kind == ChaosKind::Truncated, "{kind}: {body}");
            let is_error = body.contains("<Code>ServiceFailure</Code>");
            assert_eq!(is_error, kind == ChaosKind::ServiceFailure, "{kind}: {body}");
        }
        let (status, body) = try_call(&sandbox, &put("user-00")).await.unwrap();
        assert_eq!(status, 200, "{kind}");
        assert!(body.ends_with("</PutUserPermissionsBoundaryResponse>"), "{kind}: {body}");
        assert_eq!(call(&sandbox, "Action=GetCallerIdentity").await.0, 200, "{kind}");
    }
}

#[tokio::test]
async fn a_slow_response_is_the_same_response() {
    let max_delay = Duration::from_millis(5);
    let sandbox = with_chaos(Chaos { max_delay, ..always(ChaosKind::Slow) }, 1).await;
    assert_eq!(call(&sandbox, &put("user-00")).await.0, 200);
    assert!(has_boundary(&sandbox, "user-00"));
}

#[tokio::test]
async fn a_user_may_be_deleted_before_a_write_but_not_before_a_read() {
    let sandbox = with_chaos(always(ChaosKind::UserDeleted), 2).await;
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
async fn a_storm_throttles_consecutive_calls_which_do_nothing() {
    let share = Share::percent(50);
    let chaos = Chaos { share, ..always(ChaosKind::ThrottlingStorms) };
    let sandbox = with_chaos(chaos, 100).await;
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

/// The names on each page, in order.
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
        assert!(pages.len() < 100, "the reading does not end: {pages:?}");
        match between("Marker").pop() {
            Some(marker) => form = format!("Action={action}&MaxItems=1000&Marker={marker}"),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn shifted_pages_omit_or_repeat_users_and_the_reading_ends() {
    let (mut omitted, mut repeated) = (0, 0);
    for seed in 0..20 {
        let sandbox = with_chaos(Chaos { seed, ..always(ChaosKind::ShiftedPages) }, 40).await;
        for action in ["ListUsers", "GetAccountAuthorizationDetails"] {
            let pages = pages(&sandbox, action).await;
            assert_eq!(pages[0], (0..5).map(|n| format!("user-{n:02}")).collect::<Vec<_>>());
            let names = pages.concat();
            let distinct: BTreeSet<&String> = names.iter().collect();
            omitted += 40 - distinct.len();
            repeated += names.len() - distinct.len();
        }
    }
    assert!(omitted > 100 && repeated > 100, "{omitted} {repeated}");
}

#[tokio::test]
async fn a_single_page_can_be_shifted() {
    let sandbox = Sandbox::start(Options { page_size: 3, ..Options::default() }).await.unwrap();
    "abcdefg".chars().for_each(|name| sandbox.put_user(&user(&name.to_string()), None));
    for (shift, second) in [(1, "efg"), (-1, "cde"), (-9, "bcd"), (9, "")] {
        sandbox.faults().add("ListUsers", None, 2, Fault::Shifted(shift));
        let pages = pages(&sandbox, "ListUsers").await;
        assert_eq!((pages[0].concat(), pages[1].concat()), ("abc".into(), second.into()));
    }
}

#[tokio::test]
async fn stale_reads_return_the_boundary_from_before_a_write() {
    let hour = Duration::from_secs(3_600);
    let random = Chaos { max_staleness: hour, ..always(ChaosKind::StaleReads) };
    let always = Options { staleness: hour, ..Options::default() };
    for options in [always, Options { chaos: Some(random), ..Options::default() }] {
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

/// A fingerprint of each response, by call and number of previous attempts.
async fn fingerprints(
    chaos: Chaos,
    order: impl Iterator<Item = usize>,
) -> BTreeMap<(String, u32), u16> {
    let sandbox = &with_chaos(chaos, 40).await;
    let calls = order.map(|n| async move {
        let form = match n % 2 {
            0 => put(format!("user-{n:02}")),
            _ => format!("Action=GetUser&UserName=user-{n:02}"),
        };
        let mut fingerprints = Vec::new();
        for attempt in 0..4 {
            let response = try_call(sandbox, &form).await;
            let fingerprint = response.map_or(0, |(status, body)| status + body.len() as u16);
            fingerprints.push(((form.clone(), attempt), fingerprint));
        }
        fingerprints
    });
    futures::future::join_all(calls).await.into_iter().flatten().collect()
}

#[tokio::test]
async fn the_same_seed_injects_the_same_faults_in_any_order_of_the_calls() {
    let chaos = |seed| {
        let mut chaos = Chaos { share: Share::percent(40), ..Chaos::new(seed) };
        // Storms depend on the order of the calls.
        chaos.kinds.remove(&ChaosKind::ThrottlingStorms);
        Chaos { max_delay: Duration::from_millis(3), ..chaos }
    };
    let first = fingerprints(chaos(1), 0..40).await;
    assert_eq!(first, fingerprints(chaos(1), (0..40).rev()).await);
    assert_ne!(first, fingerprints(chaos(2), 0..40).await);
    let distinct: BTreeSet<u16> = first.values().copied().collect();
    assert!(distinct.len() > 5, "several kinds of fault: {distinct:?}");
}

#[tokio::test]
async fn an_added_fault_takes_precedence_over_random_faults() {
    let sandbox = with_chaos(always(ChaosKind::ServiceFailure), 1).await;
    let denied = Fault::error(403, "AccessDenied", "no");
    sandbox.faults().add("GetUser", None, 1, denied);
    let get = "Action=GetUser&UserName=user-00";
    assert_eq!(call(&sandbox, get).await.0, 403);
    assert_eq!(call(&sandbox, get).await.0, 500);
}

#[test]
fn the_error_for_an_unknown_kind_of_fault_lists_the_known_ones() {
    for kind in ChaosKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
    let error = "cut".parse::<ChaosKind>().unwrap_err().to_string();
    assert!(error.contains("`cut`") && error.contains("cut-after, truncated"), "{error}");
}
