//! Runs on a fleet that are stopped in the middle, and when the first change is made.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use iam_boundaries::journal::{FleetRecord, FleetRecordState, Outcome};
use iam_boundaries::sandbox::Fault;
use serde_json::Value;

use crate::support::Ran;
use crate::support::fixture::{DETAILS, PUT};
use crate::support::fleet::{
    APPLY, FleetFixture, account_name, ended, interrupt, lines_of, summary, terminate, until,
};

const ACCOUNTS: usize = 12;
const CHANGES: usize = 8;

/// Twelve accounts with 8 changes each. A write takes this long.
async fn slow(write: Duration) -> FleetFixture {
    let fleet = FleetFixture::accounts(ACCOUNTS).users(20).start().await;
    for n in 0..ACCOUNTS {
        fleet.inject(n, PUT, Fault::Slow(write));
    }
    fleet
}

/// Checks that each account of a JSON report has one end, and that the changes of each are 8. Returns the sum of the changes
/// with each outcome.
fn check_report(fleet: &FleetFixture, ran: &Ran) -> BTreeMap<String, u64> {
    let mut ends = BTreeMap::<String, u64>::new();
    let mut outcomes = BTreeMap::<String, u64>::new();
    let mut of_accounts = BTreeMap::<String, u64>::new();
    for line in ran.json_lines() {
        let account = line["account"].as_str().unwrap_or_default().to_owned();
        match line["type"].as_str().unwrap() {
            "item" => {
                *of_accounts.entry(account).or_default() += 1;
                *outcomes.entry(line["outcome"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            "account_not_begun" => {
                let count = line["not_attempted"].as_u64().unwrap();
                *of_accounts.entry(account.clone()).or_default() += count;
                *outcomes.entry("not_attempted".to_owned()).or_default() += count;
                *ends.entry(account).or_default() += 1;
            }
            "summary" => *ends.entry(account).or_default() += 1,
            "fleet_started" | "fleet_summary" => {}
            other => panic!("{other}: {ran}"),
        }
    }
    let each = |count: u64| (0..ACCOUNTS).map(|n| (fleet.id(n).to_owned(), count)).collect();
    assert_eq!(ends, each(1), "{ran}");
    assert_eq!(of_accounts, each(CHANGES as u64), "{ran}");
    outcomes
}

/// Compares the journals of a run with the accounts: a change with the outcome applied is made, and one that is not in the
/// journal or was not attempted is not. Returns the number of changes that were applied.
async fn check_journals(fleet: &FleetFixture, directory: &std::path::Path) -> u64 {
    let record = FleetRecord::read(directory).unwrap();
    assert_eq!(record.accounts.len(), ACCOUNTS);
    let mut applied = 0;
    for account in &record.accounts {
        assert_eq!(account.changes, CHANGES);
        let n = fleet.number(account.account.as_str());
        let (before, now) = (fleet.seeded(n), fleet.boundaries(n).await);
        let run = match account.state(directory) {
            FleetRecordState::NotBegun => None,
            FleetRecordState::Begun(run) => Some(run),
            FleetRecordState::Unreadable(error) => panic!("{error}"),
        };
        if let Some(run) = &run {
            assert_eq!(run.header.account, account.account);
        }
        for (user, from) in &before {
            let entry = run.iter().flat_map(|run| &run.entries);
            let entry =
                entry.into_iter().find(|entry| entry.intent.principal.name.as_str() == user);
            let Some(entry) = entry else {
                assert_eq!(now[user], *from, "{user} of {} is not in the journal", fleet.label(n));
                continue;
            };
            let to = entry.intent.boundary.to().map(|arn| arn.as_str().to_owned());
            match entry.outcome.as_ref().map(Outcome::of) {
                Some(Outcome::Applied) => {
                    applied += 1;
                    assert_eq!(now[user], to, "{user} of {}", fleet.label(n));
                }
                Some(Outcome::NotAttempted) => assert_eq!(now[user], *from),
                _ => assert!(now[user] == to || now[user] == *from),
            }
        }
    }
    applied
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_before_the_last_account_is_read_unless_as_planned() {
    for as_planned in [false, true] {
        let fleet = FleetFixture::accounts(ACCOUNTS).start().await;
        fleet.inject(7, DETAILS, Fault::Slow(Duration::from_secs(10)));
        let arguments = [&APPLY[..], if as_planned { &["--as-planned"] } else { &[] }].concat();
        let child = fleet.spawn(&arguments);
        let is_read = |n: usize| fleet.sandbox.calls_of(fleet.id(n)).contains_key(DETAILS);
        until("all accounts are read", || (0..ACCOUNTS).all(is_read)).await;
        match as_planned {
            true => {
                let others: Vec<usize> = (0..ACCOUNTS).filter(|n| *n != 7).collect();
                until("the others are written", || fleet.written() == others).await;
            }
            false => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                assert_eq!(fleet.written(), Vec::<usize>::new());
            }
        }
        let ran = ended(child).await;
        assert_eq!(ran.code, 0, "{ran}");
        fleet.check(|n| fleet.all_with(n, "Developer")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_interrupt_every_account_has_an_outcome_and_the_next_run_completes() {
    let fleet = slow(Duration::from_millis(50)).await;
    let options = ["--format", "json", "--concurrency", "2", "--accounts-at-once", "3"];
    let child = fleet.spawn(&[&APPLY[..], &options, &["--journal", "run"]].concat());
    until("the fourth account is written", || fleet.written().len() >= 4).await;
    interrupt(&child);
    let ran = ended(child).await;
    assert_eq!(ran.code, 130, "{ran}");
    let outcomes = check_report(&fleet, &ran);
    let end = summary(&ran);
    assert_eq!(end["applied"], outcomes["applied"], "{ran}");
    assert_eq!(end["not_attempted"], outcomes["not_attempted"], "{ran}");
    let not_begun = lines_of(&ran, "account_not_begun");
    assert!(not_begun.len() >= 5, "{ran}");
    assert!(not_begun.iter().all(|line| line["reason"] == "interrupted"), "{ran}");
    fleet.faults().clear();
    let directory = fleet.folder().join("run");
    assert_eq!(check_journals(&fleet, &directory).await, outcomes["applied"]);
    assert!(FleetRecord::read(&directory).unwrap().has_ended);

    let next = fleet.apply(&[]).await;
    assert_eq!(next.code, 0, "{next}");
    assert!(!next.err.contains("did not finish"), "{next}");
    fleet.check(|n| fleet.all_with(n, "Developer")).await;
    let writes = (ACCOUNTS * CHANGES) as u64;
    assert_eq!(fleet.all_writes(), writes, "a change is not made twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_while_the_accounts_are_read_changes_nothing() {
    let fleet = FleetFixture::accounts(ACCOUNTS).start().await;
    fleet.inject(7, DETAILS, Fault::Slow(Duration::from_secs(20)));
    let child = fleet.spawn(&APPLY);
    until("an account is read", || fleet.sandbox.calls_of(fleet.id(7)).contains_key(DETAILS)).await;
    terminate(&child);
    let ran = ended(child).await;
    // The signal ends the process, or the run reports it.
    assert!([-1, 130].contains(&ran.code), "{ran}");
    assert!(!ran.out.contains("Apply complete"), "{ran}");
    assert_eq!((fleet.all_writes(), fleet.run_directories().len()), (0, 0));
    let next = fleet.apply(&["--account", &account_name(1)]).await;
    assert!(next.code == 0 && !next.err.contains("did not finish"), "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_time_limit_every_account_has_an_outcome_and_what_was_not_begun_says_why() {
    let fleet = slow(Duration::from_millis(700)).await;
    fleet.plan(&["--out", "plan.json"]).await;
    let apply = ["apply", "plan.json", "-y", "--format", "json", "--timeout", "8s"];
    let options = ["--concurrency", "1", "--accounts-at-once", "3", "--journal", "run"];
    let ran = fleet.run(&[&apply[..], &options].concat()).await;
    assert_eq!(ran.code, 3, "{ran}");
    let outcomes = check_report(&fleet, &ran);
    assert_eq!(summary(&ran)["applied"], outcomes["applied"], "{ran}");
    let not_begun = lines_of(&ran, "account_not_begun");
    assert!(not_begun.len() >= 6, "{ran}");
    assert!(not_begun.iter().all(|line| line["reason"] == "deadline"), "{ran}");
    let stopped = |line: &&Value| line["stopped_by"] == "deadline";
    assert!(lines_of(&ran, "summary").iter().filter(stopped).count() >= 1, "{ran}");
    fleet.faults().clear();
    let applied = check_journals(&fleet, &fleet.folder().join("run")).await;
    assert_eq!(applied, outcomes["applied"]);
    let next = fleet.apply(&[]).await;
    assert_eq!(next.code, 0, "{next}");
    fleet.check(|n| fleet.all_with(n, "Developer")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_next_run_says_what_each_account_left_open_and_completes() {
    let fleet = FleetFixture::accounts(ACCOUNTS).users(10).start().await;
    let mut random = fastrand::Rng::with_seed(20_261_128);
    let (mut killed, mut reported) = (0, 0);
    for round in 0..9_usize {
        let policy = ["Developer", "Contractor", "DataScientist"][round % 3];
        let file = crate::support::fleet::baseline(10, &format!("\"policy/{policy}\""));
        fleet.write("baseline.toml", &file);
        let directories = fleet.run_directories();
        let writes = fleet.all_writes();
        let moment = writes + random.u64(0..ACCOUNTS as u64 * 8);
        // The process is still writing when this one sees that the moment has come.
        (0..ACCOUNTS).for_each(|n| fleet.inject(n, PUT, Fault::Slow(Duration::from_millis(25))));
        let at_once = ["1", "4", "16"][round % 3];
        let options = ["--accounts-at-once", at_once, "--concurrency", "2"];
        let mut command = fleet.command(&[&APPLY[..], &options].concat());
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let was_killed = loop {
            if run.try_wait().unwrap().is_some() {
                break false;
            }
            if fleet.all_writes() > moment {
                run.kill().unwrap();
                run.wait().unwrap();
                break true;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        };
        killed += usize::from(was_killed);
        fleet.faults().clear();
        let mut new = fleet.run_directories();
        new.retain(|path| !directories.contains(path));
        assert!(new.len() <= 1, "{new:?}");
        let record = new.first().map(|path| (path, FleetRecord::read(path).unwrap()));
        let next = fleet.apply(&[]).await;
        assert_eq!(next.code, 0, "round {round}: {next}");
        if let Some((path, record)) = record.filter(|(_, record)| !record.has_ended) {
            reported += 1;
            check_message(path, &record, &next);
        }
        fleet.check(|n| fleet.all_with(n, policy)).await;
        let last = fleet.apply(&[]).await;
        assert!(last.code == 0 && !last.err.contains("did not finish"), "round {round}: {last}");
    }
    // Runs one after another use the same lock.
    assert_eq!(locks(&fleet), 1);
    assert!(killed >= 5 && reported >= 5, "{killed} killed, {reported} reported");
}

/// The number of locks of markers.
fn locks(fleet: &FleetFixture) -> usize {
    let fleets = fleet.folder().join(".local/state/iam-boundaries/fleets");
    let names = std::fs::read_dir(fleets).unwrap().map(|it| it.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().ends_with(".lock")).count()
}

/// The markers of runs in progress or not finished.
fn markers(fleet: &FleetFixture) -> Vec<String> {
    let fleets = fleet.folder().join(".local/state/iam-boundaries/fleets");
    let names = std::fs::read_dir(fleets).unwrap().map(|it| it.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut markers: Vec<String> = names.filter(|name| name.ends_with(".json")).collect();
    markers.sort();
    markers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_progress_is_not_reported_as_unfinished_and_keeps_its_marker() {
    let fleet = FleetFixture::accounts(3).users(10).start().await;
    for n in [0, 1] {
        fleet.inject(n, PUT, Fault::Slow(Duration::from_secs(30)));
    }
    let accounts = ["--account", &account_name(0), "--account", &account_name(1)];
    let mut first = fleet.spawn(&[&APPLY[..], &accounts].concat());
    let is_writing = || markers(&fleet).len() == 1 && fleet.written() == [0, 1];
    until("the first run writes", || fleet.run_directories().len() == 1 && is_writing()).await;
    let of_first = markers(&fleet);
    let ran = fleet.apply(&[]).await;
    assert_eq!(ran.code, 3, "{ran}");
    for text in ["did not finish", "is unknown", "rollback"] {
        assert!(!ran.err.contains(text), "{text}: {ran}");
    }
    assert!((ran.out.clone() + &ran.err).contains("another run (PID "), "{ran}");
    assert_eq!(fleet.boundaries(2).await, fleet.all_with(2, "Developer"));
    assert_eq!(markers(&fleet), of_first, "the marker of the first run is gone");
    // A run that is killed is unfinished at once, whatever ran beside it.
    first.kill().unwrap();
    first.wait().unwrap();
    fleet.faults().clear();
    let next = fleet.apply(&[]).await;
    assert_eq!(next.code, 0, "{next}");
    assert_eq!(next.err.matches("on this fleet did not finish").count(), 1, "{next}");
    assert_eq!(markers(&fleet), Vec::<String>::new());
    let last = fleet.apply(&[]).await;
    assert!(last.code == 0 && !last.err.contains("did not finish"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_reported_once_also_if_nothing_is_left_to_change() {
    let fleet = FleetFixture::accounts(3).start().await;
    for n in 0..fleet.len() {
        fleet.inject(n, PUT, Fault::Slow(Duration::from_secs(30)));
    }
    let mut run = fleet.spawn(&APPLY);
    until("the run writes", || fleet.written() == [0, 1, 2]).await;
    run.kill().unwrap();
    run.wait().unwrap();
    fleet.faults().clear();
    // Somebody else makes the changes.
    for n in 0..fleet.len() {
        for user in 0..fleet.all_with(n, "Developer").len() {
            fleet.put(n, user, "Developer").await;
        }
    }
    let writes = fleet.all_writes();
    let next = fleet.apply(&[]).await;
    assert_eq!((next.code, fleet.all_writes()), (0, writes), "{next}");
    assert_eq!(next.err.matches("on this fleet did not finish").count(), 1, "{next}");
    assert_eq!(markers(&fleet), Vec::<String>::new());
    let last = fleet.apply(&[]).await;
    assert!(last.code == 0 && !last.err.contains("did not finish"), "{last}");
}

/// Checks what a run says about the earlier one, whose record this is.
fn check_message(directory: &std::path::Path, record: &FleetRecord, next: &Ran) {
    assert!(next.err.contains("on this fleet did not finish"), "{next}");
    assert_eq!(next.err.matches("did not finish").count(), 1, "it is reported twice: {next}");
    let mut complete = 0;
    for account in &record.accounts {
        let label = format!("{} ({})", account.name, account.account);
        let line = next.err.lines().find(|line| line.starts_with(&format!("  {label}: ")));
        let run = match account.state(directory) {
            FleetRecordState::Begun(run) => run,
            FleetRecordState::NotBegun => {
                let not_begun =
                    next.err.lines().find(|line| line.starts_with("  Not begun: ")).unwrap();
                assert!(not_begun.contains(&label), "{label}: {next}");
                continue;
            }
            FleetRecordState::Unreadable(error) => {
                let line = line.unwrap_or_else(|| panic!("{label} is not named: {next}"));
                assert!(line.contains(&error.to_string()), "{error}: {line}");
                continue;
            }
        };
        let open: Vec<String> = run.unfinished().map(ToString::to_string).collect();
        if run.end.is_some() {
            complete += 1;
            assert_eq!(line, None, "{label}: {next}");
            continue;
        }
        let line = line.unwrap_or_else(|| panic!("{label} is not named: {next}"));
        let recorded = run.entries.len() - open.len();
        assert!(line.contains(&format!("the outcome of {recorded} change")), "{line}");
        assert!(open.iter().all(|user| line.contains(user.as_str())), "{open:?}: {line}");
        let rest = run.header.changes - run.entries.len();
        if rest > 0 {
            assert!(line.contains(&format!("{rest} change")), "{line}");
            assert!(line.ends_with("not attempted"), "{line}");
        }
    }
    let ended = format!("{complete} of {} accounts ended", record.accounts.len());
    let ended =
        if record.accounts.len() == 1 { ended.replace("accounts", "account") } else { ended };
    assert!(next.err.contains(&ended), "{ended}: {next}");
}
