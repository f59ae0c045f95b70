//! Kills the binary at many points of a run. The journal and the account must agree, and the next run must
//! report the unfinished changes and complete them.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::fixture::{Fixture, lines, user};
use iam_boundaries::iam::PolicyArn;
use iam_boundaries::inventory::CallOutcome;
use iam_boundaries::journal::RunRecord;
use iam_boundaries::sandbox::ACCOUNT;

const USERS: usize = 40;
const APPLY: [&str; 5] =
    ["apply", "--auto-approve", "--max-changes", "100%", "--max-removals=100%"];

/// The default directory of the journals.
fn state(fixture: &Fixture) -> PathBuf {
    fixture.folder().join(".local/state/iam-boundaries").join(ACCOUNT)
}

fn journals(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut journals: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    journals.sort();
    journals
}

/// Waits until `is_time` returns true, and kills the run with SIGKILL. Returns false if the run ended before.
async fn kill_when(mut run: Child, mut is_time: impl FnMut() -> bool) -> bool {
    loop {
        if run.try_wait().unwrap().is_some() {
            return false;
        }
        if is_time() {
            // SIGKILL cannot be handled.
            run.kill().unwrap();
            run.wait().unwrap();
            return true;
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

/// The boundary of every user in the account.
fn boundaries(fixture: &Fixture) -> Vec<Option<String>> {
    (0..USERS).map(|n| fixture.boundary(n)).collect()
}

fn text(boundary: Option<&PolicyArn>) -> Option<String> {
    boundary.map(|arn| arn.as_str().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_journal_agrees_with_the_account_and_the_next_run_converges() {
    let fixture = Fixture::users(USERS).listed_with("Developer").start().await;
    fixture.sandbox.put_policy("Third");
    let mut random = fastrand::Rng::with_seed(20_261_125);
    let (mut killed, mut with_open) = (0, 0);
    for round in 0..40 {
        // A different boundary in each round, or none.
        let wanted = ["Developer", "Other", "false", "Third"][round % 4];
        let arn = format!("\"arn:aws:iam::{ACCOUNT}:policy/{wanted}\"");
        let wanted = if wanted == "false" { "false" } else { &arn };
        let account = format!("[account]\nid = \"{ACCOUNT}\"\n");
        fixture.write_file(&format!("{account}[users]\n{}", lines(USERS, wanted)));
        let before = boundaries(&fixture);
        let known = journals(&state(&fixture));
        let calls = || fixture.sandbox.calls().values().sum::<u64>();
        // Between the first call and shortly after the last write.
        let moment = calls() + random.u64(0..USERS as u64 + 8);
        let concurrency = ["1", "3", "64"][round % 3];
        let mut command: Command = fixture.command(&APPLY);
        command.args(["--concurrency", concurrency]);
        let run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let was_killed = kill_when(run, || calls() >= moment).await;
        killed += usize::from(was_killed);

        let after = boundaries(&fixture);
        let new: Vec<PathBuf> =
            journals(&state(&fixture)).into_iter().filter(|path| !known.contains(path)).collect();
        assert!(new.len() <= 1, "{new:?}");
        let record = new.first().and_then(|path| match RunRecord::read(path) {
            Ok(record) => Some(record),
            // The run was killed before the first line was complete, so IAM received no writes.
            Err(error) => {
                assert_eq!(before, after, "{error}");
                None
            }
        });
        for n in 0..USERS {
            let name = user(n);
            let entry = record.iter().flat_map(|record| &record.entries);
            match entry.into_iter().find(|entry| entry.intent.principal.name == name) {
                None => {
                    assert_eq!(before[n], after[n], "round {round}: {name} is not in the journal")
                }
                Some(entry) => {
                    let (from, to) =
                        (text(entry.intent.boundary.from()), text(entry.intent.boundary.to()));
                    assert_eq!(before[n], from, "round {round}: {name}");
                    match &entry.outcome {
                        Some(CallOutcome::Applied { .. }) => {
                            assert_eq!(after[n], to, "{round}: {name}")
                        }
                        Some(CallOutcome::NotAttempted) => {
                            assert_eq!(after[n], from, "{round}: {name}")
                        }
                        _ => assert!([&from, &to].contains(&&after[n]), "round {round}: {name}"),
                    }
                }
            }
        }
        let has_ended = record.as_ref().is_none_or(|record| record.end.is_some());
        let open = record.iter().flat_map(|record| record.unfinished()).count();
        with_open += usize::from(open > 0);

        let next = fixture.run(&APPLY).await;
        assert_eq!(next.code, 0, "round {round}: {next}");
        if !has_ended {
            assert!(next.err.contains("did not finish"), "round {round}: {next}");
        }
        let target = (wanted != "false").then(|| wanted.trim_matches('"').to_owned());
        assert!(boundaries(&fixture).iter().all(|boundary| *boundary == target), "round {round}");
        let last = fixture.run(&APPLY).await;
        assert!(last.code == 0 && !last.err.contains("did not finish"), "round {round}: {last}");
    }
    assert!(killed >= 20 && with_open >= 5, "{killed} killed, {with_open} with something open");
}
