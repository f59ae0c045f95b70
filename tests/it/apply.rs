//! Reading and applying with the real SDK over a real socket, with injected faults.

use std::time::Duration;

use crate::support::fixture::{DETAILS, Fixture, PUT, denied, quick, read, user};
use crate::support::run::{at_once, carry_out};
use iam_boundaries::apply::Item;
use iam_boundaries::aws::StopSwitch;
use iam_boundaries::iam::{Principal, PrincipalName, Rate};
use iam_boundaries::inventory::{CallOutcome, ErrorClass};
use iam_boundaries::plan::ProblemKind;
use iam_boundaries::sandbox::{Burst, Fault, LimitModel, RateLimit, Throttle};

fn failure(item: &Item) -> (u32, &str) {
    match &item.call {
        CallOutcome::Failed { attempts, error, .. } => (*attempts, &error.code),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_page_of_the_account_is_read() {
    let fixture = Fixture::users(25).page_size(4).listed_with("Developer").start().await;
    let (_, summary) = fixture.apply(8).await;
    assert_eq!(summary.applied, 25);
    // Once for the plan, and once for verification.
    assert_eq!(fixture.calls(DETAILS), 2 * 7);
    let account = fixture.account().await;
    assert_eq!(fixture.plan(&account).await.in_sync.users, 25);
}

#[tokio::test]
async fn users_are_read_one_by_one_if_reading_account_pages_is_denied() {
    let fixture = Fixture::users(20).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(DETAILS, None, 1, denied());
    let account = fixture.account().await;
    assert_eq!(fixture.plan(&account).await.changes.len(), 20);
    assert_eq!(fixture.sandbox.calls()["GetUser"], 20);
}

#[tokio::test]
async fn a_read_that_fails_is_an_error_and_not_an_empty_account() {
    let fixture = Fixture::users(5).page_size(2).listed_with("Developer").start().await;
    let broken = Fault::error(500, "ServiceFailure", "sorry");
    fixture.sandbox.faults().add(DETAILS, None, 1_000, broken);
    let account = fixture.account().await.reading_with(quick());
    let error = read(&account, fixture.config().users.keys()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "ServiceFailure"));
    let tried = format!("sorry ({}, 6 attempts in ", fixture.sandbox.endpoint_url());
    assert!(error.message.starts_with(&tried), "{error}");
}

#[tokio::test]
async fn a_single_user_that_cannot_be_read_is_a_problem_of_only_that_user() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(DETAILS, None, 1, denied());
    fixture.sandbox.faults().add("GetUser", Some(user(3).as_str()), 1, denied());
    let account = fixture.account().await;
    let plan = fixture.plan(&account).await;
    assert_eq!(plan.changes.len(), 5);
    assert_eq!(plan.problems[0].principal.name, user(3));
    assert!(
        matches!(&plan.problems[0].kind, ProblemKind::Unreadable(error) if error.code == "AccessDenied")
    );
}

#[tokio::test]
async fn reading_that_is_denied_for_every_user_is_one_error() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(DETAILS, None, 1, denied());
    fixture.sandbox.faults().add("GetUser", None, 100, denied());
    let account = fixture.account().await;
    let error = read(&account, fixture.config().users.keys()).await.unwrap_err();
    assert_eq!(error.action, "iam:GetUser");
}

#[tokio::test]
async fn a_user_that_iam_does_not_have_is_a_problem_with_its_line() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.sandbox.remove_user(&user(1));
    fixture.sandbox.put_user(&"USER-0001".parse().unwrap(), None);
    let account = fixture.account().await;
    let plan = fixture.plan(&account).await;
    assert_eq!((plan.changes.len(), plan.problems[0].provenance.line), (2, 3));
    let differs_by_case = Some("USER-0001".parse().unwrap());
    assert_eq!(plan.problems[0].kind, ProblemKind::NotFound { differs_by_case });
    let snapshot = read(&account, [&user(0)]).await.unwrap();
    assert_eq!(snapshot.reading(&Principal::user(user(0))).boundary(), Some(None));
}

#[tokio::test]
async fn a_user_whose_name_differs_only_in_case_is_named_also_if_users_are_read_one_by_one() {
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    fixture.sandbox.remove_user(&user(0));
    fixture.sandbox.put_user(&"USER-0000".parse().unwrap(), None);
    let account = fixture.account().await;
    let named = ProblemKind::NotFound { differs_by_case: Some("USER-0000".parse().unwrap()) };
    assert_eq!(fixture.plan(&account).await.problems[0].kind, named);
    assert_eq!((fixture.calls("GetUser"), fixture.calls(DETAILS)), (1, 1));
    // If the pages are denied, the user is still missing, and that is no error.
    fixture.sandbox.faults().add(DETAILS, None, 1, denied());
    let unnamed = ProblemKind::NotFound { differs_by_case: None };
    assert_eq!(fixture.plan(&account).await.problems[0].kind, unnamed);
}

#[tokio::test]
async fn transient_errors_are_retried_until_the_change_is_made() {
    let fixture = Fixture::users(40).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    faults.add(PUT, Some(user(0).as_str()), 3, Fault::throttling());
    faults.add(PUT, Some(user(1).as_str()), 2, Fault::error(503, "ServiceUnavailable", "later"));
    faults.add(PUT, Some(user(2).as_str()), 2, Fault::CutBefore);
    faults.add(PUT, Some(user(3).as_str()), 2, Fault::CutAfter);
    faults.add(PUT, Some(user(4).as_str()), 2, Fault::Garbage);
    faults.add(PUT, Some(user(6).as_str()), 2, Fault::Truncated);
    for (n, status) in [(7, 302), (8, 400), (9, 403), (10, 404)] {
        faults.add(PUT, Some(user(n).as_str()), 2, Fault::Replaced(status));
    }
    let concurrent = Fault::error(409, "ConcurrentModification", "again");
    faults.add(PUT, Some(user(5).as_str()), 2, concurrent);
    let (items, summary) = fixture.apply(8).await;
    assert_eq!(summary.applied, 40, "{items:?}");
    assert!((0..40).all(|n| fixture.has(n, "Developer")));
    assert_eq!(summary.calls.throttled, 3);
    assert_eq!(summary.calls.made, fixture.sandbox.calls()[PUT]);
}

#[tokio::test]
async fn a_response_with_status_200_that_is_not_from_iam_is_not_a_success() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    let page = || Fault::Response("<html>Please sign in</html>".to_owned());
    faults.add(PUT, Some(user(0).as_str()), 100, page());
    faults.add(PUT, Some(user(1).as_str()), 2, page());
    let (items, summary) = fixture.apply(8).await;
    assert_eq!((summary.applied, summary.failed), (2, 1));
    assert_eq!(failure(&items[&user(0)]), (6, "UnreadableResponse"));
    assert!(
        !fixture.has(0, "Developer") && fixture.has(1, "Developer") && fixture.has(2, "Developer")
    );
}

#[tokio::test]
async fn a_response_without_an_error_code_does_not_show_that_nothing_was_changed() {
    let fixture = Fixture::users(40).listed_with("Developer").start().await;
    for (n, status) in [(0, 302), (1, 400), (2, 403), (3, 404), (4, 407), (5, 503)] {
        let faults = fixture.sandbox.faults();
        faults.add(PUT, Some(user(n).as_str()), 100, Fault::Replaced(status));
    }
    let (items, _) = fixture.apply(8).await;
    for n in 0..6 {
        let CallOutcome::Failed { error, may_be_done, .. } = &items[&user(n)].call else {
            panic!("{:?}", items[&user(n)])
        };
        assert!(error.code.starts_with("HTTP ") && *may_be_done, "{error}");
        assert!(fixture.has(n, "Developer"));
    }
}

#[tokio::test]
async fn the_failure_of_one_change_does_not_stop_the_others() {
    let fixture = Fixture::users(50).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    let denied = Fault::error(403, "AccessDenied", "explicit deny");
    faults.add(PUT, Some(user(7).as_str()), 100, denied);
    faults.add(PUT, Some(user(8).as_str()), 100, Fault::error(500, "ServiceFailure", "sorry"));
    faults.add(PUT, Some(user(9).as_str()), 1_000, Fault::throttling());
    let (items, summary) = fixture.apply(8).await;
    assert_eq!((summary.applied, summary.failed), (47, 3));
    assert_eq!(failure(&items[&user(7)]), (1, "AccessDenied"));
    assert_eq!(failure(&items[&user(8)]), (6, "ServiceFailure"));
    let (attempts, code) = failure(&items[&user(9)]);
    assert!(attempts > 1 && code == "Throttling", "{attempts} {code}");
    assert!((0..50).all(|n| fixture.has(n, "Developer") != [7, 8, 9].contains(&n)));
}

#[tokio::test]
async fn only_the_change_of_a_user_that_was_deleted_during_the_run_fails_and_the_advice_names_the_user()
 {
    let fixture = Fixture::users(5).listed_with("Developer").start().await;
    let account = fixture.account().await;
    let plan = fixture.plan(&account).await;
    fixture.sandbox.remove_user(&user(2));
    let (items, summary) = carry_out(&account, &plan, at_once(1), &StopSwitch::new(), |_| {}).await;
    assert_eq!((summary.applied, summary.failed), (4, 1));
    let CallOutcome::Failed { error, .. } = &items[&user(2)].call else { panic!("{items:?}") };
    assert_eq!(error.class, ErrorClass::NotFound);
    assert!(error.request_id.is_some());
    let advice = iam_boundaries::report::advice(error).unwrap();
    assert!(advice.starts_with("the user no longer exists"), "{advice}");
}

#[tokio::test]
async fn credentials_that_expire_during_the_run_stop_it_and_the_rest_is_not_attempted() {
    let fixture = Fixture::users(30).listed_with("Developer").start().await;
    let expired = Fault::error(403, "ExpiredToken", "The security token is expired");
    fixture.sandbox.faults().add(PUT, Some(user(10).as_str()), 100, expired);
    let (items, summary) = fixture.apply(1).await;
    assert_eq!((summary.applied, summary.failed, summary.not_attempted), (10, 1, 19));
    // Expired credentials cannot verify changes.
    assert_eq!((summary.not_verified, fixture.calls(DETAILS)), (10, 1));
    assert_eq!(failure(&items[&user(10)]), (1, "ExpiredToken"));
    assert_eq!(fixture.sandbox.calls()[PUT], 11);
}

#[tokio::test]
async fn writes_in_flight_do_not_exceed_the_concurrency() {
    let fixture = Fixture::users(12).listed_with("Developer").start().await;
    let slow = || Fault::Slow(Duration::from_millis(40));
    fixture.sandbox.faults().add(PUT, None, 12, slow());
    let (_, summary) = fixture.apply(4).await;
    // Three batches of four. A concurrency of five would have been faster.
    assert!(summary.write_duration >= Duration::from_millis(120), "{:?}", summary.write_duration);
}

#[tokio::test]
async fn a_few_users_of_a_large_account_are_read_one_by_one_and_many_by_pages() {
    let fixture = Fixture::users(3_100).listed_with("Developer").start().await;
    let account = fixture.account().await;
    let calls = || {
        let calls = fixture.sandbox.calls();
        let of = |action: &str| calls.get(action).copied().unwrap_or_default();
        (of("GetUser"), of("GetAccountSummary"), of(DETAILS))
    };
    let users: Vec<PrincipalName> = (0..60).map(|n| user(3_000 + n)).collect();
    read(&account, &users[..2]).await.unwrap();
    assert_eq!(calls(), (2, 0, 0));
    read(&account, &users[..4]).await.unwrap();
    assert_eq!(calls(), (6, 1, 0));
    // Five GetUser calls would cost more than four pages.
    read(&account, &users[..5]).await.unwrap();
    assert_eq!(calls(), (6, 1, 4));
    read(&account, &users[..60]).await.unwrap();
    assert_eq!(calls(), (6, 1, 8));
    // The first page contains all of these users.
    let first: Vec<PrincipalName> = (0..60).map(user).collect();
    read(&account, &first).await.unwrap();
    assert_eq!(calls(), (6, 1, 9));
}

#[tokio::test]
async fn every_user_of_an_account_is_read_in_as_many_calls_as_it_has_pages() {
    let fixture = Fixture::users(2_001).listed_with("Developer").start().await;
    let account = fixture.account().await;
    assert_eq!(fixture.plan(&account).await.changes.len(), 2_001);
    // GetCallerIdentity, and three pages.
    assert_eq!(fixture.sandbox.calls().values().sum::<u64>(), 4);
    assert_eq!(account.calls().made, 4);
}

#[tokio::test]
async fn users_are_read_by_pages_if_reading_single_users_is_denied() {
    let fixture = Fixture::users(20).listed_with("Developer").start().await;
    fixture.sandbox.faults().add("GetUser", Some(user(1).as_str()), 1, denied());
    let account = fixture.account().await;
    let users = [user(0), user(1)];
    let snapshot = read(&account, &users).await.unwrap();
    for user in &users {
        assert_eq!(snapshot.reading(&Principal::user(user.clone())).boundary(), Some(None));
    }
    // If the summary is denied, the tool reads pages immediately.
    fixture.sandbox.faults().add("GetAccountSummary", None, 1, denied());
    read(&account, &[user(0), user(1), user(2)]).await.unwrap();
    assert_eq!(fixture.sandbox.calls()[DETAILS], 2);
}

#[tokio::test]
async fn with_an_unknown_rate_limit_no_change_is_lost_and_few_calls_are_throttled() {
    let fixture = Fixture::users(300).listed_with("Developer").start().await;
    let model = LimitModel::Continuous { burst: Some(Burst::of(20.0).unwrap()) };
    let limit = RateLimit::new(Rate::per_second(100.0).unwrap(), model);
    let put = PUT.parse().unwrap();
    fixture
        .sandbox
        .set_throttle(Throttle { actions: [(put, limit)].into(), ..Throttle::default() });
    let (_, summary) = fixture.apply(64).await;
    assert_eq!((summary.applied, summary.failed), (300, 0));
    assert_eq!(summary.calls.throttled, fixture.sandbox.throttled_calls()[PUT]);
    assert!(summary.calls.throttled >= 1, "the limit was reached");
    assert!(summary.calls.throttled < 60, "{:?}", summary.calls);
}
