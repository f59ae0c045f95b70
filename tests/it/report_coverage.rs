//! Plans with rules, reasons, expirations, unlisted principals, warnings and limits, in every format.

use std::time::Duration;

use crate::support::plans::{HOSTILE, arn, change, empty_plan, name, principal};
use iam_boundaries::apply::{Event, Item, Summary, Verification};
use iam_boundaries::config::{
    Config, OnUnlisted, Position, Provenance, ProvenanceKind, SourceFile,
};
use iam_boundaries::iam::{
    BoundaryChange, DateOrTime, Digest, Principal, PrincipalCounts, PrincipalKind,
};
use iam_boundaries::inventory::CallOutcome;
use iam_boundaries::plan::{
    Change, Expiring, Only, Plan, PlanSource, Preflight, Problem, ProblemKind, Severity, Unlisted,
    UnlistedPrincipal, Warning,
};
use iam_boundaries::report::{Format, Style, render_check, render_plan, run_reporter};

const FORMATS: [(&str, Format); 3] =
    [("text", Format::Text), ("markdown", Format::Markdown), ("github", Format::Github)];

fn date(text: &str) -> DateOrTime {
    text.parse().unwrap()
}

fn at(kind: ProvenanceKind, file: &str, line: usize) -> Provenance {
    Provenance { kind, file: file.into(), line, column: Some(1) }
}

/// Unlisted principals: of each three, one has a boundary, and one is an administrator.
fn unlisted(kind: PrincipalKind, action: OnUnlisted, count: usize) -> Unlisted {
    let of = |n: usize| UnlistedPrincipal {
        principal: Principal { kind, name: name(&format!("unlisted-{n:04}")) },
        boundary: (n % 3 == 2).then(|| arn("Other")),
        is_administrator: n.is_multiple_of(3),
    };
    let mut principals: Vec<_> = (0..count).map(of).collect();
    principals.sort_by_key(|it| (it.boundary.is_some(), !it.is_administrator));
    let without = principals.iter().filter(|it| it.boundary.is_none()).count();
    Unlisted { action, count, without_boundary: Some(without), principals }
}

/// A plan that has everything, with this reason.
fn plan(reason: &str) -> Plan {
    let (dev, ops) = (arn("Developer"), arn("Ops"));
    let add = |user, line| change(user, line, BoundaryChange::Add { to: dev.clone() });
    let entry = |file, line| at(ProvenanceKind::Entry, file, line);
    let file = |path: &str| SourceFile { path: path.into(), digest: Digest::of(path) };
    let mut plan = empty_plan();
    plan.source =
        PlanSource::Files { files: vec![file("boundaries.toml"), file("team.toml")], base: None };
    plan.changes = vec![
        Change { reason: Some(reason.into()), ..add("alice", 3) },
        Change {
            expired: Some(date("2026-10-31")),
            reason: Some("the trial".into()),
            provenance: entry("team.toml", 12),
            ..add("bob", 3)
        },
        Change { provenance: at(ProvenanceKind::Rule, "team.toml", 30), ..add("carol", 3) },
    ];
    plan.problems = vec![Problem {
        principal: principal("gone"),
        provenance: entry("boundaries.toml", 5),
        kind: ProblemKind::NotFound { differs_by_case: None },
        severity: Severity::Warning,
    }];
    plan.in_sync = PrincipalCounts { users: 14, roles: 0 };
    plan.names = [(dev, "developer".to_owned()), (ops.clone(), "ops".to_owned())].into();
    plan.as_of = Some(date("2026-11-28"));
    let expiring = |user, until, then, line| Expiring {
        principal: principal(user),
        until: date(until),
        then,
        provenance: entry("team.toml", line),
    };
    plan.expiring = vec![
        expiring("dana", "2026-12-09", Some(Some(ops)), 13),
        expiring("emil", "2026-12-02", None, 14),
        expiring("fred", "2026-12-04", Some(None), 15),
    ];
    plan.unlisted.users = Some(unlisted(PrincipalKind::User, OnUnlisted::Error, 5_000));
    plan.unlisted.roles = Some(unlisted(PrincipalKind::Role, OnUnlisted::Warn, 4));
    plan.warnings = vec![Warning {
        position: Position { file: "team.toml".into(), line: 40, column: 1 },
        message: "the rule matches no user of the account".into(),
        help: Some("correct the conditions, or remove the rule if it is for no one".into()),
    }];
    plan.only = Some(Only {
        patterns: vec!["user/*".parse().unwrap(), "role/ci-*".parse().unwrap()],
        others: PrincipalCounts { users: 1_483, roles: 12 },
    });
    plan
}

fn shown(plan: &Plan, format: Format) -> String {
    render_plan(plan, format, Style::PLAIN)
}

#[test]
fn a_plan_with_everything_in_each_format() {
    for (label, format) in FORMATS {
        insta::assert_snapshot!(
            format!("everything_{label}"),
            shown(&plan("on call (team #7)"), format)
        );
    }
    let narrow = Style { width: 80, ..Style::PLAIN };
    let text = render_plan(&plan("on call"), Format::Text, narrow);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn hostile_reasons_and_warnings_add_no_line_and_no_markup() {
    let evil = format!("{HOSTILE}\n::error::x\r\u{1b}[31m\u{202e}");
    let mut plan = plan(&evil);
    plan.warnings[0].message = evil.as_str().into();
    plan.warnings[0].help = Some(evil.as_str().into());
    for (_, format) in FORMATS {
        let text = shown(&plan, format);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("::error::x")), "{text}");
    }
    let markdown = shown(&plan, Format::Markdown);
    for foreign in ["</details></code>", "<script>", "@octocat", "http://x.example"] {
        for (at, _) in markdown.match_indices(foreign) {
            let line = markdown[..at].rsplit('\n').next().unwrap();
            assert_eq!(line.matches('`').count() % 2, 1, "{foreign} is not in a code span: {line}");
        }
    }
}

#[test]
fn the_closing_line_is_about_the_account_if_it_was_read() {
    let mut plan = empty_plan();
    plan.in_sync = PrincipalCounts { users: 17, roles: 3 };
    let closing = |plan: &Plan| {
        shown(plan, Format::Text)
            .lines()
            .take_while(|line| !line.starts_with("Digest"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let listed = "In sync: all 17 listed users and all 3 listed roles match boundaries.toml";
    assert!(closing(&plan).contains(listed), "{}", closing(&plan));
    plan.unlisted.users = Some(unlisted(PrincipalKind::User, OnUnlisted::Ignore, 0));
    plan.unlisted.roles = Some(unlisted(PrincipalKind::Role, OnUnlisted::Ignore, 0));
    let none = "In sync: 17 users and 3 roles match boundaries.toml, and none is unlisted";
    assert!(closing(&plan).contains(none), "{}", closing(&plan));
    let ignored = unlisted(PrincipalKind::User, OnUnlisted::Ignore, 12);
    plan.unlisted.users = Some(Unlisted { principals: Vec::new(), ..ignored });
    let text = closing(&plan);
    assert!(!text.contains("none is unlisted"), "{text}");
    let unlisted = "12 users are unlisted, 8";
    assert!(text.contains(unlisted) && !text.contains("\n\n"), "{text}");
}

#[test]
fn a_run_has_reasons_and_what_decided_and_is_incomplete_because_of_unlisted_users() {
    let preflight = Preflight::fresh(plan("on call"));
    for (label, format) in [("json", Format::Json), ("markdown", Format::Markdown)] {
        let mut summary =
            Summary { write_duration: Duration::from_millis(120), ..Summary::default() };
        let mut text = Vec::new();
        let mut reporter = run_reporter(&preflight, format, Style::PLAIN, &mut text);
        let changes = PrincipalCounts { users: 3, roles: 0 };
        reporter.on(&Event::Started { changes }).unwrap();
        for change in &preflight.plan.changes {
            let call = CallOutcome::Applied { attempts: 1, request_id: None };
            let item = Item { change: change.clone(), call, verification: Verification::AsWritten };
            summary.count(&item);
            reporter.on(&Event::Ended(item)).unwrap();
        }
        reporter.on(&Event::Finished(summary)).unwrap();
        drop(reporter);
        insta::assert_snapshot!(format!("run_{label}"), String::from_utf8(text).unwrap());
    }
}

#[test]
fn check_counts_rules_and_shows_warnings_in_each_format() {
    let text = "[users]\nalice = false\n[[rules]]\nboundary = \"ReadOnlyAccess\"\nname = \"a*\"\nexcept = \"*\"\n";
    let text = text.replace("\"ReadOnlyAccess\"", "\"arn:aws:iam::aws:policy/ReadOnlyAccess\"");
    let config = Config::parse("boundaries.toml", &text).unwrap();
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    for (label, format) in FORMATS {
        let shown = render_check(&config, format, Style::PLAIN);
        assert!(shown.contains("1 rule"), "{shown}");
        insta::assert_snapshot!(format!("check_{label}"), shown);
    }
}
