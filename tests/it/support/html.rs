//! HTML pages for the tests of the format.

use std::time::Duration;

use iam_boundaries::apply::{Event, Item, Summary, Verification};
use iam_boundaries::config::{
    AccountCredentials, Config, FleetGuard, OnUnlisted, Provenance, ProvenanceKind, SourceFile,
};
use iam_boundaries::iam::{
    BoundaryChange, Digest, PolicyArn, Principal, PrincipalCounts, PrincipalKind,
};
use iam_boundaries::inventory::{ApiError, CallOutcome, ErrorClass};
use iam_boundaries::plan::{
    AccountPlan, Base, Change, FleetAccountRef, FleetPlan, FleetSource, Origin, Plan, PlanSource,
    Preflight, Problem, ProblemKind, Severity, Unlisted, UnlistedPrincipal,
};
use iam_boundaries::report::{
    Format, Style, render_check, render_file_errors, render_fleet_plan, render_plan, run_reporter,
};

use super::plans::{Case, HOSTILE, arn, change, empty_plan, name, principal};

/// Text that would be a tag, end an element or an attribute, or change the direction of text.
pub const MARKUP: &str =
    "</script></noscript></code><img src=x onerror=alert(1)>\" ' ]]> &amp; <!-- \u{202e}";

/// The names of files and their pages.
pub fn pages() -> Vec<(&'static str, String)> {
    let errors = Config::parse("boundaries.toml", "[users]\nalice = \"develper\"\nbob = 1\n");
    let warned = "[users]\nalice = false\n[[rules]]\nboundary = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"\n\
                  name = \"a*\"\nexcept = \"*\"\n";
    let config = Config::parse("boundaries.toml", warned).unwrap();
    vec![
        ("review.html", html(&review())),
        ("hostile.html", html(&hostile(12))),
        ("base.html", html(&Case::of(40, 5).plan_since_base())),
        ("hostile-long.html", html(&hostile(6_000))),
        ("5000.html", html(&many(5_000))),
        ("5001.html", html(&many(5_001))),
        ("100000.html", html(&many(100_000))),
        ("errors.html", render_file_errors(&errors.unwrap_err(), Format::Html, Style::PLAIN)),
        ("run.html", run()),
        ("accounts.html", accounts()),
        ("check.html", render_check(&config, Format::Html, Style::PLAIN)),
    ]
}

pub fn html(plan: &Plan) -> String {
    render_plan(plan, Format::Html, Style::PLAIN)
}

/// A change of user or role `n`.
fn nth(n: usize) -> Change {
    let (developer, operator) = (arn("Developer"), arn("Operator"));
    let boundary = match n % 10 {
        0..6 => BoundaryChange::Add { to: developer },
        6..9 => BoundaryChange::Change { from: operator, to: developer },
        _ => BoundaryChange::Remove { from: operator },
    };
    let is_rule = n % 4 == 3;
    let change = change("x", n + 20, boundary);
    let kind = if n % 3 == 2 { PrincipalKind::Role } else { PrincipalKind::User };
    let kind_of_line = if is_rule { ProvenanceKind::Rule } else { ProvenanceKind::Entry };
    let line = if is_rule { 8 + 4 * (n % 3) } else { n + 20 };
    Change {
        principal: Principal { kind, name: name(&format!("{}-{n:06}", TEAMS[n % TEAMS.len()])) },
        provenance: Provenance { kind: kind_of_line, line, ..change.provenance },
        reason: n.is_multiple_of(7).then(|| format!("migration of team {}", n % 13).into()),
        ..change
    }
}

const TEAMS: [&str; 5] = ["payments", "search", "data.platform", "web", "ci"];

/// A plan with `count` changes.
pub fn many(count: usize) -> Plan {
    let mut plan = empty_plan();
    plan.changes = (0..count).map(nth).collect();
    plan.changes.sort_by(|a, b| a.principal.cmp(&b.principal));
    plan.in_sync = PrincipalCounts { users: count / 2, roles: count / 5 };
    plan.names =
        [(arn("Developer"), "developer".into()), (arn("Operator"), "operator".into())].into();
    plan
}

/// The users and roles of [`review`], by the number of their change.
const REVIEWED: [&str; 14] = [
    "alice.novak",
    "ben.okafor",
    "ci-deploy",
    "contractor-017",
    "dana.weber",
    "etl-nightly",
    "emeka.obi",
    "farah.aziz",
    "incident-response",
    "legacy-backup",
    "lena.schmidt",
    "reporting-export",
    "marco.rossi",
    "priya.nair",
];

/// A plan as a reviewer sees it in a pull request: changes of the pull request, drift, problems and unlisted users.
pub fn review() -> Plan {
    let mut plan = many(0);
    for (n, reviewed) in REVIEWED.into_iter().enumerate() {
        let mut change = nth(n);
        change.principal.name = name(reviewed);
        change.origin = Some(if n % 6 == 4 { Origin::Drift } else { Origin::ThisChange });
        change.reason = match n {
            0 => Some("SEC-482: new in team payments".into()),
            6 => Some("on call until 2027-01-31".into()),
            _ => None,
        };
        plan.changes.push(change);
    }
    plan.changes.sort_by(|a, b| a.principal.cmp(&b.principal));
    let path = "boundaries.toml".into();
    let file = SourceFile { path, digest: Digest::of("[users]") };
    let base = Base { digest: Digest::of(""), no_longer_listed: vec![principal("former")] };
    plan.source = PlanSource::Files { files: vec![file], base: Some(base) };
    plan.in_sync = PrincipalCounts { users: 212, roles: 31 };
    let problem = |user: &str, line, kind, severity| Problem {
        principal: principal(user),
        provenance: Provenance::entry(&"boundaries.toml".into(), line, Some(1)),
        kind,
        severity,
    };
    let missing = || ProblemKind::NotFound { differs_by_case: None };
    plan.problems = vec![
        problem(
            "Jane.Doe",
            61,
            ProblemKind::NotFound { differs_by_case: Some(name("jane.doe")) },
            Severity::Error,
        ),
        problem("left.company", 64, missing(), Severity::Warning),
        problem(
            "w.gone",
            70,
            ProblemKind::NoSuchPolicy { policy: arn("Deleted") },
            Severity::Error,
        ),
    ];
    let unlisted = |n: usize| UnlistedPrincipal {
        principal: principal(&format!("unknown-{n}")),
        boundary: (n > 4).then(|| arn("Developer")),
        is_administrator: n == 0,
    };
    plan.unlisted.users = Some(Unlisted {
        action: OnUnlisted::Warn,
        count: 9,
        without_boundary: Some(5),
        principals: (0..9).map(unlisted).collect(),
    });
    plan
}

/// A plan in which every text from outside is hostile.
pub fn hostile(changes: usize) -> Plan {
    let mut plan = Case::of(changes, 6).plan();
    for change in &mut plan.changes {
        change.reason = Some(format!("{MARKUP} {HOSTILE}").into());
        change.provenance.file = format!("{MARKUP}.toml").as_str().into();
    }
    plan.names = plan.names.into_keys().map(|arn| (arn, MARKUP.to_owned())).collect();
    plan
}

/// The plans of two accounts of a fleet as one page.
pub fn accounts() -> String {
    let prod = Plan { account: "111111111111".parse().unwrap(), ..many(2) };
    let mut dev = Plan { account: "222222222222".parse().unwrap(), ..many(1) };
    let to: PolicyArn = "arn:aws:iam::222222222222:policy/Developer".parse().unwrap();
    dev.changes[0].boundary = BoundaryChange::Add { to: to.clone() };
    dev.names = [(to, "developer".to_owned())].into();
    let plan = fleet_plan([("<dev>", dev), ("payments-prod", prod)]);
    render_fleet_plan(&plan, Format::Html, Style::PLAIN)
}

/// The plans of a fleet with these accounts, in the order of their names.
pub fn fleet_plan(plans: impl IntoIterator<Item = (&'static str, Plan)>) -> FleetPlan {
    let account = |(name, plan): (&str, Plan)| {
        let (name, id) = (name.parse().unwrap(), plan.account);
        let account = FleetAccountRef { name, id, credentials: AccountCredentials::Base };
        AccountPlan { account, plan: Ok(plan) }
    };
    let file = SourceFile { path: "fleet.toml".into(), digest: Digest::of("fleet") };
    FleetPlan {
        source: FleetSource::File(file),
        shard: None,
        missing_shards: Vec::new(),
        guard: FleetGuard::default(),
        accounts: plans.into_iter().map(account).collect(),
        uncovered: Vec::new(),
        part_of: None,
    }
}

/// A run of eight changes, of which two fail.
pub fn run() -> String {
    let preflight = Preflight::fresh(many(8));
    let mut summary =
        Summary { write_duration: Duration::from_millis(1_240), ..Summary::default() };
    let mut text = Vec::new();
    let mut reporter = run_reporter(&preflight, Format::Html, Style::PLAIN, &mut text);
    for (n, change) in preflight.plan.changes.iter().enumerate() {
        let error = || ApiError {
            action: "iam:PutUserPermissionsBoundary".into(),
            class: ErrorClass::Denied,
            code: "AccessDenied".into(),
            message: "not authorized <b>".into(),
            request_id: Some("0f1e2d3c".into()),
        };
        let (call, verification) = match n {
            2 | 5 => (
                CallOutcome::Failed { attempts: 1, error: error(), may_be_done: false },
                Verification::NotNeeded,
            ),
            _ => (CallOutcome::Applied { attempts: 1, request_id: None }, Verification::AsWritten),
        };
        let item = Item { change: change.clone(), call, verification };
        summary.count(&item);
        reporter.on(&Event::Ended(item)).unwrap();
    }
    reporter.on(&Event::Finished(summary)).unwrap();
    drop(reporter);
    String::from_utf8(text).unwrap()
}
