//! What reading back makes of IAM's answers, with the real SDK over a real socket.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::Ran;
use crate::support::fixture::{DELETE, DETAILS, Fixture, PUT, denied, user};
use crate::support::plans::arn;
use crate::support::run::{at_once, carry_out};
use futures::{StreamExt, stream};
use iam_boundaries::apply::{Event, Item, RunOptions, StopError, Summary, Verification};
use iam_boundaries::aws::StopSwitch;
use iam_boundaries::iam::{PolicyArn, PrincipalName};
use iam_boundaries::inventory::{CallOutcome, Reading, StopReason};
use iam_boundaries::journal::Outcome;
use iam_boundaries::sandbox::{Fault, Sandbox};

const GET_USER: &str = "GetUser";
/// As many attempts as the tool makes, at least.
const ALWAYS: u32 = 1_000;

/// An answer that says that it is done, when nothing was.
fn lie() -> Fault {
    Fault::Response(format!(
        "<{PUT}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata>\
         <RequestId>0f1e2d3c</RequestId></ResponseMetadata></{PUT}Response>"
    ))
}

/// Waits as long as it takes: a test that needs less fails by never ending.
fn patient() -> RunOptions {
    RunOptions { verify_for: Duration::from_secs(86_400), ..at_once(4) }
}

/// Plans and applies, while `on` is told each event.
async fn run(
    fixture: &Fixture,
    options: RunOptions,
    switch: &StopSwitch,
    on: impl FnMut(&Event) + Send,
) -> (BTreeMap<PrincipalName, Item>, Summary) {
    let account = fixture.account().await;
    let plan = fixture.plan(&account).await;
    carry_out(&account, &plan, options, switch, on).await
}

/// Applies with what the sandbox has in store, and waits for nobody.
async fn run_once(fixture: &Fixture) -> (BTreeMap<PrincipalName, Item>, Summary) {
    run(fixture, at_once(4), &StopSwitch::new(), |_| {}).await
}

#[tokio::test]
async fn everything_that_was_written_is_read_back_in_the_fewest_calls() {
    let fixture = Fixture::users(1_200).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    faults.add(PUT, Some(user(7).as_str()), 1, denied());
    let mut rounds = Vec::new();
    let (items, summary) = run(&fixture, patient(), &StopSwitch::new(), |event| {
        if let Event::Verifying { principals: users } = event {
            rounds.push(*users);
        }
    })
    .await;
    assert_eq!(rounds, [1_199]);
    // Two pages to plan, and two to read back.
    assert_eq!((fixture.calls(DETAILS), fixture.calls(GET_USER)), (4, 0));
    assert_eq!((summary.applied, summary.failed, summary.not_verified), (1_199, 1, 0));
    assert_eq!(items[&user(0)].verification, Verification::AsWritten);
    assert_eq!(items[&user(7)].verification, Verification::NotNeeded);
}

#[tokio::test]
async fn what_is_refused_ends_at_once_and_what_is_done_when_it_was_seen() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, denied());
    let mut told = Vec::new();
    run(&fixture, at_once(1), &StopSwitch::new(), |event| {
        told.push(match event {
            Event::Answered { change, .. } => format!("answered {}", change.principal),
            Event::Verifying { principals: users } => format!("reading back {users}"),
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
            "reading back 2",
            "ended user-0000",
            "ended user-0002",
        ]
    );
}

#[tokio::test]
async fn what_iam_said_is_done_and_reads_otherwise_is_not_as_written() {
    let fixture = Fixture::users(5).listed_with("Developer").start().await;
    let other = arn("Other");
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, lie());
    // Someone else is at work in the same moment.
    let meddle = |event: &Event| match event {
        Event::Answered { change, .. } if change.principal.name == user(2) => {
            fixture.sandbox.put_user(&user(2), Some(&other));
        }
        Event::Answered { change, .. } if change.principal.name == user(3) => {
            fixture.sandbox.remove_user(&user(3));
        }
        _ => {}
    };
    let (items, summary) = run(&fixture, at_once(1), &StopSwitch::new(), meddle).await;
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
async fn a_stale_reading_is_waited_out_and_only_those_who_differ_are_read_again() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    let mut rounds = Vec::new();
    let (items, summary) = run(&fixture, patient(), &StopSwitch::new(), |event| match event {
        // What is read next is what was there before the write.
        Event::Answered { change, .. } if change.principal.name == user(2) => {
            fixture.sandbox.put_user(&user(2), None);
        }
        Event::Verifying { principals: users } => {
            rounds.push(*users);
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
async fn without_an_answer_the_account_tells_whether_it_is_done() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    faults.add(PUT, Some(user(1).as_str()), ALWAYS, Fault::CutAfter);
    faults.add(PUT, Some(user(2).as_str()), ALWAYS, Fault::CutBefore);
    faults.add(PUT, Some(user(3).as_str()), ALWAYS, Fault::error(500, "ServiceFailure", "sorry"));
    // IAM does it, and then refuses to do it again.
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

/// Lets the account be read so often, and then no more.
fn readable_only(sandbox: &Sandbox, action: &str, times: u32) {
    sandbox.faults().add(action, None, times, Fault::Slow(Duration::ZERO));
    sandbox.faults().add(action, None, ALWAYS, denied());
}

#[tokio::test]
async fn what_cannot_be_read_back_keeps_its_class_and_is_no_success() {
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
async fn one_user_who_cannot_be_read_back_is_not_counted_among_those_who_were() {
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
async fn after_a_stop_nothing_is_read_back_and_the_answers_count() {
    for reason in [StopReason::Interrupted, StopReason::Deadline, StopReason::Error] {
        let fixture = Fixture::users(10).listed_with("Developer").start().await;
        let switch = StopSwitch::new();
        fixture.sandbox.faults().add(PUT, Some(user(2).as_str()), 1, Fault::CutAfter);
        let (items, summary) = run(&fixture, at_once(1), &switch, |event| match event {
            Event::Retrying { .. } => switch.press(reason),
            Event::Verifying { .. } => panic!("it reads back"),
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
async fn a_stop_ends_the_waiting_and_who_may_have_been_read_too_early_was_not_seen() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    let switch = StopSwitch::new();
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, lie());
    let (items, summary) = run(&fixture, patient(), &switch, |event| {
        if matches!(event, Event::Ended(_)) {
            switch.press(StopReason::Interrupted);
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
async fn a_stop_ends_a_reading_and_nobody_was_seen() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    let switch = StopSwitch::new();
    let (_, summary) = run(&fixture, patient(), &switch, |event| {
        if matches!(event, Event::Verifying { .. }) {
            switch.press(StopReason::Deadline);
        }
    })
    .await;
    assert_eq!((summary.applied, summary.not_verified), (4, 4));
    assert!(!summary.is_complete());
}

#[tokio::test]
async fn denied_for_all_stops_the_run_with_one_message_and_the_rest_is_not_attempted() {
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
async fn denied_for_many_stops_nobody_who_may_be_written() {
    let fixture = Fixture::users(60).listed_with("Developer").start().await;
    for n in (0..60).filter(|n| n % 10 != 9) {
        fixture.sandbox.faults().add(PUT, Some(user(n).as_str()), 1, denied());
    }
    let (_, summary) = run(&fixture, at_once(1), &StopSwitch::new(), |_| {}).await;
    assert_eq!((summary.applied, summary.failed, summary.stopped), (6, 54, None));
}

/// Twelve users with every kind of change, and a fault here and there.
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

    /// One that may pass, or does not.
    fn times(&mut self) -> u32 {
        self.random.choice([1, 2, 5, ALWAYS]).unwrap()
    }

    fn add_faults(&mut self) {
        let faults = [
            denied(),
            lie(),
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
                // Expired credentials end the run, so they are seldom. Throttling, which takes its time, is
                // left to the tests of the pace: it never leaves open what IAM did.
                let fault = self.random.usize(..faults.len());
                let fault = if fault == 5 && self.random.u8(..8) > 0 { 0 } else { fault };
                let times = self.times();
                let faults_on = self.fixture.sandbox.faults();
                faults_on.add(action, Some(user(n).as_str()), times, faults[fault].clone());
            }
        }
        // The pages are read once to plan; then, now and then, they are closed, or garbage once.
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

/// Applies under one seed's faults, and gives each item's class, and whether it was seen.
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
            switch.press(StopReason::Interrupted);
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
            // IAM may lie; then only reading back tells.
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
async fn whatever_goes_wrong_each_item_is_in_one_class_and_the_account_agrees() {
    let classes: Vec<(Outcome, bool)> = stream::iter(0..200)
        .map(classes_of)
        .buffer_unordered(32)
        .flat_map(stream::iter)
        .collect()
        .await;
    // Or the faults were too tame to tell anything.
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

/// The binary on two users, who are read one by one: twice to plan.
async fn applied_by_binary(faults: impl FnOnce(&Sandbox), format: &str) -> Ran {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(GET_USER, None, 2, Fault::Slow(Duration::ZERO));
    faults(&fixture.sandbox);
    fixture.run(&["apply", "--auto-approve", "--format", format, "--read-back", "0s"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_written_has_exit_code_3() {
    let lies = |sandbox: &Sandbox| {
        sandbox.faults().add(PUT, Some(user(1).as_str()), 1, lie());
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
async fn success_that_nobody_saw_has_exit_code_3() {
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
