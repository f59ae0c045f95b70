//! Reports of runs with users and roles of the same names.

use std::time::Duration;

use crate::support::plans::{arn, change, empty_plan, unique_id};
use iam_boundaries::apply::{Event, Item, Summary, Verification};
use iam_boundaries::iam::{BoundaryChange, Principal, PrincipalCounts};
use iam_boundaries::inventory::{ApiError, CallCount, CallOutcome, ErrorClass, Reading};
use iam_boundaries::plan::{Change, Plan, Preflight};
use iam_boundaries::report::{Format, Style, run_reporter};

/// A plan that sets the boundary of this many users and as many roles.
fn plan(of_each_kind: usize) -> Plan {
    let add = |n: usize, line| {
        let to = arn("Developer");
        change(&format!("name-{n}"), line, BoundaryChange::Add { to })
    };
    let mut plan = empty_plan();
    plan.changes = (0..of_each_kind).map(|n| add(n, n + 2)).collect();
    let roles = (0..of_each_kind).map(|n| {
        let change = add(n, n + 20);
        Change { principal: Principal::role(change.principal.name.clone()), ..change }
    });
    plan.changes.extend(roles.collect::<Vec<_>>());
    plan
}

fn error(action: &'static str, class: ErrorClass, code: &str, message: &str) -> ApiError {
    let request_id = Some("id".into());
    ApiError {
        action: action.into(),
        class,
        code: code.into(),
        message: message.into(),
        request_id,
    }
}

/// Two changes with each outcome: one of a user, and one of a role.
fn end(n: usize, noun: &'static str) -> (CallOutcome, Verification) {
    let applied = || CallOutcome::Applied { attempts: 1, request_id: None };
    let [put, get] = match noun {
        "user" => ["iam:PutUserPermissionsBoundary", "iam:GetUser"],
        _ => ["iam:PutRolePermissionsBoundary", "iam:GetRole"],
    };
    let failed = |class, code, message: &str| CallOutcome::Failed {
        attempts: 1,
        error: error(put, class, code, message),
        may_be_done: false,
    };
    let found = |boundary| Reading::Found { unique_id: unique_id(), boundary };
    match n {
        0 => (applied(), Verification::AsWritten),
        1 => (applied(), Verification::Otherwise(Reading::NotFound { differs_by_case: None })),
        2 => {
            let message = format!("The {noun} with name name-2 cannot be found.");
            (failed(ErrorClass::NotFound, "NoSuchEntity", &message), Verification::NotNeeded)
        }
        3 => (failed(ErrorClass::Denied, "AccessDenied", "no"), Verification::NotNeeded),
        4 => {
            let denied = error(get, ErrorClass::Denied, "AccessDenied", "not authorized");
            (applied(), Verification::Failed(denied))
        }
        5 => (applied(), Verification::AsWrittenBySingleRead(found(None))),
        6 => (applied(), Verification::Otherwise(found(Some(arn("Other"))))),
        _ => (CallOutcome::NotAttempted, Verification::NotNeeded),
    }
}

fn report(format: Format) -> String {
    let preflight = Preflight::fresh(plan(8));
    let mut summary = Summary {
        calls: CallCount { made: 14, throttled: 0 },
        write_duration: Duration::from_millis(1_234),
        ..Summary::default()
    };
    let of_each = PrincipalCounts { users: 8, roles: 8 };
    let mut events = vec![Event::Started { changes: of_each }];
    let (mut answered, mut ended) = (Vec::new(), Vec::new());
    for (n, change) in preflight.plan.changes.iter().enumerate() {
        let (call, verification) = end(n % 8, change.principal.kind.noun());
        if call != CallOutcome::NotAttempted {
            answered.push(Event::Answered { change: change.clone(), call: call.clone() });
        }
        let item = Item { change: change.clone(), call, verification };
        summary.count(&item);
        ended.push(Event::Ended(item));
    }
    events.extend(answered);
    events.push(Event::Verifying { principals: PrincipalCounts { users: 5, roles: 5 } });
    events.extend(ended);
    events.push(Event::Finished(summary));
    let mut text = Vec::new();
    let mut reporter = run_reporter(&preflight, format, Style::PLAIN, &mut text);
    events.iter().for_each(|event| reporter.on(event).unwrap());
    drop(reporter);
    String::from_utf8(text).unwrap()
}

#[test]
fn each_outcome_of_a_user_and_of_a_role_is_in_each_format() {
    insta::assert_snapshot!("users_and_roles_text", report(Format::Text));
    insta::assert_snapshot!("users_and_roles_json", report(Format::Json));
    insta::assert_snapshot!("users_and_roles_markdown", report(Format::Markdown));
    insta::assert_snapshot!("users_and_roles_github", report(Format::Github));
}
