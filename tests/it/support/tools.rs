//! Programs and services that a test needs and that a machine may lack.

use std::io::Write;
use std::process::Command;

/// What `.ci/run` has set up, separated by spaces: a test that lacks one of these fails.
const REQUIRED: &str = "IAM_BOUNDARIES_TEST_REQUIRES";

/// A program on `PATH`. If there is none, reports that the running test is skipped; `install` is the
/// command that installs the program.
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
    // The test harness names each test's thread after the test.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or(tool);
    // The test harness shows what `eprintln!` prints only if the test fails. It does not capture this.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}
