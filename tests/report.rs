//! What people and machines read, made by feeding events.

use std::time::Duration;

use iam_boundaries::apply::{CallError, ErrorClass, Event, Item, Outcome, Summary};
use iam_boundaries::live::Calls;
use iam_boundaries::plan::{
    Action, Change, Conflict, Guard, Plan, Problem, ProblemKind, Reading, Recheck,
};
use iam_boundaries::report::{
    ApplyGithub, ApplyJson, ApplyMarkdown, ApplyText, Listener, Paint, plan_text,
};
use iam_boundaries::values::{Digest, PolicyArn, UserName};

fn boundary() -> PolicyArn {
    "arn:aws:iam::123456789012:policy/Developer".parse().unwrap()
}

fn user(n: usize) -> UserName {
    format!("user-{n:03}").parse().unwrap()
}

fn plan(changes: usize) -> Plan {
    let action = Action::Add { to: boundary() };
    let change = |n| Change { user: user(n), line: n + 2, action: action.clone(), origin: None };
    Plan {
        account: "123456789012".parse().unwrap(),
        file: "boundaries.toml".to_owned(),
        file_digest: Digest::of("[users]"),
        base: None,
        changes: (0..changes).map(change).collect(),
        problems: Vec::new(),
        in_sync: 7,
        names: [(boundary(), "developer".to_owned())].into(),
        guard: Guard::default(),
        account_users: None,
        rolls_back: None,
    }
}

fn failed(n: usize, class: ErrorClass, code: &str, message: &str) -> Outcome {
    let error = CallError {
        action: "iam:PutUserPermissionsBoundary".into(),
        class,
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: Some(format!("request-{n}")),
    };
    Outcome::Failed { attempts: 1, error }
}

/// The events of a run in which each change ends as `outcome` says.
fn events(plan: &Plan, outcome: impl Fn(usize) -> Outcome) -> Vec<Event> {
    let mut summary = Summary {
        calls: Calls { made: plan.changes.len() as u64, throttled: 0 },
        elapsed: Duration::from_millis(1_234),
        ..Summary::default()
    };
    let mut events = vec![Event::Started { changes: plan.changes.len() }];
    for (n, change) in plan.changes.iter().enumerate() {
        let outcome = outcome(n);
        match outcome {
            Outcome::Applied { .. } => summary.applied += 1,
            Outcome::Failed { .. } => summary.failed += 1,
            Outcome::NotAttempted => summary.not_attempted += 1,
        }
        events.push(Event::Ended(Item { change: change.clone(), outcome }));
    }
    events.push(Event::Finished(summary));
    events
}

fn told(mut listener: impl Listener, events: &[Event]) {
    events.iter().for_each(|event| listener.on(event).unwrap());
}

fn text(recheck: &Recheck, events: &[Event]) -> String {
    let mut text = Vec::new();
    told(ApplyText::new(recheck, Paint::Plain, &mut text), events);
    String::from_utf8(text).unwrap()
}

#[test]
fn hundreds_of_equal_failures_read_as_one_with_every_user_in_it() {
    let recheck = Recheck::unneeded(plan(400));
    let denied = |n| failed(n, ErrorClass::Denied, "AccessDenied", &format!("no, user-{n:03}"));
    let text = text(&recheck, &events(&recheck.plan, denied));
    let closing = text.split_once("\n\n").unwrap().1;
    assert_eq!(closing.matches("Failed with AccessDenied: 400 users").count(), 1);
    for n in 0..400 {
        assert!(closing.contains(user(n).as_str()), "{n}");
        assert!(text.contains(&format!("(request id request-{n})")), "{n}");
    }
    assert_eq!(closing.matches("What to do:").count(), 1);
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
        0 => Outcome::Applied { attempts: 1, request_id: None },
        1 => Outcome::Applied { attempts: 3, request_id: Some("id".to_owned()) },
        2 => failed(
            2,
            ErrorClass::NotFound,
            "NoSuchEntity",
            "The user with name user-002 cannot be found.",
        ),
        3 => failed(3, ErrorClass::Rejected, "PolicyNotAttachable", "Cannot attach."),
        _ => Outcome::NotAttempted,
    });
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
    let mut lines = Vec::new();
    told(ApplyJson::new(&recheck, &mut lines), &events);
    insta::assert_snapshot!(String::from_utf8(lines).unwrap());
}

#[test]
fn each_outcome_has_its_place_in_the_markdown() {
    let (recheck, events) = mixed();
    let mut text = Vec::new();
    told(ApplyMarkdown::new(&recheck, &mut text), &events);
    insta::assert_snapshot!(String::from_utf8(text).unwrap());
}

#[test]
fn what_is_not_done_is_on_its_line_in_the_review() {
    let (recheck, events) = mixed();
    let mut text = Vec::new();
    told(ApplyGithub::new(&recheck, &mut text), &events);
    insta::assert_snapshot!(String::from_utf8(text).unwrap());
}

#[test]
fn colours_are_there_only_when_they_are_wanted() {
    let mut plan = plan(1);
    plan.problems.push(Problem {
        user: user(9),
        line: 4,
        column: Some(1),
        kind: ProblemKind::NoSuchUser { differs_by_case: Some("User-009".parse().unwrap()) },
    });
    let plain = plan_text(&plan, Paint::Plain);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(plain.contains("IAM has no such user, but it has User-009"), "{plain}");
    let coloured = plan_text(&plan, Paint::Coloured);
    assert!(coloured.contains("\u{1b}[32m+ user-000"), "{coloured}");
}
