//! `--quiet`: nothing if all is well, and otherwise a first line for a notification.

use iam_boundaries::report::Headline;
use iam_boundaries::sandbox::Fault;

use crate::support::Ran;
use crate::support::fixture::{Fixture, PUT, denied, lines, user};
use crate::support::fleet::FleetFixture;

const APPLY: [&str; 4] = ["apply", "--auto-approve", "--quiet", "--max-changes=9"];
const ACCOUNT: &str = "[account]\nid = \"123456789012\"\n";

/// Checks that nothing was written, and that the exit code is 0.
fn silent(ran: &Ran) {
    assert_eq!((ran.code, &*ran.out, &*ran.err), (0, "", ""), "{ran}");
}

/// Checks that standard output begins with this line, which fits into a notification.
fn begins(ran: &Ran, line: &str) {
    assert_eq!(ran.out.lines().next(), Some(line), "{ran}");
    fits(line);
}

fn fits(line: &str) {
    assert!(line.chars().count() <= Headline::MAX_LENGTH, "{line}");
}

#[tokio::test]
async fn a_plan_without_changes_is_silent_and_one_with_changes_begins_with_a_line_about_them() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    let ran = fixture.run(&["plan", "--quiet"]).await;
    assert_eq!((ran.code, &*ran.err), (0, ""), "{ran}");
    begins(&ran, "iam-boundaries plan: 3 changes in account 123456789012");
    let loud = fixture.run(&["plan"]).await;
    assert_eq!(ran.out.split_once('\n').unwrap().1, loud.out, "the report is the usual one");
    let coded = fixture.run(&["plan", "-q", "--detailed-exitcode"]).await;
    assert_eq!((coded.code, &coded.out), (2, &ran.out), "{coded}");

    (0..3).for_each(|n| fixture.set(n, "Developer"));
    for format in ["text", "json", "markdown", "html", "github"] {
        silent(&fixture.run(&["plan", "-q", "--detailed-exitcode", "--format", format]).await);
    }
    silent(&fixture.run(&["plan", "-q", "--out", "plan.json", "--metrics", "m.prom"]).await);
    for file in ["plan.json", "m.prom"] {
        assert!(fixture.folder().join(file).exists(), "{file} is written nevertheless");
    }
}

#[tokio::test]
async fn a_document_for_machines_stays_whole_and_the_line_goes_to_standard_error() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    for format in ["json", "markdown", "html", "github"] {
        let ran = fixture.run(&["plan", "-q", "--format", format]).await;
        let line = "iam-boundaries plan: 2 changes in account 123456789012\n";
        assert_eq!((ran.code, &*ran.err), (0, line), "{ran}");
        let loud = fixture.run(&["plan", "--format", format]).await;
        assert_eq!(ran.out, loud.out);
    }
}

#[tokio::test]
async fn warnings_and_problems_are_not_silent() {
    let file = lines(2, "\"policy/Developer\"");
    let with = |head: &str, tail: &str| format!("{ACCOUNT}{head}[users]\n{file}{tail}");
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    (0..2).for_each(|n| fixture.set(n, "Developer"));
    fixture.write_file(&with("", ""));
    silent(&fixture.run(&["plan", "-q"]).await);

    fixture.write_file(&with("[unlisted]\nusers = \"warn\"\n", ""));
    let ran = fixture.run(&["plan", "-q"]).await;
    begins(&ran, "iam-boundaries plan: 2 unlisted in account 123456789012");
    let ran = fixture.run(&APPLY).await;
    assert_eq!(ran.code, 0, "{ran}");
    begins(&ran, "iam-boundaries apply: 2 unlisted in account 123456789012");
    fixture.write_file(&with("[unlisted]\nusers = \"ignore\"\n", ""));
    silent(&fixture.run(&["plan", "-q"]).await);

    fixture.write_file(&with("", "nobody = \"policy/Developer\"\nnone = false\n"));
    let ran = fixture.run(&["plan", "-q"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    begins(&ran, "iam-boundaries plan: 2 problems in account 123456789012");
}

#[tokio::test]
async fn violated_guard_rails_are_counted_before_problems() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    let with = |guard: &str| {
        let file = lines(4, "\"policy/Developer\"");
        fixture.write_file(&format!("{ACCOUNT}[guard]\n{guard}[users]\n{file}nobody = false\n"));
    };
    for (guard, violated, title) in [
        ("max_changes = 1\n", "1 violated guard rail", "; 1 guard rail violated"),
        // Four protected users are four violations of one guard rail.
        ("protected = [\"*\"]\n", "1 violated guard rail", "; 1 guard rail violated"),
        (
            "max_changes = 1\nprotected = [\"*\"]\n",
            "2 violated guard rails",
            "; 2 guard rails violated",
        ),
    ] {
        with(guard);
        let ran = fixture.run(&["plan", "-q"]).await;
        let line = format!("4 changes, {violated} and 1 problem in account 123456789012");
        begins(&ran, &format!("iam-boundaries plan: {line}"));
        for format in ["html", "markdown"] {
            let page = fixture.run(&["plan", "--format", format]).await.out;
            assert!(page.contains(title), "{page}");
        }
    }
    let fleet = FleetFixture::accounts(3).users(2).start().await;
    fleet.write(
        "baseline.toml",
        &format!("[guard]\nmax_changes = 1\n[users]\n{}", {
            let baseline = crate::support::fleet::baseline(2, "\"policy/Developer\"");
            baseline.split_once("[users]\n").unwrap().1.to_owned()
        }),
    );
    let ran = fleet.run(&["plan", "--fleet", "fleet.toml", "-q"]).await;
    begins(&ran, "iam-boundaries plan: 6 changes and 3 violated guard rails in fleet fleet.toml");
}

#[tokio::test]
async fn a_run_that_corrects_everything_is_silent_and_one_that_does_not_says_what_is_left() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, denied());
    let ran = fixture.run(&APPLY).await;
    assert_eq!(ran.code, 3, "{ran}");
    begins(&ran, "iam-boundaries apply: 1 change failed and 3 applied in account 123456789012");
    assert!(ran.out.contains("AccessDenied") && ran.err.starts_with("journal: "), "{ran}");
    silent(&fixture.run(&APPLY).await);
    assert!(fixture.has(1, "Developer"));
    silent(&fixture.run(&APPLY).await);
}

#[tokio::test]
async fn a_run_that_corrects_everything_with_a_warning_is_not_silent() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    fixture.sandbox.faults().add("GetPolicy", None, 10, denied());
    let ran = fixture.run(&APPLY).await;
    assert_eq!(ran.code, 0, "{ran}");
    begins(&ran, "iam-boundaries apply succeeded with warnings in account 123456789012");
    assert!(ran.err.contains("IAM checks the policies when they are set"), "{ran}");
}

#[tokio::test]
async fn a_failure_begins_with_a_line_about_it() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    let refused = ["apply", "--auto-approve", "--quiet", "--max-changes=1"];
    let ran = fixture.run(&refused).await;
    assert_eq!(ran.code, 4, "{ran}");
    begins(
        &ran,
        "iam-boundaries apply failed in account 123456789012: nothing was changed: the plan violates a guard rail",
    );
    assert!(ran.err.starts_with("error: nothing was changed: the plan violates"), "{ran}");

    // A revoked role.
    fixture.sandbox.faults().add("GetCallerIdentity", None, 100, denied());
    let ran = fixture.run(&["plan", "-q"]).await;
    assert_eq!(ran.code, 1, "{ran}");
    let line = ran.out.trim_end();
    assert!(
        line.starts_with("iam-boundaries plan failed: ") && line.contains("AccessDenied"),
        "{ran}"
    );
    fits(line);
    assert!(ran.err.starts_with("error: "), "{ran}");
    let json = fixture.run(&["plan", "-q", "--format", "json"]).await;
    assert_eq!((&*json.out, json.err.lines().next()), ("", Some(line)), "{json}");

    let ran = fixture.run(&["plan", "-q", "--metrics", "none/m.prom"]).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("cannot write the metrics"), "{ran}");
    fixture.sandbox.faults().clear();
    (0..4).for_each(|n| fixture.set(n, "Developer"));
    let ran = fixture.run(&["plan", "-q", "--metrics", "none/m.prom"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    let line = ran.out.lines().next().unwrap();
    assert!(
        line.contains("plan failed in account 123456789012: cannot write the metrics"),
        "{ran}"
    );
}

#[tokio::test]
async fn a_slow_reading_is_silent() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    (0..2).for_each(|n| fixture.set(n, "Developer"));
    fixture.sandbox.faults().add("GetUser", None, 3, Fault::throttling());
    let loud = fixture.run(&["plan"]).await;
    assert!(loud.err.contains("takes longer"), "{loud}");
    fixture.sandbox.faults().add("GetUser", None, 3, Fault::throttling());
    silent(&fixture.run(&["plan", "-q"]).await);
}

#[tokio::test]
async fn checks_are_silent_unless_there_is_a_difference_a_warning_or_an_error() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    silent(&fixture.run(&["check", "-q"]).await);
    let ran = fixture.run(&["import", "--check", "-q"]).await;
    assert_eq!(ran.code, 2, "{ran}");
    begins(&ran, "iam-boundaries import: 2 different in account 123456789012");
    (0..2).for_each(|n| fixture.set(n, "Developer"));
    silent(&fixture.run(&["import", "--check", "-q"]).await);
    fixture.write_file("[users]\nalice = 1\nbob = 2\n");
    let ran = fixture.run(&["check", "-q"]).await;
    assert_eq!(ran.code, 1, "{ran}");
    begins(&ran, "iam-boundaries check failed: 2 errors in boundaries.toml");
    assert!(ran.err.contains("boundaries.toml:2:"), "{ran}");
}

#[tokio::test]
async fn a_fleet_is_silent_or_has_one_line() {
    let fleet = FleetFixture::accounts(3).users(2).start().await;
    let plan = ["plan", "--fleet", "fleet.toml", "-q"];
    let apply = [&APPLY[..], &["--fleet", "fleet.toml"]].concat();
    let ran = fleet.run(&plan).await;
    assert_eq!(ran.code, 0, "{ran}");
    begins(&ran, "iam-boundaries plan: 6 changes in fleet fleet.toml");
    fleet.inject(1, PUT, denied());
    let ran = fleet.run(&apply).await;
    assert_eq!(ran.code, 3, "{ran}");
    let line = ran.out.lines().next().unwrap();
    assert!(line.contains("failed") && line.ends_with(" in fleet fleet.toml"), "{ran}");
    fits(line);
    fleet.faults().clear();
    silent(&fleet.run(&apply).await);
    silent(&fleet.run(&plan).await);
    silent(&fleet.run(&["check", "--fleet", "fleet.toml", "-q"]).await);
}

#[tokio::test]
async fn merged_results_of_shards_are_silent_or_have_one_line() {
    let fleet = FleetFixture::accounts(4).users(2).start().await;
    let shards = ["1/2", "2/2"];
    let merge = ["report", "merge", "-q"];
    let apply = async |name: &str| {
        for (shard, file) in shards.iter().zip([format!("{name}-1"), format!("{name}-2")]) {
            let ran = fleet.apply(&["--shard", shard, "--format", "json"]).await;
            fleet.write(&file, &ran.out);
        }
    };
    for (shard, file) in shards.iter().zip(["plan-1", "plan-2"]) {
        fleet.plan(&["--shard", shard, "--out", file]).await;
    }
    let ran = fleet.run(&[&merge[..], &["plan-1", "plan-2"]].concat()).await;
    begins(&ran, "iam-boundaries report merge: 8 changes in fleet fleet.toml");
    let ran = fleet.run(&[&merge[..], &["plan-1"]].concat()).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.out.lines().next().unwrap().contains("1 shard missing"), "{ran}");

    fleet.inject(1, PUT, denied());
    apply("failing").await;
    let both = ["failing-1", "failing-2"];
    let ran = fleet.run(&[&merge[..], &both].concat()).await;
    assert_eq!(ran.code, 3, "{ran}");
    let line = "iam-boundaries report merge: 2 changes failed and 6 applied in fleet fleet.toml";
    begins(&ran, line);
    let loud = fleet.run(&[&merge[..2], &both].concat()).await;
    assert_eq!(ran.out.split_once('\n').unwrap().1, loud.out, "the report is the usual one");
    let ran = fleet.run(&[&merge[..], &both, &["--format", "json"]].concat()).await;
    assert_eq!(ran.err.lines().next(), Some(line), "{ran}");

    fleet.faults().clear();
    apply("complete").await;
    silent(&fleet.run(&[&merge[..], &["complete-1", "complete-2"]].concat()).await);
    let ran = fleet.run(&[&merge[..], &["complete-1"]].concat()).await;
    assert_eq!(ran.code, 3, "{ran}");
    begins(
        &ran,
        "iam-boundaries report merge: 1 shard missing or not ended and 2 changes applied in fleet fleet.toml",
    );
    let ran = fleet.run(&[&merge[..], &["absent"]].concat()).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.out.starts_with("iam-boundaries report merge failed: "), "{ran}");
}

#[tokio::test]
async fn options_that_contradict_it_are_rejected() {
    let fixture = Fixture::users(1).listed_with("Developer").start().await;
    for (arguments, option) in [
        (&["apply", "--quiet"][..], "--auto-approve"),
        (&["plan", "--quiet", "-v"], "--verbose"),
        (&["import", "--quiet"], "--check"),
        (&["plan", "--quiet", "--explain", "user/alice"], "--explain"),
    ] {
        let ran = fixture.run(arguments).await;
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.err.contains(option), "{ran}");
    }
    assert_eq!(fixture.writes(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_report_that_cannot_be_written_is_an_error() {
    use std::fs::File;
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, denied());
    for (arguments, code) in [(&["plan", "-q"][..], 1), (&APPLY, 3)] {
        let Ok(full) = File::options().write(true).open("/dev/full") else { return };
        let mut command = fixture.command(arguments);
        let run = tokio::task::spawn_blocking(move || {
            let child = command.stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
            Ran::of(child.wait_with_output().unwrap())
        });
        let ran = run.await.unwrap();
        assert_eq!(ran.code, code, "{ran}");
        assert!(ran.err.contains("cannot write to standard output"), "{ran}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_run_has_a_line_about_what_was_not_attempted() {
    let fixture = Fixture::users(5).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(PUT, None, 100_000, Fault::throttling());
    let mut command = fixture.command(&APPLY);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    crate::support::fleet::until("writes", || fixture.calls(PUT) > 1).await;
    crate::support::fleet::interrupt(&child);
    let ran = crate::support::fleet::ended(child).await;
    assert_eq!(ran.code, 130, "{ran}");
    begins(
        &ran,
        "iam-boundaries apply was interrupted: 5 changes not attempted in account 123456789012",
    );
}
