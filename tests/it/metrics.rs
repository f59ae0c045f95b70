//! The file of `--metrics`, for the textfile collector of the node exporter.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::fixture::{Fixture, denied, user};
#[cfg(unix)]
use crate::support::fleet::{interrupt, until};
use crate::support::tools::program;
use iam_boundaries::iam::AccountName;
use iam_boundaries::plan::{AccountPlan, AccountProblem, AccountProblemCode};
use iam_boundaries::report::{AccountMetrics, Metrics};
use iam_boundaries::sandbox::Fault;

use crate::support::html::{fleet_plan, many};

const FILE: &str = "boundaries.prom";
const PUT: &str = "PutUserPermissionsBoundary";

fn metrics(fixture: &Fixture) -> String {
    let text = std::fs::read_to_string(fixture.folder().join(FILE)).unwrap();
    check(&text);
    text
}

/// The value of the only sample of this metric with these labels.
fn value(text: &str, metric: &str, labels: &[&str]) -> f64 {
    let begin = format!("iam_boundaries_{metric}{{");
    let matching = text
        .lines()
        .filter(|line| line.starts_with(&begin) && labels.iter().all(|label| line.contains(label)));
    let matching: Vec<&str> = matching.collect();
    assert_eq!(matching.len(), 1, "{metric} {labels:?} in:\n{text}");
    matching[0].rsplit(' ').next().unwrap().parse().unwrap()
}

fn has(text: &str, metric: &str) -> bool {
    text.contains(&format!("\niam_boundaries_{metric}{{"))
}

/// Checks the text with promtool, if it is installed.
fn check(text: &str) {
    use std::io::Write;
    let Some(mut promtool) = program("promtool", "apt-get install prometheus") else { return };
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = promtool.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn a_plan_and_a_run_are_numbers_and_a_success_is_remembered() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    let plan = fixture.run(&["plan", "--metrics", FILE]).await;
    assert_eq!(plan.code, 0, "{plan}");
    let text = metrics(&fixture);
    let changes = value(&text, "changes", &[r#"action="change""#, r#"account="123456789012""#])
        + value(&text, "changes", &[r#"action="add""#]);
    assert_eq!(changes, 6.0, "{text}");
    assert_eq!(value(&text, "last_run_exit_code", &[r#"command="plan""#]), 0.0);
    let succeeded = value(&text, "last_success_timestamp_seconds", &[]);
    assert_eq!(succeeded, value(&text, "last_run_timestamp_seconds", &[]));
    assert!(!has(&text, "applied"), "{text}");

    let failing = fixture.run(&["plan", "--metrics", FILE, "-f", "none.toml"]).await;
    assert_eq!(failing.code, 1, "{failing}");
    let text = metrics(&fixture);
    assert_eq!(value(&text, "last_run_exit_code", &[]), 1.0);
    assert_eq!(value(&text, "last_success_timestamp_seconds", &[]), succeeded);
    assert!(!has(&text, "changes"), "the numbers of an earlier run are not those of this one");

    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, denied());
    let run = fixture.run(&["apply", "--auto-approve", "--max-changes", "9", "--metrics", FILE]);
    let run = run.await;
    assert_eq!(run.code, 3, "{run}");
    let text = metrics(&fixture);
    assert_eq!(value(&text, "applied", &[]), 5.0);
    assert_eq!(value(&text, "failed", &[]), 1.0);
    assert_eq!(value(&text, "last_run_exit_code", &[r#"command="apply""#]), 3.0);
    assert!(!has(&text, "last_success_timestamp_seconds"), "apply never succeeded");
}

#[tokio::test]
async fn a_refused_plan_has_numbers_and_its_exit_code() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    let run = fixture.run(&["apply", "--auto-approve", "--max-changes", "1", "--metrics", FILE]);
    let run = run.await;
    assert_eq!((run.code, fixture.writes()), (4, 0), "{run}");
    let text = metrics(&fixture);
    assert_eq!(value(&text, "last_run_exit_code", &[]), 4.0);
    assert_eq!(value(&text, "not_attempted", &[]), 6.0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_stays_and_a_special_file_is_not_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    let at = |name: &str| fixture.folder().join(name);
    std::fs::write(at("target.prom"), "").unwrap();
    std::os::unix::fs::symlink("target.prom", at(FILE)).unwrap();
    let ran = fixture.run(&["plan", "--metrics", FILE]).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert!(at(FILE).is_symlink());
    assert_eq!(value(&metrics(&fixture), "last_run_exit_code", &[]), 0.0);

    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let ran = fixture.run(&["plan", "--metrics", "pipe"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert!(at("pipe").metadata().unwrap().file_type().is_fifo());
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_reading_and_an_interrupted_run_write_the_file() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    fixture.sandbox.faults().add("GetCallerIdentity", None, 100_000, Fault::throttling());
    for arguments in [&["plan"][..], &["apply", "--auto-approve"]] {
        let before = fixture.calls("GetCallerIdentity");
        let command = fixture.command(&[arguments, &["--metrics", FILE]].concat());
        let ran = interrupted(&fixture, command, "GetCallerIdentity", before + 1).await;
        assert_eq!(ran.status.code(), Some(130), "{ran:?}");
        assert_eq!(value(&metrics(&fixture), "last_run_exit_code", &[]), 130.0);
        // Without the file, the exit code is the same.
        let before = fixture.calls("GetCallerIdentity");
        let command = fixture.command(arguments);
        let ran = interrupted(&fixture, command, "GetCallerIdentity", before + 1).await;
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(130), "{said}");
        assert!(said.contains("nothing was changed: interrupted"), "{said}");
    }
    fixture.sandbox.faults().clear();
    fixture.sandbox.faults().add(PUT, None, 100_000, Fault::throttling());
    let arguments = ["apply", "--auto-approve", "--max-changes", "9", "--metrics", FILE];
    let ran = interrupted(&fixture, fixture.command(&arguments), PUT, 2).await;
    assert_eq!(ran.status.code(), Some(130), "{ran:?}");
    let text = metrics(&fixture);
    assert_eq!(value(&text, "not_attempted", &[]), 6.0, "{text}");
    assert!(value(&text, "throttled_calls", &[]) >= 1.0, "{text}");
}

/// Interrupts `command` once the sandbox has received this many calls of `action`.
#[cfg(unix)]
async fn interrupted(
    fixture: &Fixture,
    mut command: Command,
    action: &str,
    calls: u64,
) -> std::process::Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until(&format!("too few calls of {action}"), || fixture.calls(action) >= calls).await;
    interrupt(&child);
    tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_an_error_after_the_result() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let ran = fixture.run(&["plan", "--metrics", "none/boundaries.prom"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.out.contains("Plan: "), "{ran}");
    assert!(ran.err.contains("cannot write the metrics in none/boundaries.prom"), "{ran}");
    assert!(ran.err.contains("help: create the directory"), "{ran}");
    std::fs::create_dir(fixture.folder().join("directory")).unwrap();
    let ran = fixture.run(&["plan", "--metrics", "directory", "--detailed-exitcode"]).await;
    // There are changes, too.
    assert_eq!(ran.code, 5, "{ran}");
    assert!(ran.err.contains("help: specify a file in the directory"), "{ran}");
}

#[test]
fn a_fleet_has_the_name_of_each_account_as_an_escaped_label() {
    let name = r#"a "b" \ c"#;
    let mut plan = fleet_plan([(r#"a "b" \ c"#, many(3))]);
    let failed = AccountPlan {
        plan: Err(AccountProblem::other(AccountProblemCode::AccountNotPlanned, "it vanished")),
        ..plan.accounts[0].clone()
    };
    plan.accounts.push(failed);
    let metrics = Metrics {
        command: "plan",
        exit_code: 3,
        ended: "2026-11-28T10:00:00Z".parse().unwrap(),
        duration: std::time::Duration::from_millis(1_500),
        last_success: Some(1.5),
        accounts: AccountMetrics::of_fleet_plan(&plan),
    };
    assert!(name.parse::<AccountName>().is_ok());
    let text = metrics.render();
    assert!(text.contains(r#"name="a \"b\" \\ c",action="add""#), "{text}");
    assert!(text.contains("last_run_timestamp_seconds{command=\"plan\"} 1795860000\n"), "{text}");
    assert_eq!(Metrics::last_success_in(&text, "plan"), Some(1.5));
    assert_eq!(Metrics::last_success_in(&text, "apply"), None);
    // The second account has the same labels, which only a test can make: it is left out for promtool.
    metrics_of_one_account(&metrics);
}

fn metrics_of_one_account(metrics: &Metrics) {
    let accounts = metrics.accounts[..1].to_vec();
    check(&Metrics { accounts, ..metrics.clone() }.render());
}

#[test]
fn the_example_of_alert_rules_is_valid_and_names_metrics_that_exist() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/monitoring/alerts.yml");
    let rules = std::fs::read_to_string(&path).unwrap();
    let source = include_str!("../../src/report/metrics.rs");
    let mut names = 0;
    for rest in rules.split("iam_boundaries_").skip(1) {
        let name: String =
            rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        assert!(source.contains(&format!("\"{name}\"")), "{name}");
        names += 1;
    }
    assert!(names > 5);
    if let Some(mut promtool) = program("promtool", "apt-get install prometheus") {
        let output = promtool.args(["check", "rules"]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
