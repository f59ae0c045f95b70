//! Reading and applying with the real SDK over a real socket, while the sandbox makes calls go wrong.

use std::time::Duration;

use crate::support::accounts::read;
use crate::support::company::{Company, DETAILS, PUT, at_once, carry_out, denied, user};
use iam_boundaries::apply::Item;
use iam_boundaries::aws::StopSwitch;
use iam_boundaries::iam::{Principal, PrincipalName, Rate};
use iam_boundaries::inventory::{CallOutcome, ErrorClass};
use iam_boundaries::plan::ProblemKind;
use iam_boundaries::sandbox::{Burst, Fault, RateLimit, Throttle};

fn failure(item: &Item) -> (u32, &str) {
    match &item.call {
        CallOutcome::Failed { attempts, error, .. } => (*attempts, &error.code),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_page_of_the_account_is_read() {
    let company = Company::of(25, 4).await;
    let (_, summary) = company.apply(8).await;
    assert_eq!(summary.applied, 25);
    // To plan, and to read back.
    assert_eq!(company.calls(DETAILS), 2 * 7);
    let account = company.account().await;
    assert_eq!(company.plan(&account).await.in_sync, 25);
}

#[tokio::test]
async fn where_account_pages_are_denied_users_are_read_one_by_one() {
    let company = Company::of(20, 1_000).await;
    company.sandbox.faults().add(DETAILS, None, 1, denied());
    let account = company.account().await;
    assert_eq!(company.plan(&account).await.changes.len(), 20);
    assert_eq!(company.sandbox.calls()["GetUser"], 20);
}

#[tokio::test]
async fn a_read_that_fails_is_an_error_and_not_an_empty_account() {
    let company = Company::of(5, 2).await;
    let broken = Fault::error(500, "ServiceFailure", "sorry");
    company.sandbox.faults().add(DETAILS, None, 1_000, broken);
    let account = company.account().await;
    let error = read(&account, company.config.users.keys()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "ServiceFailure"));
}

#[tokio::test]
async fn a_user_who_alone_cannot_be_read_is_a_problem_of_that_user_alone() {
    let company = Company::of(6, 1_000).await;
    company.sandbox.faults().add(DETAILS, None, 1, denied());
    company.sandbox.faults().add("GetUser", Some(user(3).as_str()), 1, denied());
    let account = company.account().await;
    let plan = company.plan(&account).await;
    assert_eq!(plan.changes.len(), 5);
    assert_eq!(plan.problems[0].principal.name, user(3));
    assert!(
        matches!(&plan.problems[0].kind, ProblemKind::Unreadable(error) if error.code == "AccessDenied")
    );
}

#[tokio::test]
async fn denied_for_every_user_is_one_error() {
    let company = Company::of(6, 1_000).await;
    company.sandbox.faults().add(DETAILS, None, 1, denied());
    company.sandbox.faults().add("GetUser", None, 100, denied());
    let account = company.account().await;
    let error = read(&account, company.config.users.keys()).await.unwrap_err();
    assert_eq!(error.action, "iam:GetUser");
}

#[tokio::test]
async fn a_user_that_iam_does_not_have_is_a_problem_with_its_line() {
    let company = Company::of(3, 1_000).await;
    company.sandbox.remove_user(&user(1));
    company.sandbox.put_user(&"USER-0001".parse().unwrap(), None);
    let account = company.account().await;
    let plan = company.plan(&account).await;
    assert_eq!((plan.changes.len(), plan.problems[0].provenance.line), (2, 3));
    let differs_by_case = Some("USER-0001".parse().unwrap());
    assert_eq!(plan.problems[0].kind, ProblemKind::NotFound { differs_by_case });
    let snapshot = read(&account, [&user(0)]).await.unwrap();
    assert_eq!(snapshot.reading(&Principal::user(user(0))).boundary(), Some(None));
}

#[tokio::test]
async fn what_passes_is_tried_again_until_it_is_done() {
    let company = Company::of(40, 1_000).await;
    let faults = company.sandbox.faults();
    faults.add(PUT, Some(user(0).as_str()), 3, Fault::throttling());
    faults.add(PUT, Some(user(1).as_str()), 2, Fault::error(503, "ServiceUnavailable", "later"));
    faults.add(PUT, Some(user(2).as_str()), 2, Fault::CutBefore);
    faults.add(PUT, Some(user(3).as_str()), 2, Fault::CutAfter);
    faults.add(PUT, Some(user(4).as_str()), 2, Fault::Garbage);
    faults.add(PUT, Some(user(6).as_str()), 2, Fault::Truncated);
    let concurrent = Fault::error(409, "ConcurrentModification", "again");
    faults.add(PUT, Some(user(5).as_str()), 2, concurrent);
    let (items, summary) = company.apply(8).await;
    assert_eq!(summary.applied, 40, "{items:?}");
    assert!((0..40).all(|n| company.has_boundary(n)));
    assert_eq!(summary.calls.throttled, 3);
    assert_eq!(summary.calls.made, company.sandbox.calls()[PUT]);
}

#[tokio::test]
async fn an_answer_of_200_that_is_not_iams_is_no_success() {
    let company = Company::of(3, 1_000).await;
    let faults = company.sandbox.faults();
    let page = || Fault::Response("<html>Please sign in</html>".to_owned());
    faults.add(PUT, Some(user(0).as_str()), 100, page());
    faults.add(PUT, Some(user(1).as_str()), 2, page());
    let (items, summary) = company.apply(8).await;
    assert_eq!((summary.applied, summary.failed), (2, 1));
    assert_eq!(failure(&items[&user(0)]), (6, "UnreadableResponse"));
    assert!(!company.has_boundary(0) && company.has_boundary(1) && company.has_boundary(2));
}

#[tokio::test]
async fn one_items_failure_never_stops_the_others() {
    let company = Company::of(50, 1_000).await;
    let faults = company.sandbox.faults();
    let denied = Fault::error(403, "AccessDenied", "explicit deny");
    faults.add(PUT, Some(user(7).as_str()), 100, denied);
    faults.add(PUT, Some(user(8).as_str()), 100, Fault::error(500, "ServiceFailure", "sorry"));
    faults.add(PUT, Some(user(9).as_str()), 1_000, Fault::throttling());
    let (items, summary) = company.apply(8).await;
    assert_eq!((summary.applied, summary.failed), (47, 3));
    assert_eq!(failure(&items[&user(7)]), (1, "AccessDenied"));
    assert_eq!(failure(&items[&user(8)]), (6, "ServiceFailure"));
    let (attempts, code) = failure(&items[&user(9)]);
    assert!(attempts > 1 && code == "Throttling", "{attempts} {code}");
    assert!((0..50).all(|n| company.has_boundary(n) != [7, 8, 9].contains(&n)));
}

#[tokio::test]
async fn a_user_deleted_in_the_middle_fails_alone_and_says_that_it_is_the_user() {
    let company = Company::of(5, 1_000).await;
    let account = company.account().await;
    let plan = company.plan(&account).await;
    company.sandbox.remove_user(&user(2));
    let (items, summary) = carry_out(&account, &plan, at_once(1), &StopSwitch::new(), |_| {}).await;
    assert_eq!((summary.applied, summary.failed), (4, 1));
    let CallOutcome::Failed { error, .. } = &items[&user(2)].call else { panic!("{items:?}") };
    assert_eq!(error.class, ErrorClass::NotFound);
    assert!(error.request_id.is_some());
    let advice = iam_boundaries::report::advice(error).unwrap();
    assert!(advice.starts_with("the user no longer exists"), "{advice}");
}

#[tokio::test]
async fn credentials_that_expire_on_the_way_stop_the_run_and_the_rest_is_not_attempted() {
    let company = Company::of(30, 1_000).await;
    let expired = Fault::error(403, "ExpiredToken", "The security token is expired");
    company.sandbox.faults().add(PUT, Some(user(10).as_str()), 100, expired);
    let (items, summary) = company.apply(1).await;
    assert_eq!((summary.applied, summary.failed, summary.not_attempted), (10, 1, 19));
    // With such credentials nothing can be read back.
    assert_eq!((summary.not_verified, company.calls(DETAILS)), (10, 1));
    assert_eq!(failure(&items[&user(10)]), (1, "ExpiredToken"));
    assert_eq!(company.sandbox.calls()[PUT], 11);
}

#[tokio::test]
async fn no_more_writes_are_under_way_than_the_limit() {
    let company = Company::of(12, 1_000).await;
    let slow = || Fault::Slow(Duration::from_millis(40));
    company.sandbox.faults().add(PUT, None, 12, slow());
    let (_, summary) = company.apply(4).await;
    // Three rounds of four: a fifth at once would have made it faster.
    assert!(summary.elapsed >= Duration::from_millis(120), "{:?}", summary.elapsed);
}

#[tokio::test]
async fn a_few_users_of_a_large_account_are_read_one_by_one_and_many_by_pages() {
    let company = Company::of(3_100, 1_000).await;
    let account = company.account().await;
    let calls = || {
        let calls = company.sandbox.calls();
        let of = |action: &str| calls.get(action).copied().unwrap_or_default();
        (of("GetUser"), of("GetAccountSummary"), of(DETAILS))
    };
    let users: Vec<PrincipalName> = (0..60).map(|n| user(3_000 + n)).collect();
    read(&account, &users[..2]).await.unwrap();
    assert_eq!(calls(), (2, 0, 0));
    read(&account, &users[..4]).await.unwrap();
    assert_eq!(calls(), (6, 1, 0));
    // Five calls of GetUser would be more than four pages.
    read(&account, &users[..5]).await.unwrap();
    assert_eq!(calls(), (6, 1, 4));
    read(&account, &users[..60]).await.unwrap();
    assert_eq!(calls(), (6, 1, 8));
    // All of them stand on the first page.
    let first: Vec<PrincipalName> = (0..60).map(user).collect();
    read(&account, &first).await.unwrap();
    assert_eq!(calls(), (6, 1, 9));
}

#[tokio::test]
async fn every_user_of_an_account_is_read_in_as_many_calls_as_it_has_pages() {
    let company = Company::of(2_001, 1_000).await;
    let account = company.account().await;
    assert_eq!(company.plan(&account).await.changes.len(), 2_001);
    // GetCallerIdentity, and three pages.
    assert_eq!(company.sandbox.calls().values().sum::<u64>(), 4);
    assert_eq!(account.calls().made, 4);
}

#[tokio::test]
async fn where_single_users_are_denied_they_are_read_by_pages() {
    let company = Company::of(20, 1_000).await;
    company.sandbox.faults().add("GetUser", Some(user(1).as_str()), 1, denied());
    let account = company.account().await;
    let users = [user(0), user(1)];
    let snapshot = read(&account, &users).await.unwrap();
    for user in &users {
        assert_eq!(snapshot.reading(&Principal::user(user.clone())).boundary(), Some(None));
    }
    // And where the summary is denied, by pages at once.
    company.sandbox.faults().add("GetAccountSummary", None, 1, denied());
    read(&account, &[user(0), user(1), user(2)]).await.unwrap();
    assert_eq!(company.sandbox.calls()[DETAILS], 2);
}

#[tokio::test]
async fn against_a_limit_that_nobody_told_nothing_is_lost_and_little_is_throttled() {
    let company = Company::of(300, 1_000).await;
    let limit = RateLimit::new(Rate::per_second(100.0).unwrap(), Burst::of(20.0).unwrap());
    let put = PUT.parse().unwrap();
    company
        .sandbox
        .set_throttle(Throttle { actions: [(put, limit)].into(), ..Throttle::default() });
    let (_, summary) = company.apply(64).await;
    assert_eq!((summary.applied, summary.failed), (300, 0));
    assert_eq!(summary.calls.throttled, company.sandbox.throttled_calls()[PUT]);
    assert!(summary.calls.throttled >= 1, "the limit was reached");
    assert!(summary.calls.throttled < 60, "{:?}", summary.calls);
}
