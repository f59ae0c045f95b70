//! Against LocalStack's IAM, which this project did not write: the whole road by the binary, and the
//! sandbox's faithfulness, request by request.


use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use libtest_mimic::{Arguments, Failed, Trial};
use crate::support::{Binary, Ran};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let endpoint = std::env::var("LOCALSTACK_ENDPOINT").ok();
    let python = std::env::var("LOCALSTACK_PYTHON").ok();
    let is_here = endpoint.is_some() && python.is_some();
    if !is_here {
        println!(
            "skipped: these tests need LocalStack. Start it with `tests/localstack/start DIR`, and set \
             LOCALSTACK_ENDPOINT to the URL that it prints, and LOCALSTACK_PYTHON to DIR/venv/bin/python"
        );
    }
    let (endpoint, python) = (endpoint.unwrap_or_default(), python.unwrap_or_default());
    let trial = |name: &str, test: fn(&str, &str) -> Result<(), Failed>| {
        let (endpoint, python) = (endpoint.clone(), python.clone());
        Trial::test(name, move || test(&endpoint, &python)).with_ignored_flag(!is_here)
    };
    let trials = vec![
        trial("plan_apply_plan_ends_in_sync", plan_apply_plan_ends_in_sync),
        trial("an_imported_file_is_in_sync", an_imported_file_is_in_sync),
        trial("the_sandbox_answers_as_localstack_does", the_sandbox_answers_as_localstack_does),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// An account that no earlier run of these tests has filled.
fn new_account() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    format!("{:012}", since.as_micros() % 1_000_000_000_000)
}

/// A new account of 60 users there, with the file that lists them.
fn seeded(endpoint: &str, python: &str) -> Result<Binary, Failed> {
    let account = new_account();
    let seeded = Command::new(python)
        .args(["tests/localstack/seed.py", "--endpoint", endpoint, "--account", &account])
        .args(["--users", "60"])
        .output()?;
    check(seeded.status.success(), String::from_utf8_lossy(&seeded.stderr).as_ref())?;
    Ok(Binary::with_file(&String::from_utf8(seeded.stdout)?)
        .env("AWS_ACCESS_KEY_ID", &account)
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_ENDPOINT_URL", endpoint))
}

fn an_imported_file_is_in_sync(endpoint: &str, python: &str) -> Result<(), Failed> {
    let binary = seeded(endpoint, python)?;
    let imported = binary.run(&["import", "--out", "imported.toml"]);
    check(imported.code == 0, &imported.to_string())?;
    let plan = binary.run(&["-f", "imported.toml", "plan", "--detailed-exitcode"]);
    check(plan.code == 0 && plan.out.starts_with("In sync: "), &plan.to_string())?;
    // Before the seeded file is applied, the account is not as that file says.
    let plan = binary.run(&["plan", "--detailed-exitcode"]);
    check(plan.code == 2, &plan.to_string())
}

fn plan_apply_plan_ends_in_sync(endpoint: &str, python: &str) -> Result<(), Failed> {
    let binary = seeded(endpoint, python)?;
    let plan = binary.run(&["plan", "--detailed-exitcode"]);
    check(plan.code == 2, &plan.to_string())?;
    let applied =
        binary.run(&["apply", "--auto-approve", "--max-changes", "100%", "--format", "json"]);
    check(applied.code == 0, &applied.to_string())?;
    let summary = applied.json_lines().pop().ok_or("no summary")?;
    check(summary["failed"] == 0 && summary["applied"] == 40, &summary.to_string())?;
    let again = binary.run(&["plan", "--detailed-exitcode"]);
    check(again.code == 0 && again.out.starts_with("In sync: "), &again.to_string())
}

fn the_sandbox_answers_as_localstack_does(endpoint: &str, python: &str) -> Result<(), Failed> {
    let sandbox = support::serve(&["--port", "0", "--users", "0"]);
    let compared = Command::new(python)
        .args(["tests/localstack/faithfulness.py", "--localstack", endpoint])
        .args(["--sandbox", &sandbox.url, "--account", &new_account()])
        .output()?;
    let compared = Ran::of(compared);
    check(compared.code == 0, &compared.to_string())
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
