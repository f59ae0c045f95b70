//! What cannot be planned: equal problems are shown once, and no report of a plan that could not be made reads like a
//! success.

use iam_boundaries::config::Provenance;
use iam_boundaries::inventory::{ApiError, ErrorClass};
use iam_boundaries::plan::{
    AccountPlan, AccountProblem, FleetPlan, Plan, Problem, ProblemKind, Severity,
};
use iam_boundaries::report::{Format, Style, render_fleet_plan, render_plan};
use serde_json::Value;

use crate::corpus::properties::page::read;
use crate::support::fixture::{DETAILS, Fixture, denied, user};
use crate::support::html::{fleet_plan, many};
use crate::support::plans::{arn, empty_plan, name, principal};

const FORMATS: [Format; 4] = [Format::Text, Format::Markdown, Format::Html, Format::Github];
const USERS: usize = 300;

fn problem(n: usize, kind: ProblemKind) -> Problem {
    Problem {
        principal: principal(&format!("user-{n:04}")),
        provenance: Provenance::entry(&"boundaries.toml".into(), n + 2, Some(1)),
        kind,
        severity: Severity::Error,
    }
}

/// A plan in which nothing can be planned for the users.
fn only_problems(users: usize, kind: impl Fn(usize) -> ProblemKind) -> Plan {
    let problems = (0..users).map(|n| problem(n, kind(n))).collect();
    Plan { problems, ..empty_plan() }
}

fn not_found(_: usize) -> ProblemKind {
    ProblemKind::NotFound { differs_by_case: None }
}

/// IAM names the user in the message, and each response has its own request ID.
fn unreadable(n: usize) -> ProblemKind {
    ProblemKind::Unreadable(ApiError {
        action: "iam:GetUser".into(),
        class: ErrorClass::Denied,
        code: "AccessDenied".into(),
        message: format!("not authorized to perform iam:GetUser on user-{n:04}").into(),
        request_id: Some(format!("request-{n}").into()),
    })
}

fn rendered(plan: &Plan, format: Format) -> String {
    render_plan(plan, format, Style::PLAIN)
}

/// The text of a report in which spaces and line breaks are the same.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_problem_of_many_users_is_shown_once_with_their_number_and_the_first_names() {
    let mut plan = only_problems(USERS, |n| match n {
        0..100 => unreadable(n),
        100..150 => ProblemKind::NoSuchPolicy { policy: arn("Deleted") },
        150 => ProblemKind::NotFound { differs_by_case: Some(name("User-0150")) },
        _ => not_found(n),
    });
    plan.in_sync.users = 5;
    for format in FORMATS {
        let report = rendered(&plan, format);
        let text = unwrapped(&report);
        for message in ["IAM has no such user", "Deleted", "not authorized to perform"] {
            let expected = if message.starts_with("IAM") { 2 } else { 1 };
            assert_eq!(text.matches(message).count(), expected, "{message}: {report}");
        }
        assert!(!text.contains("request-1 ") && !text.contains("on user-0001"), "{report}");
        let count = ["300 cannot be planned", "300 users cannot be planned"];
        assert!(count.iter().any(|count| text.contains(count)), "{report}");
        let names = (0..USERS).filter(|n| text.contains(&format!("user-{n:04}"))).count();
        match format {
            Format::Html => assert_eq!(names, USERS),
            _ => {
                assert_eq!(names, 61, "{report}");
                for more in [80, 30, 129] {
                    assert!(text.contains(&format!("and {more} more; ")), "{more}: {report}");
                }
            }
        }
    }
    let json: Value = serde_json::from_str(&rendered(&plan, Format::Json)).unwrap();
    assert_eq!(json["problems"].as_array().unwrap().len(), USERS);
    insta::assert_snapshot!("problems_text", rendered(&plan, Format::Text));
    insta::assert_snapshot!("problems_markdown", rendered(&plan, Format::Markdown));
    insta::assert_snapshot!("problems_github", rendered(&plan, Format::Github));
}

#[test]
fn problems_that_differ_in_what_to_do_are_not_one() {
    let mut plan = only_problems(2, not_found);
    let one = rendered(&plan, Format::Text);
    assert!(
        one.contains("Cannot be planned: 2 users\n  user-0000 (line 2), user-0001 (line 3)\n"),
        "{one}"
    );
    plan.problems[1].kind = ProblemKind::NotFound { differs_by_case: Some(name("User-0001")) };
    let two = rendered(&plan, Format::Text);
    assert!(two.contains("  boundaries.toml:2:1: user-0000: IAM has no such user\n"), "{two}");
    assert!(
        two.contains(
            "  boundaries.toml:3:1: user-0001: IAM has no such user, but it has User-0001\n"
        ),
        "{two}"
    );
}

/// What says that all is well.
const SUCCESS: [&str; 4] = ["nothing to change", "In sync", "Nothing to", "Apply complete"];

fn is_failure(report: &str) {
    for word in SUCCESS {
        assert!(!report.contains(word), "{word}: {report}");
    }
    assert!(report.contains("cannot be planned"), "{report}");
}

/// A page without a table of changes, because no number is known.
fn has_no_numbers(page: &str) {
    assert!(page.contains("<header class=\"bad\">"), "{page}");
    assert!(!page.contains("id=\"counts\""), "{page}");
    assert!(!read(page).0.lines().any(|line| line == "0"), "{page}");
}

#[test]
fn a_plan_that_could_not_be_made_does_not_read_like_one_without_changes() {
    for plan in [only_problems(1, not_found), only_problems(USERS, unreadable)] {
        for format in FORMATS {
            is_failure(&rendered(&plan, format));
        }
        has_no_numbers(&rendered(&plan, Format::Html));
    }
    let some = Plan { problems: only_problems(3, unreadable).problems, ..many(4) };
    for format in [Format::Markdown, Format::Html] {
        let report = rendered(&some, format);
        assert!(report.contains("4 changes; 3 users cannot be planned"), "{report}");
    }
}

#[test]
fn accounts_that_could_not_be_read_have_no_numbers_and_the_title_names_them() {
    let failed = |account: &mut AccountPlan, n: usize| {
        let ProblemKind::Unreadable(error) = unreadable(n) else { unreachable!() };
        account.plan = Err(AccountProblem::Call(error));
    };
    let account = |name: &'static str, id: &str, plan: Plan| {
        (name, Plan { account: id.parse().unwrap(), ..plan })
    };
    let mut fleet: FleetPlan = fleet_plan([
        account("dev", "111111111111", empty_plan()),
        account("prod", "222222222222", empty_plan()),
    ]);
    (0..2).for_each(|n| failed(&mut fleet.accounts[n], n));
    for format in FORMATS {
        is_failure(&render_fleet_plan(&fleet, format, Style::PLAIN));
    }
    let page = render_fleet_plan(&fleet, Format::Html, Style::PLAIN);
    has_no_numbers(&page);
    assert!(page.contains("fleet.toml</code>: 2 accounts cannot be planned</h1>"), "{page}");

    let mut fleet: FleetPlan = fleet_plan([
        account("dev", "111111111111", empty_plan()),
        account("prod", "222222222222", many(3)),
        account("test", "333333333333", only_problems(2, not_found)),
    ]);
    failed(&mut fleet.accounts[0], 0);
    let page = render_fleet_plan(&fleet, Format::Html, Style::PLAIN);
    let title =
        "3 changes in 1 account; 1 account cannot be planned; 2 principals cannot be planned</h1>";
    assert!(page.contains(title) && page.contains("<header class=\"bad\">"), "{page}");
    // The accounts in the table: that without a plan has a word instead of numbers.
    let (_, table) = page.split_once("id=\"accounts\"").unwrap();
    let (table, _) = table.split_once("</table>").unwrap();
    let row = |label: &str| {
        let (_, row) = table.split_once(&format!("<th scope=\"row\"><code>{label}")).unwrap();
        let cells = row.split_once("</tr>").unwrap().0.split("<td").skip(1);
        cells
            .map(|cell| cell.split_once('>').unwrap().1.trim_end_matches("</td>").to_owned())
            .collect::<Vec<_>>()
    };
    let dev = row("dev (111111111111)");
    assert_eq!(dev[0], "cannot be planned");
    assert!(dev[1..].iter().all(String::is_empty), "{dev:?}");
    let prod = row("prod (222222222222)");
    assert_eq!(prod.len(), dev.len());
    assert!(prod.contains(&"3".to_owned()) || prod.contains(&"2".to_owned()), "{prod:?}");
}

#[tokio::test]
async fn users_that_cannot_be_read_are_a_failure_in_every_format() {
    let fixture = Fixture::users(5).listed_with("Developer").start().await;
    fixture.set(4, "Developer");
    fixture.sandbox.faults().add(DETAILS, None, 10_000, denied());
    for n in 0..4 {
        fixture.sandbox.faults().add("GetUser", Some(user(n).as_str()), 10_000, denied());
    }
    for format in ["text", "markdown", "html", "github"] {
        let ran = fixture.run(&["plan", "--format", format]).await;
        assert_eq!(ran.code, 3, "{ran}");
        is_failure(&ran.out);
        assert_eq!(unwrapped(&ran.out).matches("AccessDenied").count(), 1, "{ran}");
    }
    let quiet = fixture.run(&["plan", "--quiet"]).await;
    let first = quiet.out.lines().next().unwrap();
    assert_eq!(first, "iam-boundaries plan: 4 problems in account 123456789012", "{quiet}");
}
