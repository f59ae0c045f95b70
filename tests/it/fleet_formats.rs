//! Plans and runs of fleets in every format and size, with hostile names and messages.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, LazyLock};

use iam_boundaries::apply::{
    AccountEnd, AccountRun, FleetEvent, FleetRun, FleetRunHeader, NotBegun, Summary,
};
use iam_boundaries::config::{AccountCredentials, FleetGuard, SourceFile};
use iam_boundaries::iam::{AccountId, Digest, grouped};
use iam_boundaries::inventory::{ApiError, ErrorClass, StopReason};
use iam_boundaries::plan::{
    AccountPlan, AccountProblem, AccountProblemCode, FleetAccountRef, FleetPlan, FleetSource, Plan,
    Preflight, Uncovered,
};
use iam_boundaries::report::{Format, Style, fleet_reporter, render_fleet_plan};

use crate::formats::{check_github, rendered};
use crate::support::plans::{Case, HOSTILE};

const LIMIT: usize = 65_536;
const FORMATS: [Format; 4] = [Format::Text, Format::Json, Format::Markdown, Format::Github];

/// The most hostile names that an account of a fleet can have.
fn account_name(n: usize) -> String {
    match n % 6 {
        0 => format!("acct-{n:04}"),
        1 => format!("`</details></code><script>{n:04}"),
        2 => format!("| **b** _i_ @octocat #1 www.x.example {n:04}"),
        3 => format!("::error::x %0A ##[error]y {n:04}"),
        4 => format!("[l](http://x.example) :tada: --> {n:04}"),
        _ => format!("``` $x$ \\| \\` &lt; <b>x</b> {n:04}"),
    }
}

fn id(n: usize) -> AccountId {
    format!("{:012}", 300_000_000_000 + n).parse().unwrap()
}

/// How the accounts of a fleet are.
#[derive(Clone, Copy, Debug)]
enum Fleet {
    /// Each has changes.
    Changed,
    /// None can be planned, each for a reason of its own.
    Failed,
    /// Some have changes, some have none, and some cannot be planned.
    Mixed,
}

/// Plans of this many accounts, and as many accounts that are not covered.
fn fleet(kind: Fleet, accounts: usize) -> FleetPlan {
    let cases: Vec<_> = (0..4).map(|n| Case::of(n, n % 3).plan()).collect();
    let call = |n: usize| {
        AccountProblem::Call(ApiError {
            action: "sts:AssumeRole".into(),
            class: ErrorClass::Credentials,
            code: "AccessDenied".into(),
            message: format!("{HOSTILE} {n}").as_str().into(),
            request_id: Some("0f1e2d3c".into()),
        })
    };
    let plan = |n: usize| match (kind, n % 8) {
        (Fleet::Failed, 0) | (Fleet::Mixed, 6) => Err(call(n)),
        (Fleet::Failed, _) | (Fleet::Mixed, 7) => Err(AccountProblem::other(
            AccountProblemCode::OtherAccount,
            &format!("role {} is of another account: {HOSTILE}", id(n)),
        )),
        (Fleet::Changed, _) => Ok(cases[1 + n % 3].clone()),
        (Fleet::Mixed, _) => Ok(cases[n % 4].clone()),
    };
    let account = |n: usize| {
        let mut plan = plan(n);
        if let Ok(plan) = &mut plan {
            plan.account = id(n);
        }
        let name = account_name(n).parse().unwrap();
        let credentials = AccountCredentials::Base;
        AccountPlan { account: FleetAccountRef { name, id: id(n), credentials }, plan }
    };
    let mut accounts: Vec<AccountPlan> = (0..accounts).map(account).collect();
    let uncovered = (0..accounts.len())
        .map(|n| Uncovered { id: id(n + 5_000), name: format!("{HOSTILE} {n}").as_str().into() })
        .collect();
    accounts.sort_by_key(|it| (it.account.name.clone(), it.account.id));
    FleetPlan {
        source: FleetSource::File(SourceFile {
            path: "fleet.toml".into(),
            digest: Digest::of("x"),
        }),
        shard: None,
        missing_shards: Vec::new(),
        guard: FleetGuard { max_changes: Some("1".parse().unwrap()), ..FleetGuard::default() },
        accounts,
        uncovered,
        part_of: None,
    }
}

static PLANS: LazyLock<Vec<FleetPlan>> = LazyLock::new(|| {
    [Fleet::Changed, Fleet::Failed, Fleet::Mixed]
        .into_iter()
        .flat_map(|kind| [2, 30, 2_000].map(|accounts| fleet(kind, accounts)))
        .collect()
});

/// The run that applies a plan and is interrupted before the last half of the accounts.
fn run(plan: &FleetPlan) -> Arc<FleetRun> {
    let half = plan.accounts.len() / 2;
    let end = |(n, it): (usize, &AccountPlan)| {
        let end = match &it.plan {
            Err(problem) => AccountEnd::Failed(problem.clone()),
            Ok(plan) if n > half => AccountEnd::NotBegun {
                changes: plan.changes.len(),
                why: NotBegun::Stopped(StopReason::Interrupted),
            },
            Ok(plan) => AccountEnd::Completed {
                preflight: Arc::new(Preflight::fresh(plan.clone())),
                summary: Summary { not_attempted: plan.changes.len(), ..Summary::default() },
                journal: Ok(None),
            },
        };
        Arc::new(AccountRun { account: it.account.clone(), end })
    };
    let accounts = plan.accounts.iter().enumerate().map(end).collect();
    let (plan, violations) = (plan.clone(), Vec::new());
    Arc::new(FleetRun { plan, violations, accounts, journals: None })
}

fn report(run: &Arc<FleetRun>, format: Format) -> String {
    let mut text = Vec::new();
    let mut reporter = fleet_reporter(format, Style::PLAIN, &mut text);
    let header = Box::new(FleetRunHeader::of(&run.plan));
    reporter.on(&FleetEvent::RunBegins(header)).unwrap();
    for account in &run.accounts {
        reporter.on(&FleetEvent::Applied(account.clone())).unwrap();
    }
    reporter.on(&FleetEvent::Finished(run.clone())).unwrap();
    drop(reporter);
    String::from_utf8(text).unwrap()
}

/// The number of accounts in `**N more accounts did not fit:** the text, JSON and HTML formats contain all WHAT`.
fn left_out(markdown: &str, what: &str) -> usize {
    let number = |line: &str| {
        let (count, rest) = line.strip_prefix("**")?.split_once(" more account")?;
        let is_of = rest.ends_with(&format!("contain all {what}."));
        is_of.then(|| count.replace(',', "").parse::<usize>().unwrap())
    };
    markdown.lines().filter_map(number).sum()
}

#[test]
fn markdown_of_a_fleet_is_never_longer_than_a_comment_and_says_what_did_not_fit() {
    for plan in PLANS.iter() {
        let markdown = render_fleet_plan(plan, Format::Markdown, Style::PLAIN);
        let length = markdown.encode_utf16().count();
        let case = format!("{} accounts, {} failed", plan.accounts.len(), plan.totals().failed);
        assert!(length <= LIMIT, "{case}: {length}");
        let text = rendered(&markdown);
        assert!(text.contains(&plan.digest().to_string()), "{case}");
        let totals = plan.totals();
        let [add, change, remove] =
            [totals.counts.add, totals.counts.change, totals.counts.remove].map(grouped);
        let is_known = plan.changes() > 0 || !plan.is_incomplete();
        let row = format!("| All | {add} | {change} | {remove} |");
        assert_eq!(markdown.contains(&row), is_known, "{case}");
        // Every account is on a line of the table and below it, or counted as left out.
        let has_details = |plan: &Plan| !plan.changes.is_empty() || !plan.problems.is_empty();
        let plans = || plan.accounts.iter().map(|it| it.plan.as_ref());
        let details = plans().filter(|it| it.is_ok_and(has_details)).count();
        let rows = details + plans().filter(Result::is_err).count();
        let lines = |start: &str| {
            let is_of = |line: &&str| line.starts_with(start) && line.contains(" (3000000");
            markdown.lines().filter(is_of).count()
        };
        let (in_table, folded) = (lines("| `"), lines("<details><summary>"));
        assert_eq!(in_table + left_out(&markdown, "of them"), rows, "{case}");
        assert_eq!(folded + left_out(&markdown, "details"), details, "{case}");
        assert!(in_table > 50.min(rows - 1), "{case}: {in_table}");
        assert!(folded > 5.min(details.saturating_sub(1)) || details == 0, "{case}: {folded}");
    }
}

#[test]
fn markdown_of_a_run_on_a_fleet_is_never_longer_than_a_comment() {
    for plan in PLANS.iter() {
        let markdown = report(&run(plan), Format::Markdown);
        let length = markdown.encode_utf16().count();
        let case = format!("{} accounts, {} failed", plan.accounts.len(), plan.totals().failed);
        assert!(length <= LIMIT, "{case}: {length}");
        let text = rendered(&markdown);
        assert!(text.contains(&plan.digest().to_string()), "{case}: {markdown}");
        assert!(markdown.contains("\nIncomplete: "), "{case}: {markdown}");
    }
}

#[test]
fn each_line_for_github_is_one_command_for_plans_and_runs_of_every_size() {
    for plan in PLANS.iter() {
        for text in [
            render_fleet_plan(plan, Format::Github, Style::PLAIN),
            report(&run(plan), Format::Github),
        ] {
            check_github(&text);
            assert!(text.contains(&plan.digest().to_string()), "{text}");
        }
    }
}

#[test]
fn the_text_of_a_fleet_has_every_account_and_nothing_that_a_terminal_interprets() {
    for plan in PLANS.iter().filter(|it| it.accounts.len() < 2_000) {
        for width in [80, 120] {
            let text = render_fleet_plan(plan, Format::Text, Style { width, ..Style::PLAIN });
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
            let starts: HashSet<&str> =
                text.lines().filter_map(|it| Some(it.split_once(')')?.0)).collect();
            for AccountPlan { account, plan } in &plan.accounts {
                let is_silent =
                    plan.as_ref().is_ok_and(|it| it.changes.is_empty() && it.problems.is_empty());
                let label = account.label();
                let is_shown = starts.contains(label.split_once(')').unwrap().0);
                assert!(is_shown || is_silent, "{label}");
            }
            let prose = text.lines().filter(|line| line.starts_with("Plan: "));
            assert!(prose.clone().count() > 0 || plan.changes() == 0);
            assert!(prose.map(|line| line.chars().count()).all(|length| length <= width));
        }
    }
}

#[test]
fn the_json_of_a_run_on_a_fleet_has_one_end_for_each_account_and_totals_that_add_up() {
    for plan in PLANS.iter() {
        let run = run(plan);
        let json = report(&run, Format::Json);
        let lines: Vec<serde_json::Value> =
            json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (summary, lines) = lines.split_last().unwrap();
        let (started, lines) = lines.split_first().unwrap();
        assert_eq!(
            (&started["type"], &started["accounts"]),
            (&"fleet_started".into(), &plan.accounts.len().into())
        );
        let mut of_type = BTreeMap::<&str, usize>::new();
        for line in lines {
            *of_type.entry(line["type"].as_str().unwrap()).or_default() += 1;
            assert!(line["account"].is_string() && line["account_name"].is_string(), "{line}");
        }
        let failed = plan.totals().failed;
        assert_eq!(of_type.get("account_problem").copied().unwrap_or_default(), failed);
        assert_eq!(summary["type"], "fleet_summary");
        assert_eq!(summary["accounts"], plan.accounts.len());
        assert_eq!(summary["accounts_not_covered"], plan.uncovered.len());
        assert_eq!(summary["not_attempted"], plan.changes());
        assert_eq!(summary["digest"], plan.digest().to_string());
    }
}

#[test]
fn a_fleet_plan_in_each_format() {
    let plan = fleet(Fleet::Mixed, 12);
    for format in FORMATS {
        let name = format!("fleet_plan_{format:?}").to_lowercase();
        if format != Format::Json {
            insta::assert_snapshot!(name, render_fleet_plan(&plan, format, Style::PLAIN));
        }
        let name = format!("fleet_run_{format:?}").to_lowercase();
        insta::assert_snapshot!(name, report(&run(&plan), format));
    }
    for width in [80, 120] {
        let text = render_fleet_plan(
            &fleet(Fleet::Mixed, 3),
            Format::Text,
            Style { width, ..Style::PLAIN },
        );
        insta::assert_snapshot!(format!("fleet_plan_text_{width}"), text);
    }
}
