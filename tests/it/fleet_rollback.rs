//! Rolling back a run on a fleet from the directory of its journals.
#![cfg(unix)]

use std::process::Stdio;
use std::time::Duration;

use iam_boundaries::journal::{FleetRecord, RunRecord};
use iam_boundaries::sandbox::{Fault, awkward_name};
use serde_json::Value;

use crate::support::fixture::PUT;
use crate::support::fleet::{APPLY, FleetFixture, account_name, account_of, baseline};

const LIMITS: [&str; 2] = ["--max-removals", "100%"];

/// A fleet of four accounts after a complete run, whose journals are in `run`.
async fn applied() -> FleetFixture {
    let fleet = FleetFixture::accounts(4).start().await;
    let ran = fleet.apply(&["--journal", "run"]).await;
    assert_eq!(ran.code, 0, "{ran}");
    fleet
}

async fn rollback(fleet: &FleetFixture, options: &[&str]) -> (i32, Value, String) {
    let arguments = [&["rollback", "run", "--format", "json"], options].concat();
    let ran = fleet.run(&arguments).await;
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_default(), ran.err)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_rolled_back_in_every_account_or_in_some() {
    let fleet = applied().await;
    let (code, plan, err) =
        rollback(&fleet, &["--out", "part.json", "--account", "acct-002"]).await;
    assert_eq!((code, plan["accounts"].as_array().unwrap().len()), (0, 1), "{err}");
    assert_eq!(plan["source"]["kind"], "rollback");
    let record = FleetRecord::read(&fleet.folder().join("run")).unwrap();
    assert_eq!(plan["source"]["plan"], record.plan.to_string());
    let part = fleet.run(&[&["apply", "part.json", "-y"], &LIMITS[..]].concat()).await;
    assert_eq!(part.code, 0, "{part}");
    fleet.check(|n| if n == 2 { fleet.seeded(n) } else { fleet.all_with(n, "Developer") }).await;

    let (code, plan, err) = rollback(&fleet, &["--out", "back.json"]).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!((&plan["summary"]["remove"], &plan["summary"]["change"]), (&3.into(), &3.into()));
    let back = fleet.run(&[&["apply", "back.json", "-y"], &LIMITS[..]].concat()).await;
    assert_eq!(back.code, 0, "{back}");
    fleet.check(|n| fleet.seeded(n)).await;
    let unknown = fleet.run(&["rollback", "run", "--account", "acct-009"]).await;
    assert!(unknown.code == 1 && unknown.err.contains("run has no account acct-009"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_after_the_run_is_a_problem_of_its_account_and_is_not_rolled_back() {
    let fleet = applied().await;
    fleet.put(1, 0, "DataScientist").await;
    let (code, plan, err) = rollback(&fleet, &["--out", "back.json"]).await;
    assert_eq!(code, 3, "{err}");
    let of_account = &account_of(&plan, "acct-001")["plan"];
    let problems = of_account["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{of_account}");
    assert_eq!(
        (&problems[0]["name"], &problems[0]["account"]),
        (&awkward_name(0).into(), &fleet.id(1).into())
    );
    let ran = fleet.run(&[&["apply", "back.json", "-y"], &LIMITS[..]].concat()).await;
    assert_eq!(ran.code, 3, "{ran}");
    fleet
        .check(|n| {
            let mut expected = fleet.seeded(n);
            if n == 1 {
                expected.insert(awkward_name(0), Some(fleet.policy(1, "DataScientist")));
            }
            expected
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_read_is_a_problem_of_its_account() {
    let fleet = applied().await;
    let journal = |n: usize| format!("run/{}.jsonl", fleet.id(n));
    let damaged = fleet.read(&journal(1)).replacen("\"account\"", "\"accound\"", 1);
    fleet.write(&journal(1), &damaged);
    // A journal of another account under this name.
    fleet.write(&journal(2), &fleet.read(&journal(3)));
    let (code, plan, err) = rollback(&fleet, &["--out", "back.json"]).await;
    assert_eq!(code, 3, "{err}");
    for n in [1, 2] {
        let account = account_of(&plan, &account_name(n));
        assert_eq!(account.get("plan"), None, "{account}");
        let message = account["problem"]["message"].as_str().unwrap();
        assert!(message.contains(&journal(n)), "{message}");
    }
    let ran = fleet.run(&[&["apply", "back.json", "-y"], &LIMITS[..]].concat()).await;
    assert_eq!(ran.code, 3, "{ran}");
    let is_back = |n: usize| [0, 3].contains(&n);
    fleet
        .check(|n| if is_back(n) { fleet.seeded(n) } else { fleet.all_with(n, "Developer") })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_rolled_back_as_far_as_it_came() {
    let fleet = FleetFixture::accounts(8).users(20).start().await;
    for n in 0..fleet.len() {
        fleet.inject(n, PUT, Fault::Slow(Duration::from_millis(40)));
    }
    let options = ["--journal", "run", "--accounts-at-once", "2", "--concurrency", "2"];
    let mut command = fleet.command(&[&APPLY[..], &options].concat());
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    crate::support::fleet::until("the third account is written", || fleet.written().len() >= 3)
        .await;
    run.kill().unwrap();
    run.wait().unwrap();
    fleet.faults().clear();
    let begun = fleet.written();
    assert!((3..8).contains(&begun.len()), "{begun:?}");
    assert!(!FleetRecord::read(&fleet.folder().join("run")).unwrap().has_ended);

    let (code, plan, err) = rollback(&fleet, &["--out", "back.json"]).await;
    assert!([0, 3].contains(&code), "{err}");
    let planned: Vec<usize> = plan["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| fleet.number(it["account"].as_str().unwrap()))
        .collect();
    // An account whose first line was written just before the kill may have no write.
    assert!(begun.iter().all(|n| planned.contains(n)), "{begun:?} {planned:?}");
    assert!(planned.len() <= begun.len() + 2, "{begun:?} {planned:?}");
    let back = fleet.run(&[&["apply", "back.json", "-y"], &LIMITS[..]].concat()).await;
    assert!(back.code == code, "{back}");
    fleet.check(|n| fleet.seeded(n)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rollback_of_a_killed_run_names_the_changes_that_a_later_run_may_have_made() {
    const HEADING: &str = "Possibly not changed by this run";
    let fleet = FleetFixture::accounts(3).users(10).start().await;
    for n in 0..fleet.len() {
        fleet.inject(n, PUT, Fault::Slow(Duration::from_millis(300)));
    }
    let options = ["--journal", "run", "--concurrency", "2"];
    let mut run = fleet.spawn(&[&APPLY[..], &options].concat());
    let writes = || fleet.all_writes() >= 9;
    crate::support::fleet::until("some changes are made", writes).await;
    run.kill().unwrap();
    run.wait().unwrap();
    fleet.faults().clear();
    let later = fleet.apply(&[]).await;
    assert_eq!(later.code, 0, "{later}");

    let (code, plan, err) = rollback(&fleet, &["--out", "back.json"]).await;
    assert_eq!(code, 0, "{err}");
    let mut unfinished = Vec::new();
    for account in plan["accounts"].as_array().unwrap() {
        let journal = format!("run/{}.jsonl", account["account"].as_str().unwrap());
        let record = RunRecord::read(&fleet.folder().join(journal)).unwrap();
        let mut open: Vec<&str> = record.unfinished().map(|user| user.name.as_str()).collect();
        open.sort_unstable();
        let of_account = &account["plan"];
        let named = of_account["source"]["unconfirmed"].as_array().cloned().unwrap_or_default();
        let named: Vec<&str> = named.iter().map(|user| user["name"].as_str().unwrap()).collect();
        assert_eq!(named, open, "{of_account}");
        assert!(of_account["changes"].as_array().unwrap().len() >= open.len(), "{of_account}");
        unfinished.extend(open.into_iter().map(str::to_owned));
    }
    assert!(!unfinished.is_empty(), "{plan}");
    for format in ["text", "markdown", "github", "html"] {
        let ran = fleet.run(&["show", "back.json", "--format", format]).await;
        let said = &ran.out[ran.out.find(HEADING).unwrap_or_else(|| panic!("{format}: {ran}"))..];
        assert!(unfinished.iter().all(|user| said.contains(user)), "{format}: {ran}");
    }
    // Every outcome of a run that ended is known.
    fleet.write("baseline.toml", &baseline(10, "\"policy/Contractor\""));
    fleet.apply(&["--journal", "ended"]).await;
    let ran = fleet.run(&["rollback", "ended"]).await;
    assert!(ran.code == 0 && !ran.out.contains(HEADING), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_not_that_of_a_run_is_one_clear_message() {
    let fleet = FleetFixture::accounts(2).start().await;
    std::fs::create_dir(fleet.folder().join("run")).unwrap();
    let newer = r#"{"format":"iam-boundaries/fleet-run","format_version":9}"#;
    for (content, message) in [
        (None, "cannot use run: it is a directory without fleet.json"),
        (Some(""), "fleet.json is not the record of a run"),
        (Some("{}"), "fleet.json is not the record of a run"),
        (Some(newer), "fleet.json is not the record of a run"),
    ] {
        if let Some(content) = content {
            fleet.write("run/fleet.json", content);
        }
        let ran = fleet.run(&["rollback", "run"]).await;
        assert_eq!(ran.code, 1, "{content:?}: {ran}");
        assert!(ran.err.contains(message), "{content:?}: {ran}");
        assert_eq!(ran.out, "");
    }
    assert!(fleet.sandbox.calls().is_empty());
}
