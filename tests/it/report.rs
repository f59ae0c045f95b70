//! Reports of a run, rendered from generated events.

use std::io;
use std::time::Duration;

use iam_boundaries::apply::{Event, Item, Summary, Verification};
use iam_boundaries::config::Provenance;
use iam_boundaries::iam::{
    BoundaryChange, Digest, PolicyArn, Principal, PrincipalCounts, UniqueId,
};
use iam_boundaries::inventory::{
    ApiError, CallCount, CallOutcome, ErrorClass, Inventory, PolicyState, Reading, StopReason,
};
use iam_boundaries::journal::JournalError;
use iam_boundaries::plan::{
    Change, Overrides, Plan, PlanSource, Preflight, Problem, ProblemKind, Refused, Severity,
    Supervision,
};
use iam_boundaries::report::{Format, Style, render_plan, render_refused, run_reporter};

const FORMATS: [Format; 4] = [Format::Text, Format::Json, Format::Markdown, Format::Github];

fn boundary() -> PolicyArn {
    "arn:aws:iam::123456789012:policy/Developer".parse().unwrap()
}

fn other() -> PolicyArn {
    "arn:aws:iam::aws:policy/ReadOnlyAccess".parse().unwrap()
}

fn user(n: usize) -> Principal {
    Principal::user(format!("user-{n:03}").parse().unwrap())
}

fn unique_id(n: usize) -> UniqueId {
    format!("AIDA{n:017}").parse().unwrap()
}

fn place(line: usize, column: Option<usize>) -> Provenance {
    Provenance::entry(&"boundaries.toml".into(), line, column)
}

/// The reading of user `n`.
fn found(n: usize, boundary: Option<PolicyArn>) -> Reading {
    Reading::Found { unique_id: unique_id(n), boundary }
}

/// A plan that adds a boundary to users without one.
fn plan(changes: usize) -> Plan {
    let change = |n| Change {
        principal: user(n),
        unique_id: Some(unique_id(n)),
        boundary: BoundaryChange::Add { to: boundary() },
        provenance: place(n + 2, None),
        reason: None,
        expired: None,
        origin: None,
        widening: None,
    };
    let source = PlanSource::file("boundaries.toml".into(), Digest::of("[users]"));
    let mut plan = Plan::empty("123456789012".parse().unwrap(), source);
    plan.changes = (0..changes).map(change).collect();
    plan.in_sync.users = 7;
    plan.names = [(boundary(), "developer".to_owned())].into();
    plan
}

fn error(n: usize, class: ErrorClass, code: &str, message: &str) -> ApiError {
    ApiError {
        action: "iam:PutUserPermissionsBoundary".into(),
        class,
        code: code.into(),
        message: message.into(),
        request_id: Some(format!("request-{n}").into()),
    }
}

fn failed(n: usize, class: ErrorClass, code: &str, message: &str) -> CallOutcome {
    CallOutcome::Failed { attempts: 1, error: error(n, class, code, message), may_be_done: false }
}

fn applied() -> CallOutcome {
    CallOutcome::Applied { attempts: 1, request_id: None }
}

/// The outcome of a call if no attempt received a response.
fn lost() -> CallOutcome {
    let error = ApiError {
        request_id: None,
        ..error(0, ErrorClass::Transient, "TimedOut", "no answer came in time")
    };
    CallOutcome::Failed { attempts: 6, error, may_be_done: true }
}

/// The events of a run. `end` returns the outcome of each ready change.
fn events(preflight: &Preflight, end: impl Fn(usize) -> (CallOutcome, Verification)) -> Vec<Event> {
    let kinds = |it: &Change| it.principal.kind;
    let changes = PrincipalCounts::of(preflight.ready().map(kinds));
    let mut summary = Summary {
        calls: CallCount { made: changes.total() as u64, throttled: 0 },
        write_duration: Duration::from_millis(1_234),
        ..Summary::default()
    };
    let mut events = vec![Event::Started { changes }];
    let (mut ended, mut principals) = (Vec::new(), PrincipalCounts::default());
    for (n, change) in preflight.ready().enumerate() {
        let (call, verification) = end(n);
        if verification != Verification::NotNeeded {
            principals.count(change.principal.kind);
        }
        if call != CallOutcome::NotAttempted {
            events.push(Event::Answered { change: change.clone(), call: call.clone() });
        }
        let item = Item { change: change.clone(), call, verification };
        summary.count(&item);
        ended.push(Event::Ended(item));
    }
    events.push(Event::Verifying { principals });
    events.extend(ended);
    events.push(Event::Finished(summary));
    events
}

fn reported(preflight: &Preflight, events: &[Event], format: Format, style: Style) -> String {
    let mut text = Vec::new();
    let mut reporter = run_reporter(preflight, format, style, &mut text);
    events.iter().for_each(|event| reporter.on(event).unwrap());
    drop(reporter);
    String::from_utf8(text).unwrap()
}

fn report(preflight: &Preflight, events: &[Event], format: Format) -> String {
    reported(preflight, events, format, Style::PLAIN)
}

#[test]
fn hundreds_of_equal_failures_read_as_one_with_every_user_in_it() {
    let preflight = Preflight::fresh(plan(400));
    let denied = |n| {
        let message = format!("no, user-{n:03}");
        (failed(n, ErrorClass::Denied, "AccessDenied", &message), Verification::NotNeeded)
    };
    let text = report(&preflight, &events(&preflight, denied), Format::Text);
    let closing = text.split_once("\n\n").unwrap().1;
    assert_eq!(closing.matches("Failed with AccessDenied: 400 users").count(), 1);
    for n in 0..400 {
        assert!(closing.contains(user(n).name.as_str()), "{n}");
        assert!(text.contains(&format!("(request ID request-{n})")), "{n}");
    }
    assert_eq!(closing.matches("help:").count(), 1);
    assert!(closing.contains("iam:PutUserPermissionsBoundary"));
}

/// A run with a change that is already made, a conflict, and changes with different outcomes.
fn mixed() -> (Preflight, Vec<Event>) {
    let live = |n| match n {
        5 => found(n, Some(boundary())),
        6 => found(n, Some(other())),
        _ => found(n, None),
    };
    let live = Inventory::of((0..7).map(|n| (user(n), live(n))).collect());
    let preflight = Preflight::of(plan(7), &live);
    let events = events(&preflight, |n| match n {
        0 => (applied(), Verification::AsWritten),
        1 => {
            let request_id = Some("id".into());
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
    (preflight, events)
}

/// A run in which verification corrects responses of IAM.
fn corrected() -> (Preflight, Vec<Event>) {
    let mut plan = plan(8);
    plan.changes[2].boundary = BoundaryChange::Remove { from: boundary() };
    let preflight = Preflight::fresh(plan);
    let none = |n| Verification::Otherwise(found(n, None));
    let unreadable = || {
        let mut error = error(9, ErrorClass::Denied, "AccessDenied", "not authorized");
        error.action = "iam:GetUser".into();
        Verification::Failed(error)
    };
    let events = events(&preflight, |n| match n {
        0 => (applied(), Verification::AsWritten),
        1 => (applied(), none(1)),
        2 => (applied(), Verification::Otherwise(Reading::NotFound { differs_by_case: None })),
        3 => (lost(), Verification::AsWritten),
        4 => (lost(), none(4)),
        5 => (lost(), unreadable()),
        _ => (applied(), unreadable()),
    });
    (preflight, events)
}

/// A stopped run with four changes: with a response, without a response, not yet visible to verification,
/// and not sent.
fn stopped() -> (Preflight, Vec<Event>) {
    let preflight = Preflight::fresh(plan(4));
    let mut events = events(&preflight, |n| match n {
        0 => (applied(), Verification::Stopped { last: None }),
        1 => (lost(), Verification::Stopped { last: None }),
        2 => (applied(), Verification::Stopped { last: Some(found(2, None)) }),
        _ => (CallOutcome::NotAttempted, Verification::NotNeeded),
    });
    if let Some(Event::Finished(summary)) = events.last_mut() {
        summary.stopped = Some(StopReason::Interrupted);
    }
    (preflight, events)
}

#[test]
fn each_outcome_has_its_place_in_the_text() {
    let (preflight, events) = mixed();
    insta::assert_snapshot!(report(&preflight, &events, Format::Text));
}

#[test]
fn each_outcome_has_its_object_in_the_json_lines() {
    let (preflight, events) = mixed();
    insta::assert_snapshot!(report(&preflight, &events, Format::Json));
}

#[test]
fn each_outcome_has_its_place_in_the_markdown() {
    let (preflight, events) = mixed();
    insta::assert_snapshot!(report(&preflight, &events, Format::Markdown));
}

#[test]
fn what_is_not_done_is_on_its_line_in_the_review() {
    let (preflight, events) = mixed();
    insta::assert_snapshot!(report(&preflight, &events, Format::Github));
}

#[test]
fn what_verification_showed_is_in_each_format() {
    let (preflight, events) = corrected();
    insta::assert_snapshot!("corrected_text", report(&preflight, &events, Format::Text));
    insta::assert_snapshot!("corrected_json", report(&preflight, &events, Format::Json));
    insta::assert_snapshot!("corrected_markdown", report(&preflight, &events, Format::Markdown));
    insta::assert_snapshot!("corrected_github", report(&preflight, &events, Format::Github));
}

#[test]
fn after_a_stop_only_changes_that_are_open_are_not_verified() {
    let (preflight, events) = stopped();
    insta::assert_snapshot!(report(&preflight, &events, Format::Text));
    let markdown = report(&preflight, &events, Format::Markdown);
    let (_, unverified) = markdown.split_once("**Not verified**\n\n").unwrap();
    let (unverified, _) = unverified.split_once("\n\n").unwrap();
    assert_eq!(unverified, "- `user-001`\n- `user-002`");
    let github = report(&preflight, &events, Format::Github);
    assert!(github.contains("title=Not verified::2 users: user-001, user-002"), "{github}");
}

#[test]
fn changes_that_were_throttled_until_the_stop_are_not_attempted_in_each_format() {
    let preflight = Preflight::fresh(plan(4));
    let throttled = |n: usize| {
        let error = error(n, ErrorClass::Throttled, "Throttling", "Rate exceeded");
        CallOutcome::ThrottledUntilStop { attempts: n as u32, error }
    };
    let mut events = events(&preflight, |n| match n {
        0 => (applied(), Verification::Stopped { last: None }),
        1 | 2 => (throttled(n), Verification::NotNeeded),
        _ => (CallOutcome::NotAttempted, Verification::NotNeeded),
    });
    // As in a run, a change that is not attempted has no response.
    events.retain(|event| {
        !matches!(event, Event::Answered { call: CallOutcome::ThrottledUntilStop { .. }, .. })
    });
    if let Some(Event::Finished(summary)) = events.last_mut() {
        summary.stopped = Some(StopReason::Interrupted);
    }
    let formats = FORMATS.map(|format| report(&preflight, &events, format));
    insta::assert_snapshot!(formats.join("\n----\n"));
}

#[test]
fn a_run_that_was_denied_for_everyone_says_so_in_one_message() {
    let preflight = Preflight::fresh(plan(1));
    let error = error(1, ErrorClass::Denied, "AccessDenied", "not authorized");
    let events = [Event::StoppedBy(error.into()), Event::Finished(Summary::default())];
    for format in [Format::Text, Format::Markdown, Format::Github] {
        let written = report(&preflight, &events, format);
        assert_eq!(written.matches("IAM denied every change so far").count(), 1, "{written}");
    }
    assert_eq!(
        report(&preflight, &events, Format::Json).matches("\"type\":\"stopped\"").count(),
        1
    );
}

#[test]
fn a_journal_that_cannot_be_written_is_why_the_run_stops_in_each_format() {
    let preflight = Preflight::fresh(plan(2));
    let (path, error) = ("run.jsonl".into(), io::Error::other("no space"));
    let journal = JournalError::Unwritable { path, error: error.into() };
    let mut events = vec![Event::StoppedBy(journal.into())];
    events.extend(preflight.plan.changes.iter().cloned().map(|change| {
        let (call, verification) = (CallOutcome::NotAttempted, Verification::NotNeeded);
        Event::Ended(Item { change, call, verification })
    }));
    let stopped = Some(StopReason::Journal);
    events.push(Event::Finished(Summary { not_attempted: 2, stopped, ..Summary::default() }));
    for written in FORMATS.map(|format| report(&preflight, &events, format)) {
        let why = "the journal run.jsonl cannot be written: no space";
        assert_eq!(written.matches(why).count(), 1, "{written}");
    }
    assert!(
        report(&preflight, &events, Format::Text)
            .contains("user-000, user-001\n  the journal could not be written")
    );
    let lines = report(&preflight, &events, Format::Json);
    let stopped: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(stopped["error"]["code"], "JournalFailed");
    assert_eq!(stopped["error"]["request_id"], serde_json::Value::Null);
    assert!(stopped["error"]["advice"].as_str().unwrap().contains("free disk space"));
    assert!(lines.lines().last().unwrap().contains("\"stopped_by\":\"journal\""), "{lines}");
}

#[test]
fn colors_appear_only_when_they_are_asked_for() {
    let mut plan = plan(1);
    plan.problems.push(Problem {
        principal: user(9),
        provenance: place(4, Some(1)),
        kind: ProblemKind::NotFound { differs_by_case: Some("User-009".parse().unwrap()) },
        severity: Severity::Error,
    });
    let plain = render_plan(&plan, Format::Text, Style::PLAIN);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(plain.contains("IAM has no such user, but it has User-009"), "{plain}");
    let colored = render_plan(&plan, Format::Text, Style { color: true, ..Style::PLAIN });
    assert!(colored.contains("\u{1b}[32m+ user-000"), "{colored}");
}

/// A preflight in which the policy of every ready change was deleted, and one user was recreated.
fn blocked() -> Preflight {
    let live = |n| match n {
        1 => found(100, None),
        _ => found(n, None),
    };
    let live = Inventory::of((0..3).map(|n| (user(n), live(n))).collect());
    let policies = [(boundary(), PolicyState::NoSuchPolicy)].into();
    Preflight::of(plan(3), &live).checked_against(&policies)
}

#[test]
fn blocked_changes_and_users_created_again_are_explained_in_each_format() {
    let preflight = blocked();
    let events = events(&preflight, |_| unreachable!("nothing is ready"));
    let formats = FORMATS.map(|format| report(&preflight, &events, format));
    insta::assert_snapshot!(formats.join("\n----\n"));
}

#[test]
fn a_refused_plan_is_a_report_of_its_own_in_each_format() {
    let mut plan = plan(3);
    plan.guard.max_changes = Some("2".parse().unwrap());
    plan.guard.protected = vec!["user-00*".parse().unwrap()];
    let caller = user(1);
    let violations = plan.violations(Some(&caller), Supervision::Unattended, &Overrides::default());
    let (preflight, why) = (Preflight::fresh(plan), Refused::GuardRails(violations));
    let formats = FORMATS.map(|format| render_refused(&preflight, &why, format, Style::PLAIN));
    insta::assert_snapshot!("refused_by_guard_rails", formats.join("\n----\n"));

    let (preflight, _) = mixed();
    let formats =
        FORMATS.map(|format| render_refused(&preflight, &Refused::Conflicts, format, Style::PLAIN));
    insta::assert_snapshot!("refused_because_of_conflicts", formats.join("\n----\n"));
}

#[test]
fn text_wraps_at_the_width_and_names_stay_whole() {
    let (preflight, events) = corrected();
    let places = [3, 4].map(|line| format!("boundaries.toml:{line}:"));
    for width in [40, 60, 80, 120] {
        let text = reported(&preflight, &events, Format::Text, Style { width, ..Style::PLAIN });
        for place in &places {
            assert!(text.contains(place.as_str()), "{text}");
        }
        for line in text.lines().filter(|line| line.chars().count() > width) {
            let is_one_word = !line.trim_start().contains(' ');
            assert!(is_one_word, "{width} columns: {line}");
        }
        assert_eq!(text.matches("iam:PutUserPermissionsBoundary").count(), 6, "{text}");
    }
}
