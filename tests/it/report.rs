//! What people and machines read, made by feeding events.

use std::io;
use std::time::Duration;

use iam_boundaries::apply::{Event, Item, Summary, Verification};
use iam_boundaries::iam::{BoundaryChange, Digest, PolicyArn, PrincipalName};
use iam_boundaries::inventory::{
    ApiError, CallCount, CallOutcome, ErrorClass, Reading, StopReason,
};
use iam_boundaries::journal::JournalError;
use iam_boundaries::plan::{Change, Conflict, Plan, Preflight, Problem, ProblemKind};
use iam_boundaries::report::{Format, Style, render_plan, run_reporter};

fn boundary() -> PolicyArn {
    "arn:aws:iam::123456789012:policy/Developer".parse().unwrap()
}

fn user(n: usize) -> PrincipalName {
    format!("user-{n:03}").parse().unwrap()
}

fn plan(changes: usize) -> Plan {
    let action = BoundaryChange::Add { to: boundary() };
    let change = |n| Change { user: user(n), line: n + 2, action: action.clone(), origin: None };
    let account = "123456789012".parse().unwrap();
    Plan {
        changes: (0..changes).map(change).collect(),
        in_sync: 7,
        names: [(boundary(), "developer".to_owned())].into(),
        ..Plan::empty(account, "boundaries.toml".to_owned(), Digest::of("[users]"))
    }
}

fn error(n: usize, class: ErrorClass, code: &str, message: &str) -> ApiError {
    ApiError {
        action: "iam:PutUserPermissionsBoundary".into(),
        class,
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: Some(format!("request-{n}")),
    }
}

fn failed(n: usize, class: ErrorClass, code: &str, message: &str) -> CallOutcome {
    CallOutcome::Failed { attempts: 1, error: error(n, class, code, message), may_be_done: false }
}

fn applied() -> CallOutcome {
    CallOutcome::Applied { attempts: 1, request_id: None }
}

/// No answer, again and again.
fn lost() -> CallOutcome {
    let error = ApiError {
        request_id: None,
        ..error(0, ErrorClass::Transient, "TimedOut", "no answer came in time")
    };
    CallOutcome::Failed { attempts: 6, error, may_be_done: true }
}

/// The events of a run in which each change ends as `end` says.
fn events(plan: &Plan, end: impl Fn(usize) -> (CallOutcome, Verification)) -> Vec<Event> {
    let mut summary = Summary {
        calls: Calls { made: plan.changes.len() as u64, throttled: 0 },
        elapsed: Duration::from_millis(1_234),
        ..Summary::default()
    };
    let mut events = vec![Event::Started { changes: plan.changes.len() }];
    let (mut ended, mut users) = (Vec::new(), 0);
    for (n, change) in plan.changes.iter().enumerate() {
        let (answer, read_back) = end(n);
        users += usize::from(read_back != Verification::NotNeeded);
        if answer != CallOutcome::NotAttempted {
            events.push(Event::Answered { change: change.clone(), answer: answer.clone() });
        }
        let item = Item { change: change.clone(), answer, read_back };
        summary.count(&item);
        ended.push(Event::Ended(item));
    }
    events.push(Event::Verifying { principals: users });
    events.extend(ended);
    events.push(Event::Finished(summary));
    events
}

fn reported(recheck: &Recheck, events: &[Event], format: Format, style: Style) -> String {
    let mut text = Vec::new();
    let mut reporter = run_reporter(recheck, format, style, &mut text);
    events.iter().for_each(|event| reporter.on(event).unwrap());
    drop(reporter);
    String::from_utf8(text).unwrap()
}

fn text(recheck: &Recheck, events: &[Event]) -> String {
    reported(recheck, events, Format::Text, Style::PLAIN)
}

fn json(recheck: &Recheck, events: &[Event]) -> String {
    reported(recheck, events, Format::Json, Style::PLAIN)
}

fn markdown(recheck: &Recheck, events: &[Event]) -> String {
    reported(recheck, events, Format::Markdown, Style::PLAIN)
}

fn github(recheck: &Recheck, events: &[Event]) -> String {
    reported(recheck, events, Format::Github, Style::PLAIN)
}

#[test]
fn hundreds_of_equal_failures_read_as_one_with_every_user_in_it() {
    let recheck = Recheck::unneeded(plan(400));
    let denied = |n| {
        let message = format!("no, user-{n:03}");
        (failed(n, ErrorClass::Denied, "AccessDenied", &message), Verification::NotNeeded)
    };
    let text = text(&recheck, &events(&recheck.plan, denied));
    let closing = text.split_once("\n\n").unwrap().1;
    assert_eq!(closing.matches("Failed with AccessDenied: 400 users").count(), 1);
    for n in 0..400 {
        assert!(closing.contains(user(n).as_str()), "{n}");
        assert!(text.contains(&format!("(request id request-{n})")), "{n}");
    }
    assert_eq!(closing.matches("help:").count(), 1);
    assert!(closing.contains("iam:PutUserPermissionsBoundary"));
}

/// A plan of which one user was changed behind its back, another has what it wants, and the others end
/// each in another way.
fn mixed() -> (Recheck, Vec<Event>) {
    let whole = plan(7);
    let mut recheck = Recheck::unneeded(whole);
    let change = recheck.plan.changes.remove(6);
    let found = Reading::Boundary(Some("arn:aws:iam::aws:policy/ReadOnlyAccess".parse().unwrap()));
    recheck.conflicts.push(Conflict { change, found });
    recheck.already_done.push(recheck.plan.changes.remove(5));
    let events = events(&recheck.plan, |n| match n {
        0 => (applied(), Verification::AsWritten),
        1 => {
            let request_id = Some("id".to_owned());
            (CallOutcome::Applied { attempts: 3, request_id }, Verification::AsWritten)
        }
        2 => {
            let message = "The user with name user-002 cannot be found.";
            (failed(2, ErrorClass::NotFound, "NoSuchEntity", message), Verification::NotNeeded)
        }
        3 => {
            let error = failed(3, ErrorClass::Rejected, "PolicyNotAttachable", "Cannot attach.");
            (error, Verification::NotNeeded)
        }
        _ => (CallOutcome::NotAttempted, Verification::NotNeeded),
    });
    (recheck, events)
}

/// A run in which reading back corrects what IAM's answers said.
fn corrected() -> (Recheck, Vec<Event>) {
    let mut plan = plan(8);
    plan.changes[2].action = BoundaryChange::Remove { from: boundary() };
    let recheck = Recheck::unneeded(plan);
    let none = || Verification::Otherwise(Reading::Boundary(None));
    let unreadable = || {
        let mut error = error(9, ErrorClass::Denied, "AccessDenied", "not authorized");
        error.action = "iam:GetUser".into();
        Verification::Failed(error)
    };
    let events = events(&recheck.plan, |n| match n {
        0 => (applied(), Verification::AsWritten),
        1 => (applied(), none()),
        2 => (applied(), Verification::Otherwise(Reading::NotFound { differs_by_case: None })),
        3 => (lost(), Verification::AsWritten),
        4 => (lost(), none()),
        5 => (lost(), unreadable()),
        _ => (applied(), unreadable()),
    });
    (recheck, events)
}

/// A run that was stopped when there was an answer, none, one that reads otherwise so far, and nothing
/// sent yet.
fn stopped() -> (Recheck, Vec<Event>) {
    let recheck = Recheck::unneeded(plan(4));
    let mut events = events(&recheck.plan, |n| match n {
        0 => (applied(), Verification::Stopped { last: None }),
        1 => (lost(), Verification::Stopped { last: None }),
        2 => (applied(), Verification::Stopped { last: Some(Reading::Boundary(None)) }),
        _ => (CallOutcome::NotAttempted, Verification::NotNeeded),
    });
    if let Some(Event::Finished(summary)) = events.last_mut() {
        summary.stopped = Some(StopReason::Interrupted);
    }
    (recheck, events)
}

#[test]
fn each_outcome_has_its_place_in_the_text() {
    let (recheck, events) = mixed();
    insta::assert_snapshot!(text(&recheck, &events));
}

#[test]
fn each_outcome_has_its_object_in_the_json_lines() {
    let (recheck, events) = mixed();
    insta::assert_snapshot!(json(&recheck, &events));
}

#[test]
fn each_outcome_has_its_place_in_the_markdown() {
    let (recheck, events) = mixed();
    insta::assert_snapshot!(markdown(&recheck, &events));
}

#[test]
fn what_is_not_done_is_on_its_line_in_the_review() {
    let (recheck, events) = mixed();
    insta::assert_snapshot!(github(&recheck, &events));
}

#[test]
fn what_verification_showed_is_in_each_format() {
    let (recheck, events) = corrected();
    insta::assert_snapshot!("corrected_text", text(&recheck, &events));
    insta::assert_snapshot!("corrected_json", json(&recheck, &events));
    insta::assert_snapshot!("corrected_markdown", markdown(&recheck, &events));
    insta::assert_snapshot!("corrected_github", github(&recheck, &events));
}

#[test]
fn after_a_stop_only_changes_that_are_open_are_not_verified() {
    let (recheck, events) = stopped();
    insta::assert_snapshot!(text(&recheck, &events));
    let markdown = markdown(&recheck, &events);
    let (_, unverified) = markdown.split_once("**Not verified**\n\n").unwrap();
    let (unverified, _) = unverified.split_once("\n\n").unwrap();
    assert_eq!(unverified, "- `user-001`\n- `user-002`");
    let github = github(&recheck, &events);
    assert!(github.contains("title=Not verified::2 users: user-001, user-002"), "{github}");
}

#[test]
fn a_run_that_was_denied_for_everyone_says_so_in_one_message() {
    let recheck = Recheck::unneeded(plan(1));
    let error = error(1, ErrorClass::Denied, "AccessDenied", "not authorized");
    let events = [Event::StoppedBy(error.into()), Event::Finished(Summary::default())];
    for written in [text, markdown, github].map(|write| write(&recheck, &events)) {
        assert_eq!(written.matches("IAM denied every change so far").count(), 1, "{written}");
    }
    assert_eq!(json(&recheck, &events).matches("\"type\":\"stopped\"").count(), 1);
}

#[test]
fn a_journal_that_cannot_be_written_is_why_the_run_stops_in_each_format() {
    let recheck = Recheck::unneeded(plan(2));
    let (path, error) = ("run.jsonl".into(), io::Error::other("no space"));
    let journal = JournalError::Unwritable { path, error: error.into() };
    let mut events = vec![Event::StoppedBy(journal.into())];
    let answer = CallOutcome::NotAttempted;
    events.extend(recheck.plan.changes.iter().cloned().map(|change| {
        Event::Ended(Item { change, answer: answer.clone(), read_back: Verification::NotNeeded })
    }));
    let stopped = Some(StopReason::Journal);
    events.push(Event::Finished(Summary { not_attempted: 2, stopped, ..Summary::default() }));
    for written in [text, markdown, github, json].map(|write| write(&recheck, &events)) {
        let why = "the journal run.jsonl cannot be written: no space";
        assert_eq!(written.matches(why).count(), 1, "{written}");
    }
    assert!(
        text(&recheck, &events).contains("user-000, user-001\n  the journal could not be written")
    );
    let lines = json(&recheck, &events);
    let stopped: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(stopped["error"]["code"], "JournalFailed");
    assert_eq!(stopped["error"]["request_id"], serde_json::Value::Null);
    assert!(stopped["error"]["advice"].as_str().unwrap().contains("free disk space"));
    assert!(lines.lines().last().unwrap().contains("\"stopped_by\":\"journal\""), "{lines}");
}

#[test]
fn colours_appear_only_when_they_are_asked_for() {
    let mut plan = plan(1);
    plan.problems.push(Problem {
        user: user(9),
        line: 4,
        column: Some(1),
        kind: ProblemKind::NotFound { differs_by_case: Some("User-009".parse().unwrap()) },
    });
    let plain = render_plan(&plan, Format::Text, Style::PLAIN);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(plain.contains("IAM has no such user, but it has User-009"), "{plain}");
    let coloured = render_plan(&plan, Format::Text, Style { colour: true, ..Style::PLAIN });
    assert!(coloured.contains("\u{1b}[32m+ user-000"), "{coloured}");
}
