//! Verification of the account after the writes, with the real SDK over a real socket.

use std::time::Duration;

use crate::support::Ran;
use crate::support::fixture::{DELETE, DETAILS, Fixture, PUT, denied, user};
use crate::support::plans::arn;
use crate::support::run::{Items, at_once, carry_out};
use futures::{StreamExt, stream};
use iam_boundaries::apply::{Event, Item, RunOptions, StopError, Summary, Verification};
use iam_boundaries::aws::StopSwitch;
use iam_boundaries::iam::PolicyArn;
use iam_boundaries::inventory::{CallOutcome, Reading, StopReason};
use iam_boundaries::journal::Outcome;
use iam_boundaries::sandbox::{Fault, Sandbox};

const GET_USER: &str = "GetUser";
/// At least as many attempts as the tool makes.
const ALWAYS: u32 = 1_000;

/// A response that confirms a change that was not made.
fn false_success() -> Fault {
    Fault::Response(format!(
        "<{PUT}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata>\
         <RequestId>0f1e2d3c</RequestId></ResponseMetadata></{PUT}Response>"
    ))
}

/// Waits without a practical limit.
fn patient() -> RunOptions {
    RunOptions { verify_for: Duration::from_secs(86_400), ..at_once(4) }
}

/// Plans and applies. `on` receives each event during the run.
async fn run(
    fixture: &Fixture,
    options: RunOptions,
    switch: &StopSwitch,
    on: impl FnMut(&Event) + Send,
) -> (Items, Summary) {
    let account = fixture.account().await;
    let plan = fixture.plan(&account).await;
    carry_out(&account, &plan, options, switch, on).await
}

/// Applies, with one round of verification.
async fn run_once(fixture: &Fixture) -> (Items, Summary) {
    run(fixture, at_once(4), &StopSwitch::new(), |_| {}).await
}

#[tokio::test]
async fn every_written_user_is_verified_in_the_fewest_calls() {
    let fixture = Fixture::users(1_200).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    faults.add(PUT, Some(user(7).as_str()), 1, denied());
    let mut rounds = Vec::new();
    let (items, summary) = run(&fixture, patient(), &StopSwitch::new(), |event| {
        if let Event::Verifying { principals: users } = event {
            rounds.push((users.total(), fixture.calls(DETAILS)));
        }
    })
    .await;
    let [(1_199, before)] = rounds[..] else { panic!("{rounds:?}") };
    // Two pages. A slow run reads more pages before.
    assert_eq!((fixture.calls(DETAILS) - before, fixture.calls(GET_USER)), (2, 0));
    assert_eq!((summary.applied, summary.failed, summary.not_verified), (1_199, 1, 0));
    assert_eq!(items[&user(0)].verification, Verification::AsWritten);
    assert_eq!(items[&user(7)].verification, Verification::NotNeeded);
}

#[tokio::test]
async fn a_denied_change_ends_at_once_and_an_applied_change_ends_after_verification() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, denied());
    let mut told = Vec::new();
    run(&fixture, at_once(1), &StopSwitch::new(), |event| {
        told.push(match event {
            Event::Answered { change, .. } => format!("answered {}", change.principal),
            Event::Verifying { principals: users } => format!("verifying {users}"),
            Event::Ended(item) => format!("ended {}", item.change.principal),
            _ => return,
        });
    })
    .await;
    assert_eq!(
        told,
        [
            "answered user-0000",
            "answered user-0001",
            "ended user-0001",
            "answered user-0002",
            "verifying 2 users",
            "ended user-0000",
            "ended user-0002",
        ]
    );
}

#[tokio::test]
async fn a_change_that_iam_confirmed_and_that_reads_differently_is_not_as_written() {
    let fixture = Fixture::users(5).listed_with("Developer").start().await;
    let other = arn("Other");
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, false_success());
    // Another client changes the account at the same time.
    let interfere = |event: &Event| match event {
        Event::Answered { change, .. } if change.principal.name == user(2) => {
            fixture.sandbox.put_user(&user(2), Some(&other));
        }
        Event::Answered { change, .. } if change.principal.name == user(3) => {
            fixture.sandbox.remove_user(&user(3));
        }
        _ => {}
    };
    let (items, summary) = run(&fixture, at_once(1), &StopSwitch::new(), interfere).await;
    assert_eq!((summary.applied, summary.not_as_written), (2, 3));
    assert!(!summary.is_complete());
    let found = |n| match &items[&user(n)].verification {
        Verification::Otherwise(found) => found,
        read_back => panic!("{read_back:?}"),
    };
    assert_eq!(found(1).boundary(), Some(None));
    assert_eq!(found(2).boundary(), Some(Some(&other)));
    assert_eq!(found(3), &Reading::NotFound { differs_by_case: None });
}

#[tokio::test]
async fn verification_waits_for_stale_readings_and_rereads_only_users_that_differ() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    let mut rounds = Vec::new();
    let (items, summary) = run(&fixture, patient(), &StopSwitch::new(), |event| match event {
        // The next reading returns the boundary from before the write.
        Event::Answered { change, .. } if change.principal.name == user(2) => {
            fixture.sandbox.put_user(&user(2), None);
        }
        Event::Verifying { principals: users } => {
            rounds.push(users.total());
            if rounds.len() == 3 {
                fixture.sandbox.put_user(&user(2), Some(&arn("Developer")));
            }
        }
        _ => {}
    })
    .await;
    assert_eq!(rounds, [4, 1, 1]);
    assert_eq!(items[&user(2)].verification, Verification::AsWritten);
    assert!(summary.is_complete(), "{summary:?}");
}

#[tokio::test]
async fn where_account_pages_leave_boundaries_out_get_user_decides() {
    let fixture = Fixture::users(60).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    faults.add(DETAILS, None, ALWAYS, Fault::WithoutBoundaries);
    faults.add(PUT, Some(user(1).as_str()), 1, false_success());
    faults.add(PUT, Some(user(2).as_str()), ALWAYS, Fault::CutAfter);
    let (items, summary) = run_once(&fixture).await;
    assert_eq!((summary.applied, summary.not_as_written, summary.failed), (59, 1, 0));
    assert_eq!((fixture.calls(DETAILS), fixture.calls(GET_USER)), (2, 60));
    for n in [0, 2] {
        let Verification::AsWrittenBySingleRead(pages) = &items[&user(n)].verification else {
            panic!("{:?}", items[&user(n)])
        };
        assert_eq!(pages.boundary(), Some(None));
    }
    assert!(reads_without_boundary(&items[&user(1)]));
}

#[tokio::test]
async fn get_user_reads_only_users_that_pages_show_otherwise() {
    let fixture = Fixture::users(60).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, false_success());
    let (items, summary) = run_once(&fixture).await;
    assert_eq!((summary.applied, summary.not_as_written), (59, 1));
    assert_eq!(fixture.calls(GET_USER), 1);
    assert!(reads_without_boundary(&items[&user(1)]));
}

#[tokio::test]
async fn if_get_user_is_denied_account_pages_decide_after_one_call() {
    let fixture = Fixture::users(60).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(DETAILS, None, ALWAYS, Fault::WithoutBoundaries);
    fixture.sandbox.faults().add(GET_USER, None, ALWAYS, denied());
    let (_, summary) = run_once(&fixture).await;
    assert_eq!((summary.applied, summary.not_as_written), (0, 60));
    assert_eq!(fixture.calls(GET_USER), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_says_which_source_shows_the_change() {
    let fixture = Fixture::users(60).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(DETAILS, None, ALWAYS, Fault::WithoutBoundaries);
    let arguments = ["apply", "--auto-approve", "--max-changes", "100%", "--read-back", "0s"];
    let text = fixture.run(&arguments).await;
    assert_eq!(text.code, 0, "{text}");
    assert!(text.out.contains("Verified by iam:GetUser only: 60 users"), "{text}");
    let why = "iam:GetAccountAuthorizationDetails does not show the new boundary";
    assert!(text.out.contains(why), "{text}");
    // The pages still show no boundary, so the plan is the same.
    let json = fixture.run(&[&arguments[..], &["--format", "json"]].concat()).await;
    assert_eq!(json.code, 0, "{json}");
    let lines = json.json_lines();
    assert_eq!(lines[0]["read_back"], "as_written_by_get_user");
    assert_eq!(lines[0]["found"]["arn"], serde_json::Value::Null);
}

#[tokio::test]
async fn without_a_response_verification_determines_whether_the_change_was_made() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    faults.add(PUT, Some(user(1).as_str()), ALWAYS, Fault::CutAfter);
    faults.add(PUT, Some(user(2).as_str()), ALWAYS, Fault::CutBefore);
    faults.add(PUT, Some(user(3).as_str()), ALWAYS, Fault::error(500, "ServiceFailure", "sorry"));
    // IAM makes the change, and denies the retry.
    faults.add(PUT, Some(user(4).as_str()), 1, Fault::CutAfter);
    faults.add(PUT, Some(user(4).as_str()), 1, denied());
    let (items, summary) = run_once(&fixture).await;
    assert_eq!((summary.applied, summary.failed, summary.not_as_written), (4, 2, 0));
    for n in [1, 4] {
        let Item { call: answer, verification: read_back, .. } = &items[&user(n)];
        assert!(matches!(answer, CallOutcome::Failed { may_be_done: true, .. }), "{answer:?}");
        assert_eq!(read_back, &Verification::AsWritten);
    }
    for n in [2, 3] {
        assert_eq!(items[&user(n)].outcome(), Outcome::Failed);
        assert!(reads_without_boundary(&items[&user(n)]));
    }
}

fn reads_without_boundary(item: &Item) -> bool {
    matches!(&item.verification, Verification::Otherwise(found) if found.boundary() == Some(None))
}

/// Allows an action a number of times and then denies it.
fn readable_only(sandbox: &Sandbox, action: &str, times: u32) {
    sandbox.faults().add(action, None, times, Fault::Slow(Duration::ZERO));
    sandbox.faults().add(action, None, ALWAYS, denied());
}

#[tokio::test]
async fn a_change_that_cannot_be_verified_keeps_its_outcome_and_the_run_is_incomplete() {
    let fixture = Fixture::users(60).listed_with("Developer").start().await;
    readable_only(&fixture.sandbox, DETAILS, 1);
    fixture.sandbox.faults().add(GET_USER, None, ALWAYS, denied());
    fixture.sandbox.faults().add(PUT, Some(user(3).as_str()), ALWAYS, Fault::CutAfter);
    let (items, summary) = run(&fixture, patient(), &StopSwitch::new(), |_| {}).await;
    assert_eq!((summary.applied, summary.failed, summary.not_verified), (59, 1, 60));
    assert!(!summary.is_complete());
    assert_eq!(summary.verification_error.unwrap().code, "AccessDenied");
    assert!(
        items.values().all(|item| matches!(item.verification, Verification::Failed(_))),
        "{items:?}"
    );
}

#[tokio::test]
async fn a_single_user_that_cannot_be_read_is_counted_as_not_verified() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(GET_USER, None, 2, Fault::Slow(Duration::ZERO));
    fixture.sandbox.faults().add(GET_USER, Some(user(1).as_str()), ALWAYS, denied());
    fixture.sandbox.faults().add(DETAILS, None, ALWAYS, denied());
    let (items, summary) = run(&fixture, patient(), &StopSwitch::new(), |_| {}).await;
    assert_eq!((summary.applied, summary.not_verified), (2, 1));
    assert_eq!(items[&user(0)].verification, Verification::AsWritten);
    assert!(items[&user(1)].is_unverified());
}

#[tokio::test]
async fn after_a_stop_nothing_is_verified_and_the_responses_decide() {
    for reason in [StopReason::Interrupted, StopReason::Deadline, StopReason::Error] {
        let fixture = Fixture::users(10).listed_with("Developer").start().await;
        let switch = StopSwitch::new();
        fixture.sandbox.faults().add(PUT, Some(user(2).as_str()), 1, Fault::CutAfter);
        let (items, summary) = run(&fixture, at_once(1), &switch, |event| match event {
            Event::Retrying { .. } => switch.request_stop(reason),
            Event::Verifying { .. } => panic!("it verifies"),
            _ => {}
        })
        .await;
        assert_eq!((summary.applied, summary.failed, summary.not_attempted), (2, 1, 7));
        assert_eq!((summary.not_verified, summary.stopped), (3, Some(reason)));
        assert!(matches!(items[&user(2)].call, CallOutcome::Failed { may_be_done: true, .. }));
        assert_eq!(fixture.calls(DETAILS), 1);
    }
}

#[tokio::test]
async fn a_stop_ends_the_wait_and_a_user_that_may_have_been_read_too_early_is_not_verified() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    let switch = StopSwitch::new();
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, false_success());
    let (items, summary) = run(&fixture, patient(), &switch, |event| {
        if matches!(event, Event::Ended(_)) {
            switch.request_stop(StopReason::Interrupted);
        }
    })
    .await;
    assert_eq!((summary.applied, summary.not_verified), (4, 1));
    assert!(!summary.is_complete());
    let Verification::Stopped { last: Some(last) } = &items[&user(1)].verification else {
        panic!("{items:?}")
    };
    assert_eq!(last.boundary(), Some(None));
}

#[tokio::test]
async fn a_stop_during_verification_leaves_every_change_not_verified() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    let switch = StopSwitch::new();
    let (_, summary) = run(&fixture, patient(), &switch, |event| {
        if matches!(event, Event::Verifying { .. }) {
            switch.request_stop(StopReason::Deadline);
        }
    })
    .await;
    assert_eq!((summary.applied, summary.not_verified), (4, 4));
    assert!(!summary.is_complete());
}

#[tokio::test]
async fn writes_that_are_all_denied_stop_the_run_with_one_error_and_the_rest_is_not_attempted() {
    let fixture = Fixture::users(200).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, None, ALWAYS, denied());
    let mut stopped_by = Vec::new();
    let (_, summary) = run(&fixture, at_once(4), &StopSwitch::new(), |event| {
        if let Event::StoppedBy(StopError::Call(error)) = event {
            stopped_by.push(error.code.clone());
        }
    })
    .await;
    assert_eq!(stopped_by, ["AccessDenied"]);
    assert_eq!(summary.stopped, Some(StopReason::Error));
    assert!((20..=24).contains(&summary.failed), "{summary:?}");
    assert_eq!(summary.failed + summary.not_attempted, 200);
    assert_eq!(fixture.calls(PUT), summary.failed as u64);
}

#[tokio::test]
async fn writes_of_which_many_are_denied_do_not_stop_the_run() {
    let fixture = Fixture::users(60).listed_with("Developer").start().await;
    for n in (0..60).filter(|n| n % 10 != 9) {
        fixture.sandbox.faults().add(PUT, Some(user(n).as_str()), 1, denied());
    }
    let (_, summary) = run(&fixture, at_once(1), &StopSwitch::new(), |_| {}).await;
    assert_eq!((summary.applied, summary.failed, summary.stopped), (6, 54, None));
}

/// Twelve users with every kind of change, and random faults.
struct Chaos {
    fixture: Fixture,
    random: fastrand::Rng,
}

impl Chaos {
    async fn of(seed: u64) -> Chaos {
        let fixture = Fixture::users(12).page_size(5).listed_with("Developer").start().await;
        let other = arn("Other");
        let mut file = "[users]\n".to_owned();
        for n in 0..12 {
            let user = user(n);
            fixture.sandbox.put_user(&user, (n % 3 > 0).then_some(&other));
            file.push_str(&match n % 3 {
                2 => format!("{user} = false\n"),
                _ => format!("{user} = \"{}\"\n", arn("Developer")),
            });
        }
        fixture.write_file(&file);
        Chaos { fixture, random: fastrand::Rng::with_seed(seed) }
    }

    /// The number of times that a fault is injected: few enough for retries to succeed, or always.
    fn times(&mut self) -> u32 {
        self.random.choice([1, 2, 5, ALWAYS]).unwrap()
    }

    fn add_faults(&mut self) {
        let faults = [
            denied(),
            false_success(),
            Fault::error(500, "ServiceFailure", "sorry"),
            Fault::error(409, "ConcurrentModification", "again"),
            Fault::error(404, "NoSuchEntity", "The user with name x cannot be found."),
            Fault::error(403, "ExpiredToken", "expired"),
            Fault::CutBefore,
            Fault::CutAfter,
            Fault::Garbage,
        ];
        for n in 0..12 {
            let action = if n % 3 == 2 { DELETE } else { PUT };
            for _ in 0..self.random.usize(..3) {
                // Expired credentials end the run, so they are rare. Throttling is slow, and its outcome
                // is certain. Other tests cover it.
                let fault = self.random.usize(..faults.len());
                let fault = if fault == 5 && self.random.u8(..8) > 0 { 0 } else { fault };
                let times = self.times();
                let faults_on = self.fixture.sandbox.faults();
                faults_on.add(action, Some(user(n).as_str()), times, faults[fault].clone());
            }
        }
        // Planning reads three pages. After that, reading is sometimes denied or returns garbage once.
        let sandbox = &self.fixture.sandbox;
        sandbox.faults().add(DETAILS, None, 3, Fault::Slow(Duration::ZERO));
        match self.random.u8(..4) {
            0 => sandbox.faults().add(DETAILS, None, ALWAYS, denied()),
            1 => sandbox.faults().add(DETAILS, None, 1, Fault::Garbage),
            _ => {}
        }
        match self.random.u8(..4) {
            0 => sandbox.faults().add(GET_USER, None, ALWAYS, denied()),
            1 => {
                let user = user(self.random.usize(..12));
                sandbox.faults().add(GET_USER, Some(user.as_str()), ALWAYS, denied());
            }
            _ => {}
        }
    }
}

/// Applies with the faults of a seed. Returns the outcome of each change, and whether it is verified.
async fn classes_of(seed: u64) -> Vec<(Outcome, bool)> {
    let mut chaos = Chaos::of(seed).await;
    chaos.add_faults();
    let fixture = &chaos.fixture;
    let stop_after = chaos.random.usize(..40);
    let switch = StopSwitch::new();
    let mut answered = 0;
    let (items, summary) = run(fixture, at_once(3), &switch, |event| {
        answered += usize::from(matches!(event, Event::Answered { .. }));
        if answered == stop_after {
            switch.request_stop(StopReason::Interrupted);
        }
    })
    .await;
    assert_eq!(items.len(), 12, "seed {seed}");
    let mut classes = Vec::new();
    for item in items.values() {
        let now = fixture.sandbox.boundary_of(&item.change.principal.name).unwrap();
        let is = |boundary: Option<&PolicyArn>| now.as_deref() == boundary.map(PolicyArn::as_str);
        let is_written = is(item.change.boundary.to());
        let is_seen = !item.is_unverified();
        let agrees = match item.outcome() {
            // A false success is detected only by verification.
            Outcome::Applied => is_written || !is_seen,
            Outcome::NotAsWritten => is_seen && !is_written,
            Outcome::Failed => !is_written || !is_seen,
            Outcome::NotAttempted => is_seen && is(item.change.boundary.from()),
        };
        assert!(agrees, "seed {seed}: {item:?}, and there is {now:?}");
        classes.push((item.outcome(), is_seen));
    }
    let unseen = classes.iter().filter(|(_, is_seen)| !is_seen).count();
    assert_eq!(summary.not_verified, unseen, "seed {seed}");
    assert_eq!(summary.is_complete(), summary.applied == 12 && unseen == 0, "seed {seed}");
    classes
}

#[tokio::test]
async fn with_random_faults_every_change_has_one_outcome_that_agrees_with_the_account() {
    let classes: Vec<(Outcome, bool)> = stream::iter(0..200)
        .map(classes_of)
        .buffer_unordered(32)
        .flat_map(stream::iter)
        .collect()
        .await;
    // Otherwise the faults are too rare for a meaningful test.
    for class in [
        (Outcome::Applied, true),
        (Outcome::Applied, false),
        (Outcome::NotAsWritten, true),
        (Outcome::Failed, true),
        (Outcome::Failed, false),
        (Outcome::NotAttempted, true),
    ] {
        let count = classes.iter().filter(|one| **one == class).count();
        assert!(count > 20, "{class:?}: {count}");
    }
}

/// Runs the binary on two users, which planning reads individually.
async fn applied_by_binary(faults: impl FnOnce(&Sandbox), format: &str) -> Ran {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(GET_USER, None, 2, Fault::Slow(Duration::ZERO));
    faults(&fixture.sandbox);
    fixture.run(&["apply", "--auto-approve", "--format", format, "--read-back", "0s"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_written_has_exit_code_3() {
    let lies = |sandbox: &Sandbox| {
        sandbox.faults().add(PUT, Some(user(1).as_str()), 1, false_success());
    };
    let applied = applied_by_binary(lies, "json").await;
    assert_eq!(applied.code, 3, "{applied}");
    let lines = applied.json_lines();
    let item = lines.iter().find(|line| line["name"] == "user-0001").unwrap();
    assert_eq!(
        (&item["outcome"], &item["read_back"]),
        (&"not_as_written".into(), &"otherwise".into())
    );
    assert_eq!(item["found"]["arn"], serde_json::Value::Null);
    let summary = lines.last().unwrap();
    assert_eq!((&summary["applied"], &summary["not_as_written"]), (&1.into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_could_not_be_verified_have_exit_code_3() {
    let unreadable = |sandbox: &Sandbox| {
        sandbox.faults().add(GET_USER, None, ALWAYS, denied());
        sandbox.faults().add(DETAILS, None, ALWAYS, denied());
    };
    let applied = applied_by_binary(unreadable, "text").await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(applied.out.contains("\nCould not be verified: 2 users\n"), "{applied}");
    let counts = "Incomplete: 2 applied, 0 failed, 0 not attempted, 2 not verified;";
    assert!(applied.out.contains(counts), "{applied}");
}
