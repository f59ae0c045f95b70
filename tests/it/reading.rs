//! Reading with the real SDK over a real socket: which requests are sent and which responses are accepted.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::fixture::{account, quick, read};
use crate::support::plans::principal;
use futures::{StreamExt, stream};
use iam_boundaries::aws::{LimiterOptions, Stop};
use iam_boundaries::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName, Share};
use iam_boundaries::inventory::{ApiError, ErrorClass, Inventory, PolicyState, Reading};
use iam_boundaries::sandbox::{ACCOUNT, Chaos, ChaosKind, Fault, Options, Sandbox, Seed};

const GET_POLICY: &str = "GetPolicy";
const SUMMARY: &str = "GetAccountSummary";
const DETAILS: &str = "GetAccountAuthorizationDetails";

fn user(name: &str) -> PrincipalName {
    name.parse().unwrap()
}

fn policy(path: &str) -> PolicyArn {
    format!("arn:aws:iam::{ACCOUNT}:policy/{path}").parse().unwrap()
}

fn policy_of_aws(path: &str) -> PolicyArn {
    format!("arn:aws:iam::aws:policy/{path}").parse().unwrap()
}

fn policy_answer(name: &str, is_attachable: bool) -> String {
    let arn = policy(name);
    format!(
        "<GetPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetPolicyResult><Policy>\
         <Arn>{arn}</Arn><IsAttachable>{is_attachable}</IsAttachable></Policy></GetPolicyResult>\
         </GetPolicyResponse>"
    )
}

async fn company() -> Sandbox {
    Sandbox::start(Options { seed: Seed::Story, ..Options::default() }).await.unwrap()
}

fn unreadable(state: &PolicyState) -> &ApiError {
    match state {
        PolicyState::Unreadable(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_policy_is_read_once_and_is_attachable_or_not_attachable_or_missing() {
    let sandbox = company().await;
    let expected = BTreeMap::from([
        (policy("Developer"), PolicyState::Attachable),
        (policy("ci/Deployer"), PolicyState::Attachable),
        (policy("Nothing"), PolicyState::NoSuchPolicy),
        (policy_of_aws("PowerUserAccess"), PolicyState::Attachable),
        (policy_of_aws("NoSuchPolicyOfAws"), PolicyState::NoSuchPolicy),
        (policy_of_aws("aws-service-role/AWSSupportServiceRolePolicy"), PolicyState::NotAttachable),
    ]);
    let account = account(&sandbox).await;
    let twice = expected.keys().chain(expected.keys());
    assert_eq!(account.policies(twice).await.unwrap(), expected);
    assert_eq!(sandbox.calls()[GET_POLICY], 6);
    assert!(account.policies([]).await.unwrap().is_empty());
    assert_eq!(sandbox.calls()[GET_POLICY], 6);
}

#[tokio::test]
async fn a_denied_policy_is_unreadable_and_the_others_are_read() {
    let sandbox = company().await;
    let denied = Fault::error(403, "AccessDenied", "not authorized");
    sandbox.faults().add(GET_POLICY, None, 1, denied);
    let arns = [policy("Developer"), policy("Contractor")];
    let states = account(&sandbox).await.policies(&arns).await.unwrap();
    let (denied, read): (Vec<_>, Vec<_>) =
        states.values().partition(|state| matches!(state, PolicyState::Unreadable(_)));
    assert_eq!(unreadable(denied[0]).class, ErrorClass::Denied);
    assert_eq!(read, [&PolicyState::Attachable]);
}

#[tokio::test]
async fn expired_credentials_are_one_error_for_all_policies() {
    let sandbox = company().await;
    let expired = Fault::error(403, "ExpiredToken", "The security token is expired");
    sandbox.faults().add(GET_POLICY, None, 1, expired);
    let error = account(&sandbox).await.policies(&[policy("Developer")]).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Credentials, "ExpiredToken"));
}

#[tokio::test]
async fn a_response_about_another_policy_is_an_error() {
    let sandbox = company().await;
    sandbox.faults().add(GET_POLICY, None, 1, Fault::Response(policy_answer("Contractor", true)));
    let arn = policy("Developer");
    let states = account(&sandbox).await.policies([&arn]).await.unwrap();
    let error = unreadable(&states[&arn]);
    assert_eq!(error.code, "UnreadableResponse");
    assert!(error.message.contains("another policy"), "{error}");
}

#[tokio::test]
async fn a_policy_that_iam_reports_as_not_attachable_is_not_attachable() {
    let sandbox = company().await;
    sandbox.faults().add(GET_POLICY, None, 1, Fault::Response(policy_answer("Developer", false)));
    let states = account(&sandbox).await.policies([&policy("Developer")]).await;
    assert_eq!(states.unwrap()[&policy("Developer")], PolicyState::NotAttachable);
}

#[tokio::test]
async fn the_number_of_users_is_read_once() {
    let sandbox = company().await;
    let account = account(&sandbox).await;
    assert_eq!(account.count_of(PrincipalKind::User).await.unwrap(), 19);
    assert_eq!(account.count_of(PrincipalKind::User).await.unwrap(), 19);
    assert_eq!(sandbox.calls()[SUMMARY], 1);
    // Reading also needs the summary, to select the cheapest method.
    read(&account, &[user("alice"), user("bob"), user("dana")]).await.unwrap();
    assert_eq!(sandbox.calls()[SUMMARY], 1);
}

#[tokio::test]
async fn complete_pages_make_the_number_of_users_known() {
    let sandbox =
        Sandbox::start(Options { seed: Seed::Story, page_size: 4, ..Options::default() }).await;
    let sandbox = sandbox.unwrap();
    let account = account(&sandbox).await;
    let denied = Fault::error(403, "AccessDenied", "not authorized");
    sandbox.faults().add(SUMMARY, None, 2, denied);
    assert_eq!(account.known_count(PrincipalKind::User), None);
    assert_eq!(account.every_principal(&[PrincipalKind::User].into()).await.unwrap().len(), 19);
    assert_eq!(account.known_count(PrincipalKind::User), Some(19));
    assert_eq!(account.known_count(PrincipalKind::Role), None);
    assert_eq!(account.count_of(PrincipalKind::User).await.unwrap(), 19);
    assert_eq!(sandbox.calls()[SUMMARY], 2);
}

#[tokio::test]
async fn a_denied_number_of_users_is_an_error() {
    let sandbox = company().await;
    let denied = Fault::error(403, "AccessDenied", "not authorized");
    sandbox.faults().add(SUMMARY, None, 1, denied);
    let account = account(&sandbox).await;
    let error = account.count_of(PrincipalKind::User).await.unwrap_err();
    assert_eq!((error.class, error.action.as_ref()), (ErrorClass::Denied, "iam:GetAccountSummary"));
    assert_eq!(account.count_of(PrincipalKind::User).await.unwrap(), 19);
}

fn nth(n: usize) -> PrincipalName {
    user(&format!("user-{n:03}"))
}

/// The initial boundary of user `n`, which no other user has.
fn own_policy(n: usize) -> PolicyArn {
    policy(&format!("Of-{n:03}"))
}

/// A sandbox with pages of five users, each with its own boundary.
async fn users(count: usize, chaos: Option<Chaos>) -> Sandbox {
    let options = Options { page_size: 5, chaos, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    for n in 0..count {
        sandbox.put_user(&nth(n), Some(&own_policy(n)));
    }
    sandbox
}

/// A number of users for which pages are cheaper than single calls.
const MANY: usize = 60;

fn has_own(snapshot: &Inventory, n: usize) -> bool {
    snapshot.reading(&Principal::user(nth(n))).boundary() == Some(Some(&own_policy(n)))
}

fn missing(differs_by_case: Option<PrincipalName>) -> Reading {
    Reading::NotFound { differs_by_case }
}

#[tokio::test]
async fn a_user_that_pages_omit_is_never_reported_as_missing() {
    let read = |seed| async move {
        let kinds = [ChaosKind::ShiftedPages].into();
        let chaos = Chaos { kinds, share: Share::percent(100), ..Chaos::new(seed) };
        let sandbox = users(MANY, Some(chaos)).await;
        sandbox.put_user(&user("USER-777"), None);
        let listed: Vec<PrincipalName> =
            (0..MANY).map(nth).chain([user("nobody"), user("user-777")]).collect();
        let snapshot = read(&account(&sandbox).await, &listed).await.unwrap();
        assert!((0..MANY).all(|n| has_own(&snapshot, n)), "seed {seed}: {snapshot:?}");
        assert_eq!(snapshot.reading(&principal("nobody")), &missing(None), "seed {seed}");
        assert!(snapshot.reading(&principal("user-777")).is_not_found(), "seed {seed}");
        // Two of the calls are for the users that do not exist.
        sandbox.calls()["GetUser"] - 2
    };
    let left_out: u64 =
        stream::iter(0..60).map(read).buffer_unordered(8).collect::<Vec<_>>().await.iter().sum();
    assert!(left_out > 100, "the pages left users out: {left_out}");
}

#[tokio::test]
async fn the_reading_of_a_missing_user_names_the_user_that_differs_only_in_case() {
    let sandbox = users(MANY, None).await;
    sandbox.put_user(&user("USER-777"), None);
    let listed: Vec<PrincipalName> = (0..MANY).map(nth).chain([user("user-777")]).collect();
    let snapshot = read(&account(&sandbox).await, &listed).await.unwrap();
    let differs = missing(Some(user("USER-777")));
    assert_eq!(snapshot.reading(&principal("user-777")), &differs);
    assert_eq!(sandbox.calls()["GetUser"], 1);
}

/// Pages of five users. The first page cannot shift, and the second page omits users 5 and 6.
async fn denied_and_shifted() -> Sandbox {
    let sandbox = users(MANY, None).await;
    sandbox.put_user(&user("USER-777"), None);
    let denied = Fault::error(403, "AccessDenied", "not authorized");
    sandbox.faults().add("GetUser", None, 100, denied);
    sandbox.faults().add(DETAILS, None, 2, Fault::Shifted(2));
    sandbox
}

#[tokio::test]
async fn pages_that_omitted_users_are_read_again_if_reading_single_users_is_denied() {
    let sandbox = denied_and_shifted().await;
    let listed: Vec<PrincipalName> = (0..MANY).map(nth).chain([user("user-777")]).collect();
    let snapshot = read(&account(&sandbox).await, &listed).await.unwrap();
    assert!((0..MANY).all(|n| has_own(&snapshot, n)), "{snapshot:?}");
    let differs = missing(Some(user("USER-777")));
    assert_eq!(snapshot.reading(&principal("user-777")), &differs);
    assert_eq!((sandbox.calls()["GetUser"], sandbox.calls()[DETAILS]), (3, 12 + 13));
}

#[tokio::test]
async fn pages_that_omitted_a_few_denied_users_are_read_again() {
    let sandbox = denied_and_shifted().await;
    let snapshot = read(&account(&sandbox).await, &[nth(5), nth(6)]).await.unwrap();
    assert!(has_own(&snapshot, 5) && has_own(&snapshot, 6), "{snapshot:?}");
    assert_eq!((sandbox.calls()["GetUser"], sandbox.calls()[DETAILS]), (2, 12 + 2));
}

#[tokio::test]
async fn a_user_that_pages_omit_and_that_cannot_be_read_is_unreadable_and_not_missing() {
    let sandbox = users(MANY, None).await;
    sandbox.faults().add("GetUser", None, 100, Fault::error(500, "ServiceFailure", "sorry"));
    let listed: Vec<PrincipalName> = (0..MANY).map(nth).chain([user("nobody")]).collect();
    let account = account(&sandbox).await.reading_with(quick());
    let snapshot = read(&account, &listed).await.unwrap();
    let Reading::Unreadable(error) = snapshot.reading(&principal("nobody")) else {
        panic!("{snapshot:?}")
    };
    assert_eq!(error.code, "ServiceFailure");
    assert!((0..MANY).all(|n| has_own(&snapshot, n)), "{snapshot:?}");
}

/// Writes a new boundary for every fourth user, with every kind of fault, and compares the readings with the
/// account. Returns the number of failed and of stale readings.
async fn in_chaos(seed: u64) -> (usize, usize) {
    let mut chaos =
        Chaos { share: Share::percent(30), stubborn: Share::percent(1), ..Chaos::new(seed) };
    (chaos.max_delay, chaos.max_staleness) = (Duration::from_millis(3), Duration::from_secs(3_600));
    if seed.is_multiple_of(2) {
        chaos.kinds.remove(&ChaosKind::StaleReads);
    }
    let may_be_stale = chaos.kinds.contains(&ChaosKind::StaleReads);
    let sandbox = users(MANY, Some(chaos)).await;
    let new = sandbox.put_policy("New");
    let account = account(&sandbox).await.reading_with(quick());
    let writer = account.writer(
        LimiterOptions { max_in_flight: 8, expected_calls: MANY / 4 },
        None,
        quick(),
    );
    let stop = Stop::never();
    let writes = (0..MANY).step_by(4).map(|n| {
        let (writer, new, stop) = (&writer, &new, &stop);
        async move { writer.write(&Principal::user(nth(n)), Some(new), || true, stop, |_| {}).await }
    });
    stream::iter(writes).buffer_unordered(8).collect::<Vec<_>>().await;

    let listed: Vec<PrincipalName> = (0..MANY).map(nth).chain([user("nobody")]).collect();
    let (mut unreadable, mut stale) = (0, 0);
    // Reads all users by page, and then some users individually.
    for listed in [&listed[..], &listed[..2]] {
        let snapshot = match read(&account, listed).await {
            Ok(snapshot) => snapshot,
            Err(error) => {
                assert_clear(&error, seed);
                unreadable += 1;
                continue;
            }
        };
        for (n, user) in listed.iter().enumerate() {
            let there = sandbox.boundary_of(user);
            match snapshot.reading(&Principal::user(user.clone())) {
                Reading::Found { boundary: read, .. } => {
                    let is_present =
                        there.as_ref() == Some(&read.as_ref().map(ToString::to_string));
                    let is_previous = there.is_some() && has_own(&snapshot, n);
                    assert!(
                        is_present || (may_be_stale && is_previous),
                        "seed {seed}: {user} {read:?}"
                    );
                    stale += usize::from(!is_present);
                }
                Reading::NotFound { differs_by_case } => {
                    assert_eq!((there, differs_by_case), (None, &None), "seed {seed}: {user}");
                }
                Reading::Unreadable(error) => assert_clear(error, seed),
                Reading::Unmodifiable { .. } => panic!("seed {seed}: {user}"),
            }
        }
    }
    (unreadable, stale)
}

fn assert_clear(error: &ApiError, seed: u64) {
    assert!(
        matches!(error.class, ErrorClass::Transient | ErrorClass::Throttled),
        "seed {seed}: {error}"
    );
    let codes = ["ConnectionFailed", "UnreadableResponse", "ServiceFailure", "Throttling"];
    assert!(codes.contains(&error.code.as_str()), "seed {seed}: {error}");
    assert!(!error.message.is_empty(), "seed {seed}: {error}");
}

#[tokio::test]
async fn with_every_kind_of_fault_a_reading_is_correct_or_a_clear_error() {
    let runs: Vec<_> = stream::iter(0..50).map(in_chaos).buffer_unordered(50).collect().await;
    let unreadable: usize = runs.iter().map(|(unreadable, _)| unreadable).sum();
    let stale: usize = runs.iter().map(|(_, stale)| stale).sum();
    assert!((1..50).contains(&unreadable), "some could not be read, most could: {unreadable}");
    assert!(stale > 10, "stale readings were met: {stale}");
}
