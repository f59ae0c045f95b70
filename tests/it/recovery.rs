//! The journal, the lock and unfinished runs, tested with the binary.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::fixture::{Fixture, lines, user};
use crate::support::plans::arn;
use crate::support::{Binary, Ran};
use iam_boundaries::iam::PrincipalName;
use iam_boundaries::journal::{Outcome, RunRecord, RunSource};
use iam_boundaries::sandbox::{ACCOUNT, Fault};

const APPLY: [&str; 2] = ["apply", "--auto-approve"];
const PUT: &str = "PutUserPermissionsBoundary";

/// The directory of the account's state.
fn account_folder(fixture: &Fixture) -> PathBuf {
    fixture.folder().join(".local/state/iam-boundaries").join(ACCOUNT)
}

/// The journals in the directory, oldest first.
fn journals(fixture: &Fixture) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(account_folder(fixture)) else { return Vec::new() };
    let files = files.map(|file| file.unwrap().path());
    let mut journals: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|it| it == "jsonl")).collect();
    journals.sort();
    journals
}

fn is_marked_unfinished(fixture: &Fixture) -> bool {
    account_folder(fixture).join("unfinished.json").exists()
}

/// A run that has written at least one boundary and needs minutes for the others.
struct SlowRun {
    process: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl SlowRun {
    fn start(fixture: &Fixture) -> SlowRun {
        // Text output reports each response immediately. JSON reports a change after its verification.
        let mut process = fixture
            .command(&[&APPLY[..], &["--max-rate", "0.5", "--concurrency", "4"]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("applied") {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "it ended before it began");
        }
        SlowRun { process, out }
    }

    fn signal(mut self, name: &str) -> Option<i32> {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
        self.out.read_to_string(&mut String::new()).unwrap();
        self.process.wait().unwrap().code()
    }
}

/// The record in the only journal.
fn record_of_only_journal(fixture: &Fixture) -> RunRecord {
    let journals = journals(fixture);
    assert_eq!(journals.len(), 1, "{journals:?}");
    RunRecord::read(&journals[0]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_prints_the_path_of_its_journal_and_a_run_without_changes_has_none() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    let applied = fixture.run(&APPLY).await;
    assert_eq!(applied.code, 0, "{applied}");
    let journal = &journals(&fixture)[0];
    assert!(applied.err.ends_with(&format!("journal: {}\n", journal.display())), "{applied}");
    let record = RunRecord::read(journal).unwrap();
    assert_eq!((record.count(Outcome::Applied), record.entries.len()), (6, 6));
    assert_eq!(record.end.as_ref().unwrap().applied, 6);
    assert_eq!(record.header.changes, 6);
    assert_eq!(record.header.source, RunSource::Files(vec!["boundaries.toml".into()]));
    assert!(!is_marked_unfinished(&fixture));

    let again = fixture.run(&APPLY).await;
    assert_eq!((again.code, again.err.as_str()), (0, ""), "{again}");
    assert_eq!(journals(&fixture).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_and_the_run_report_agree_on_every_outcome() {
    let fixture = Fixture::users(6).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    faults.add(PUT, Some("user-0001"), 1, Fault::error(403, "AccessDenied", "not authorized"));
    faults.add(PUT, Some("user-0002"), 1, Fault::CutAfter);
    faults.add(PUT, Some("user-0002"), 1, Fault::error(403, "AccessDenied", "not authorized"));
    let arguments = [&APPLY[..], &["--format", "json", "--journal", "run.jsonl"]].concat();
    let applied = fixture.run(&arguments).await;
    assert_eq!(applied.code, 3, "{applied}");
    let path = fixture.folder().join("run.jsonl");
    let record = RunRecord::read(&path).unwrap();
    assert!(journals(&fixture).is_empty());
    for item in applied.json_lines().iter().filter(|line| line["type"] == "item") {
        let entry = record
            .entries
            .iter()
            .find(|it| it.intent.principal.name.as_str() == item["name"])
            .unwrap();
        assert_eq!(serde_json::to_value(entry.outcome().unwrap()).unwrap(), item["outcome"]);
    }
    // Verification showed that the change without a response was made.
    let lost = record.entries.iter().find(|entry| entry.intent.principal.name == user(2)).unwrap();
    assert_eq!(lost.correction.as_ref().map(|it| it.outcome), Some(Outcome::Applied));
    assert_eq!((record.count(Outcome::Applied), record.count(Outcome::Failed)), (5, 1));

    let before = std::fs::read(&path).unwrap();
    fixture.sandbox.put_user(&user(0), None);
    let refused = fixture.run(&arguments).await;
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused}");
    assert!(refused.err.contains("the journal run.jsonl already exists"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(fixture.has_none(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_disk_is_full_no_further_call_is_made() {
    let fixture = Fixture::users(200).listed_with("Developer").start().await;
    // The system rejects writes beyond this size in the middle of a line, like a full disk.
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let apply = fixture.command(
        &[&APPLY[..], &["--format", "json", "--max-changes", "100%", "--concurrency", "4"]]
            .concat(),
    );
    let mut command = Command::new("sh");
    command.arg("-c").arg(limited).arg(apply.get_program()).args(apply.get_args());
    command.env_clear().current_dir(fixture.folder());
    command.envs(apply.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let applied = Ran::of(output);
    assert_eq!(applied.code, 3, "{applied}");
    assert!(applied.err.contains("cannot be written: File too large"), "{applied}");
    let lines = applied.json_lines();
    let stopped: Vec<_> = lines.iter().filter(|line| line["type"] == "stopped").collect();
    assert_eq!(stopped.len(), 1, "{applied}");
    assert_eq!(stopped[0]["error"]["code"], "JournalFailed");
    let summary = lines.last().unwrap();
    assert_eq!(summary["stopped_by"], "journal");
    let done = summary["applied"].as_u64().unwrap();
    assert_eq!(done + summary["not_attempted"].as_u64().unwrap(), 200, "{applied}");

    // Every written user has a readable intent, and no other user was written.
    let record = record_of_only_journal(&fixture);
    let intended: BTreeSet<&PrincipalName> =
        record.entries.iter().map(|entry| &entry.intent.principal.name).collect();
    assert_eq!(record.end, None);
    let written: Vec<_> = (0..200).filter(|&n| !fixture.has_none(n)).map(user).collect();
    assert!(written.len() > 5 && written.len() < 50, "{}", written.len());
    assert!(written.iter().all(|user| intended.contains(user)));
    assert_eq!(written.len() as u64, fixture.writes());

    // When the disk has space again, the next run reports the unfinished run and makes the other changes.
    let next = fixture.run(&[&APPLY[..], &["--max-changes", "100%"]].concat()).await;
    assert_eq!(next.code, 0, "{next}");
    assert!(next.err.contains("did not finish. Its journal is "), "{next}");
    assert!((0..200).all(|n| fixture.has(n, "Developer")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_run_reports_once_what_a_killed_run_left_open_and_continues() {
    let fixture = Fixture::users(8).listed_with("Developer").start().await;
    assert_eq!(SlowRun::start(&fixture).signal("-KILL"), None);
    let record = record_of_only_journal(&fixture);
    assert_eq!(record.end, None);
    assert!(is_marked_unfinished(&fixture));
    let began = record.header.began.to_the_minute();
    let open: Vec<String> = record.unfinished().map(ToString::to_string).collect();
    assert!(!open.is_empty());

    // A run that does not start does not clear the report.
    let refused = fixture.run(&["apply"]).await;
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.err.starts_with(&format!("The run of {began} did not finish")), "{refused}");

    let next = fixture.run(&APPLY).await;
    assert_eq!(next.code, 0, "{next}");
    assert!(next.err.starts_with(&format!("The run of {began} did not finish")), "{next}");
    let named = format!(" unknown: {}.", open.join(", "));
    assert!(next.err.contains(&named), "{next}");
    assert!((0..8).all(|n| fixture.has(n, "Developer")));
    assert!(!is_marked_unfinished(&fixture));

    fixture.sandbox.put_user(&user(0), None);
    let third = fixture.run(&APPLY).await;
    assert!(third.err.starts_with("journal: "), "{third}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_make_a_change_does_not_clear_the_report_of_an_unfinished_run() {
    let fixture = Fixture::users(8).listed_with("Developer").start().await;
    SlowRun::start(&fixture).signal("-KILL");
    (0..8).for_each(|n| fixture.set(n, "Developer"));
    fixture.sandbox.remove_user(&user(0));
    for _ in 0..2 {
        // The missing user may be one that the killed run did not finish.
        let next = fixture.run(&APPLY).await;
        assert!(next.code == 3 && next.err.contains(" did not finish. "), "{next}");
        assert!(is_marked_unfinished(&fixture));
    }
    fixture.set(0, "Developer");
    assert_eq!(fixture.run(&APPLY).await.code, 0);
    assert!(!is_marked_unfinished(&fixture));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_damaged_journal_of_a_killed_run_is_reported() {
    let fixture = Fixture::users(8).listed_with("Developer").start().await;
    SlowRun::start(&fixture).signal("-KILL");
    let journal = &journals(&fixture)[0];
    std::fs::write(journal, "something else").unwrap();
    let said = fixture.run(&["apply"]).await;
    assert!(said.err.contains("cannot be used: it is not a journal. This run reads"), "{said}");
    std::fs::remove_file(journal).unwrap();
    let said = fixture.run(&["apply"]).await;
    assert!(said.err.contains("its unfinished changes are unknown"), "{said}");
    assert!(
        said.err.contains("and its journal") && said.err.contains("no longer exists."),
        "{said}"
    );
    std::fs::write(account_folder(&fixture).join("unfinished.json"), "{").unwrap();
    let said = fixture.run(&APPLY).await;
    assert!(said.err.contains("unfinished.json does not name its journal"), "{said}");
    assert_eq!(said.code, 0, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_on_the_account_fails_before_it_reads_the_account() {
    let fixture = Fixture::users(8).listed_with("Developer").start().await;
    let first = SlowRun::start(&fixture);
    let reads = || fixture.sandbox.calls().get("GetAccountAuthorizationDetails").copied();
    let before = reads();
    let second = fixture.run(&APPLY).await;
    assert_eq!((second.code, second.out.as_str()), (1, ""), "{second}");
    let pid = first.process.id();
    assert!(
        second
            .err
            .starts_with(&format!("error: nothing was changed: another run (PID {pid}, since 20")),
        "{second}"
    );
    assert!(second.err.contains(&format!("is changing account {ACCOUNT}")), "{second}");
    assert_eq!(reads(), before);
    // `plan` does not need the lock.
    assert_eq!(fixture.run(&["plan"]).await.code, 0);

    assert_eq!(first.signal("-TERM"), Some(130));
    assert!(!is_marked_unfinished(&fixture), "an interrupted run has its end");
    let third = fixture.run(&APPLY).await;
    assert_eq!(third.code, 0, "{third}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_that_cannot_be_written_is_named_and_nothing_is_changed() {
    let mut fixture = Fixture::users(3).listed_with("Developer").start().await;
    let file = fixture.folder().join("boundaries.toml");
    fixture = fixture.env("XDG_STATE_HOME", file.to_str().unwrap());
    let applied = fixture.run(&APPLY).await;
    assert_eq!((applied.code, applied.out.as_str()), (1, ""), "{applied}");
    let folder = file.join("iam-boundaries").join(ACCOUNT);
    assert!(applied.err.contains(&folder.display().to_string()), "{applied}");
    assert!(applied.err.contains("with --state-dir DIR"), "{applied}");
    assert_eq!(fixture.writes(), 0);

    let elsewhere = fixture.folder().join("state");
    fixture = fixture.env("XDG_STATE_HOME", elsewhere.to_str().unwrap());
    let nowhere = fixture.run(&[&APPLY[..], &["--journal", "none/run.jsonl"]].concat()).await;
    assert_eq!((nowhere.code, fixture.writes()), (1, 0), "{nowhere}");
    assert!(nowhere.err.contains("nothing was changed: the journal "), "{nowhere}");
    assert_eq!(fixture.run(&APPLY).await.code, 0);
    assert!(elsewhere.join("iam-boundaries").join(ACCOUNT).join("lock").exists());
}

#[test]
fn the_sandbox_keeps_its_journals_next_to_its_accounts() {
    let binary = Binary::with_own_file();
    let applied = binary.run(&["--sandbox", "apply", "--auto-approve"]);
    let journal = applied.err.trim_end().strip_prefix("journal: ").unwrap();
    let folder = binary.folder().canonicalize().unwrap().join(".iam-boundaries").join(ACCOUNT);
    assert!(Path::new(journal).starts_with(folder), "{applied}");
    assert!(!binary.folder().join(".local").exists());

    let rollback = binary.run(&["--sandbox", "rollback", journal, "--out", "back.json"]);
    assert_eq!(rollback.code, 0, "{rollback}");
    let back =
        binary.run(&["--sandbox", "apply", "back.json", "--auto-approve", "--max-removals", "4"]);
    assert_eq!(back.code, 0, "{back}");
    let plan = binary.run(&["--sandbox", "plan", "--format", "json"]).out;
    let fresh = Binary::with_own_file().run(&["--sandbox", "plan", "--format", "json"]).out;
    assert_eq!(plan, fresh, "the account is as it was before the run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_shown_and_saved_and_applied_and_is_itself_rolled_back() {
    let fixture = Fixture::users(4).listed_with("Developer").start().await;
    fixture.set(3, "Other");
    fixture.run(&[&APPLY[..], &["--journal", "run.jsonl"]].concat()).await;
    assert!((0..4).all(|n| fixture.has(n, "Developer")));
    // After the run, another client changes one user and restores another.
    fixture.set(1, "Other");
    fixture.sandbox.put_user(&user(2), None);

    let rollback = fixture.run(&["rollback", "run.jsonl", "--out", "back.json"]).await;
    assert_eq!(rollback.code, 3, "{rollback}");
    let shown = rollback.out.rsplit_once("Digest: ").unwrap().0;
    insta::assert_snapshot!("rollback", shown);
    assert_eq!(fixture.run(&["show", "back.json"]).await.out, rollback.out);

    let arguments = ["apply", "back.json", "--auto-approve", "--journal", "back.jsonl"];
    let back = fixture.run(&arguments).await;
    assert_eq!(back.code, 3, "the changed user is still a problem: {back}");
    assert!(fixture.has_none(0) && fixture.has_none(2));
    assert!(fixture.has(1, "Other") && fixture.has(3, "Other"));

    let forth = fixture.run(&["rollback", "back.jsonl", "--out", "forth.json"]).await;
    assert_eq!(forth.code, 0, "{forth}");
    assert_eq!(fixture.run(&["apply", "forth.json", "--auto-approve"]).await.code, 0);
    assert!(fixture.has(0, "Developer") && fixture.has(3, "Developer"));
    let nothing = fixture.run(&["rollback", "back.jsonl", "--detailed-exitcode"]).await;
    assert_eq!(nothing.code, 0, "{nothing}");
    assert!(nothing.out.starts_with("Nothing to roll back: "), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_verification_did_not_find_is_not_rolled_back_after_a_later_run_made_it() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    let faults = fixture.sandbox.faults();
    faults.add(PUT, Some("user-0001"), 1, Fault::CutBefore);
    faults.add(PUT, Some("user-0001"), 1, Fault::access_denied());
    let arguments = [&APPLY[..], &["--read-back", "0s", "--journal", "first.jsonl"]].concat();
    let first = fixture.run(&arguments).await;
    assert_eq!((first.code, fixture.has_none(1)), (3, true), "{first}");
    assert_eq!(fixture.run(&APPLY).await.code, 0);

    let rollback = fixture.run(&["rollback", "first.jsonl", "--out", "back.json"]).await;
    assert_eq!(rollback.code, 3, "{rollback}");
    assert!(rollback.out.contains("the run left no boundary, and the user now has"), "{rollback}");
    let back = fixture.run(&["apply", "back.json", "--auto-approve"]).await;
    assert_eq!(back.code, 3, "{back}");
    assert!(fixture.has_none(0) && fixture.has(1, "Developer") && fixture.has_none(2));
}

/// Whatever IAM reports as a present boundary, and whether a rollback can set it again.
const PRESENT: [(&str, bool); 6] = [
    ("arn:aws:iam::123456789012:policy/Other", true),
    ("arn:aws:iam::aws:policy/PowerUserAccess", true),
    // The policy was deleted since.
    ("arn:aws:iam::123456789012:policy/Deleted", false),
    ("arn:aws:iam::999999999999:policy/Other", false),
    ("arn:aws-cn:iam::123456789012:policy/Other", false),
    ("arn:aws-cn:iam::aws:policy/PowerUserAccess", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_present_boundary_survives_plan_apply_and_rollback() {
    for target in [&format!("\"{}\"", arn("Developer")), "false"] {
        let users = PRESENT.len();
        let fixture = Fixture::users(users);
        let file = format!("[users]\n{}", lines(users, target));
        let fixture = fixture.file(&file).start().await;
        for (n, (present, _)) in PRESENT.iter().enumerate() {
            fixture.sandbox.put_user(&user(n), Some(&present.parse().unwrap()));
        }
        let plan = fixture.run(&["plan", "--out", "plan.json"]).await;
        assert_eq!(plan.code, 0, "{plan}");
        assert_eq!(fixture.run(&["show", "plan.json"]).await.out, plan.out);
        let limits = ["--max-changes", "100%", "--max-removals", "100%", "--auto-approve"];
        let run = ["apply", "plan.json", "--journal", "run.jsonl"];
        let applied = fixture.run(&[&run[..], &limits].concat()).await;
        assert_eq!(applied.code, 0, "{applied}");

        let rollback = fixture.run(&["rollback", "run.jsonl", "--out", "back.json"]).await;
        assert_eq!(rollback.code, 3, "{rollback}");
        assert!(rollback.out.contains(" 4 cannot be planned"), "{rollback}");
        assert_eq!(fixture.run(&["show", "back.json"]).await.out, rollback.out);
        let back = fixture.run(&[&["apply", "back.json"][..], &limits].concat()).await;
        assert_eq!(back.code, 3, "{back}");
        for (n, (present, is_restored)) in PRESENT.iter().enumerate() {
            assert_eq!(fixture.boundary(n).as_deref() == Some(*present), *is_restored, "{present}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_boundary_of_another_account_found_by_verification_leaves_a_readable_journal() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let foreign = "arn:aws:iam::999999999999:policy/Other".parse().unwrap();
    // IAM confirms a change and does not make it.
    let false_success = format!("<{PUT}Response><ResponseMetadata/></{PUT}Response>");
    let false_success = Fault::Response(false_success);
    fixture.sandbox.faults().add(PUT, Some(user(1).as_str()), 1, false_success);
    fixture.sandbox.put_user(&user(1), Some(&foreign));
    let run = [&APPLY[..], &["--journal", "run.jsonl", "--read-back", "0s"]].concat();
    let applied = fixture.run(&run).await;
    assert_eq!(applied.code, 3, "{applied}");
    assert!(applied.out.contains("999999999999"), "{applied}");
    let rollback = fixture.run(&["rollback", "run.jsonl"]).await;
    assert_eq!(rollback.code, 0, "{rollback}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_rolled_back_completely() {
    let fixture = Fixture::users(8).listed_with("Developer").start().await;
    SlowRun::start(&fixture).signal("-KILL");
    let journal = journals(&fixture).remove(0);
    let journal = journal.to_str().unwrap();
    let rollback = fixture.run(&["rollback", journal, "--out", "back.json"]).await;
    assert_eq!(rollback.code, 0, "{rollback}");
    // A reviewer of the saved plan sees that changes may be missing from the journal.
    let incomplete = "Incomplete journal:";
    let shown = fixture.run(&["show", "back.json"]).await;
    for ran in [&rollback, &shown] {
        assert!(ran.out.contains(incomplete) && ran.out.contains("the end of the run"), "{ran}");
    }
    let arguments = ["apply", "back.json", "--auto-approve", "--journal", "back.jsonl"];
    let back = fixture.run(&arguments).await;
    assert_eq!(back.code, 0, "{back}");
    assert!((0..8).all(|n| fixture.has_none(n)));
    let forth = fixture.run(&["rollback", "back.jsonl"]).await;
    assert!(forth.code == 0 && !forth.out.contains(incomplete), "{forth}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_rails_of_a_run_apply_to_its_rollback() {
    let users = lines(3, &format!("\"{}\"", arn("Developer")));
    let file = format!("[guard]\nprotected = [\"user-0002\"]\n[users]\n{users}");
    let fixture = Fixture::users(3).file(&file).start().await;
    let allow = ["--allow-protected", "user-0002"];
    let applied = fixture.run(&[&APPLY[..], &["--journal", "run.jsonl"], &allow].concat()).await;
    assert_eq!(applied.code, 0, "{applied}");
    fixture.run(&["rollback", "run.jsonl", "--out", "back.json"]).await;
    let back = ["apply", "back.json", "--auto-approve"];
    let refused = fixture.run(&back).await;
    assert_eq!(refused.code, 4, "{refused}");
    assert!((0..3).all(|n| fixture.has(n, "Developer")));
    assert_eq!(fixture.run(&[&back[..], &allow].concat()).await.code, 0);
    assert!((0..3).all(|n| fixture.has_none(n)));
}

/// The journal of a run without its last line.
fn without_end(journal: &str) -> String {
    let end = journal.find("{\"type\":\"end\"").expect("the run ended");
    journal[..end].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_without_its_end_and_without_changes_is_incomplete() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.run(&[&APPLY[..], &["--journal", "run.jsonl"]].concat()).await;
    let whole = std::fs::read_to_string(fixture.folder().join("run.jsonl")).unwrap();
    let first = &whole[..=whole.find('\n').unwrap()];
    std::fs::write(fixture.folder().join("first.jsonl"), first).unwrap();
    let ran = fixture.run(&["rollback", "first.jsonl"]).await;
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.out.contains("Incomplete journal:"), "{ran}");
    assert!(
        ran.out.contains("\nIncomplete: the journal contains no changes to roll back"),
        "{ran}"
    );
    assert!(!ran.out.contains("Nothing to roll back"), "{ran}");
    let json = fixture.run(&["rollback", "first.jsonl", "--format", "json"]).await;
    assert_eq!(json.code, 3, "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_used_is_one_clear_message() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.run(&["plan", "--out", "plan.json"]).await;
    fixture.run(&[&APPLY[..], &["--journal", "run.jsonl"]].concat()).await;
    let folder = fixture.folder();
    let whole = std::fs::read_to_string(folder.join("run.jsonl")).unwrap();
    for (file, text) in [
        ("cut.jsonl", &whole[..50]),
        ("newer.jsonl", &whole.replacen("\"format_version\":2", "\"format_version\":7", 1)),
        ("damaged.jsonl", &whole.replacen("\"user-0001\"", "\"user 0001\"", 1)),
        ("elsewhere.jsonl", &without_end(&whole).replace(ACCOUNT, "999999999999")),
        ("edited.jsonl", &whole.replacen("policy/Developer", "policy/Other", 2)),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    let mut said = String::new();
    for arguments in [
        &["rollback", "none.jsonl"][..],
        &["rollback", "."],
        &["rollback", "plan.json"],
        &["rollback", "boundaries.toml"],
        &["rollback", "cut.jsonl"],
        &["rollback", "newer.jsonl"],
        &["rollback", "damaged.jsonl"],
        &["rollback", "elsewhere.jsonl"],
        &["rollback", "edited.jsonl"],
        &["rollback", "run.jsonl", "-f", "boundaries.toml"],
    ] {
        let ran = fixture.run(arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
        said.push_str(&ran.err);
    }
    insta::assert_snapshot!(said);
}
