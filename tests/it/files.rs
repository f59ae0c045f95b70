//! Local files that are not what the tool wrote: links, devices, FIFOs, directories of other users, and journals
//! that something else removes.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Ran;
use crate::support::fixture::{Fixture, PUT, user};
use crate::support::tools::skip;
use iam_boundaries::sandbox::{ACCOUNT, Fault};
use std::time::Duration;

const APPLY: [&str; 4] = ["apply", "--auto-approve", "--max-changes", "100%"];

fn state(fixture: &Fixture) -> PathBuf {
    fixture.folder().join(".local/state/iam-boundaries").join(ACCOUNT)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// An account with changes to make, and an empty state directory.
async fn with_state() -> Fixture {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fs::create_dir_all(state(&fixture)).unwrap();
    for directory in [state(&fixture).parent().unwrap(), &state(&fixture)] {
        mode(directory, 0o700);
    }
    fixture
}

fn nothing_changed(fixture: &Fixture, ran: &Ran, why: &str, help: &str) {
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
    assert!(ran.err.starts_with("error: nothing was changed: "), "{ran}");
    assert!(ran.err.contains(why), "{ran}");
    assert!(ran.err.contains(help), "{ran}");
    assert_eq!(fixture.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_that_others_can_use_is_refused_with_what_to_do() {
    for (above, other) in [(false, 0o777), (false, 0o750), (true, 0o707)] {
        let fixture = with_state().await;
        let account = state(&fixture);
        let directory = if above { account.parent().unwrap() } else { &account };
        mode(directory, other);
        let why = format!("other users have access to it: its mode is {other:04o}");
        let help = format!("chmod 700 {}", directory.display());
        nothing_changed(&fixture, &fixture.run(&APPLY).await, &why, &help);
        mode(directory, 0o700);
        assert_eq!(fixture.run(&APPLY).await.code, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_of_another_user_is_refused() {
    let fixture = with_state().await;
    if std::os::unix::fs::chown(state(&fixture), Some(12_345), None).is_err() {
        return skip("root", "only root can give a directory away");
    }
    let why = "it belongs to the user with ID 12345, and this process has user ID ";
    nothing_changed(&fixture, &fixture.run(&APPLY).await, why, "with --state-dir DIR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbolic_link_is_not_followed_in_the_state_directory() {
    let fixture = with_state().await;
    let elsewhere = fixture.folder().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    mode(&elsewhere, 0o700);
    fs::remove_dir(state(&fixture)).unwrap();
    symlink(&elsewhere, state(&fixture)).unwrap();
    let link = "it is a symbolic link";
    nothing_changed(&fixture, &fixture.run(&APPLY).await, link, "replace ");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);

    let fixture = with_state().await;
    let target = fixture.folder().join("target");
    symlink(&target, state(&fixture).join("lock")).unwrap();
    nothing_changed(&fixture, &fixture.run(&APPLY).await, link, "remove it");
    assert!(!target.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_a_fifo_or_a_directory_is_an_error_and_does_not_block() {
    let fixture = with_state().await;
    mkfifo(&state(&fixture).join("lock"));
    let ran = fixture.run(&APPLY).await;
    nothing_changed(&fixture, &ran, "lock: it is not a regular file", "remove it");
    fs::remove_file(state(&fixture).join("lock")).unwrap();
    fs::create_dir(state(&fixture).join("lock")).unwrap();
    let ran = fixture.run(&APPLY).await;
    nothing_changed(&fixture, &ran, "lock: it is a directory", "remove it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_is_no_regular_file_is_reported_and_does_not_block() {
    let huge = |path: &Path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
    let link = |path: &Path| symlink("/dev/zero", path).unwrap();
    for (make, why) in [
        (&mkfifo as &dyn Fn(&Path), "it is not a regular file"),
        (&link, "it is a symbolic link"),
        (&huge, "it is larger than 1 MiB"),
    ] {
        let fixture = with_state().await;
        make(&state(&fixture).join("unfinished.json"));
        let ran = fixture.run(&APPLY).await;
        assert_eq!(ran.code, 0, "{ran}");
        assert!(
            ran.err.contains("unfinished.json cannot be read: ") && ran.err.contains(why),
            "{ran}"
        );
        assert_eq!(fixture.run(&APPLY).await.err, "", "the mark is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_to_roll_back_is_a_regular_file_of_a_limited_size() {
    let fixture = Fixture::users(1).start().await;
    mkfifo(&fixture.folder().join("fifo.jsonl"));
    fs::File::create(fixture.folder().join("huge.jsonl")).unwrap().set_len(1 << 40).unwrap();
    for (journal, why) in [
        ("/dev/zero", "cannot use /dev/zero: it is not a regular file"),
        ("fifo.jsonl", "cannot use fifo.jsonl: it is not a regular file"),
        ("huge.jsonl", "cannot use huge.jsonl: it is larger than 256 MiB"),
    ] {
        let ran = fixture.run(&["rollback", journal]).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
        assert!(ran.err.contains(why), "{ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn boundaries_files_and_plans_may_be_pipes_and_have_a_limited_size() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let binary = env!("CARGO_BIN_EXE_iam-boundaries");
    let piped = format!(
        "{binary} -f <(cat boundaries.toml) plan --out plan.json && {binary} apply <(cat plan.json) --auto-approve"
    );
    let mut bash = Command::new("bash");
    let own = fixture.command(&[]);
    bash.args(["-c", &piped])
        .current_dir(fixture.folder())
        .env_clear()
        .env("PATH", "/usr/bin:/bin");
    bash.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = crate::support::fixture::run(bash).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert!(fixture.has(0, "Developer") && fixture.has(1, "Developer"));

    let endless = fixture.run(&["-f", "/dev/zero", "plan"]).await;
    assert_eq!(endless.code, 1, "{endless}");
    assert!(endless.err.contains("cannot read /dev/zero: it is larger than 64 MiB"), "{endless}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_never_replaces_a_device_or_a_fifo() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    fixture.set(0, "Developer");
    let at = |name: &str| fixture.folder().join(name);
    mkfifo(&at("fifo"));
    symlink("/dev/null", at("null")).unwrap();
    for out in ["fifo", "null"] {
        for arguments in [
            &["import", "--force", "--out", out][..],
            &["import", "--out", out],
            &["plan", "--out", out],
        ] {
            let ran = fixture.run(arguments).await;
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
            assert!(ran.err.contains("it is not a regular file"), "{ran}");
        }
    }
    assert!(at("null").is_symlink() && !at("fifo").is_file());

    // The target of a symbolic link is replaced, and not the link.
    fs::write(at("target.toml"), "old").unwrap();
    symlink("target.toml", at("link.toml")).unwrap();
    let ran = fixture.run(&["import", "--force", "--out", "link.toml"]).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert!(at("link.toml").is_symlink());
    assert!(fs::read_to_string(at("target.toml")).unwrap().contains("user-0000"));
}

/// Applies with a journal, which `disturb` changes during the run.
async fn disturbed(disturb: impl FnOnce(&Path)) -> (Fixture, Ran) {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    let slow = Fault::Slow(Duration::from_secs(2));
    fixture.sandbox.faults().add(PUT, Some(user(2).as_str()), 1, slow);
    let journal = fixture.folder().join("run.jsonl");
    let mut command = fixture.command(&[&APPLY[..], &["--journal", "run.jsonl"]].concat());
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    while fixture.calls(PUT) < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    disturb(&journal);
    let ran = Ran::of(running.await.unwrap());
    assert!((0..3).all(|n| fixture.has(n, "Developer")), "{ran}");
    (fixture, ran)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_something_else_removes_or_changes_is_a_failure_at_the_end_of_the_run() {
    let removed = |path: &Path| fs::remove_file(path).unwrap();
    let replaced = |path: &Path| {
        let text = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        fs::write(path, text).unwrap();
    };
    let truncated = |path: &Path| {
        fs::OpenOptions::new().write(true).open(path).unwrap().set_len(10).unwrap();
    };
    let extended = |path: &Path| {
        use std::io::Write;
        fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"x\n").unwrap();
    };
    for (disturb, why) in [
        (&removed as &dyn Fn(&Path), "run.jsonl was removed during the run"),
        (&replaced, "run.jsonl was replaced by another file during the run"),
        (&truncated, "run.jsonl was changed by another process ("),
        (&extended, "run.jsonl was changed by another process ("),
    ] {
        let (fixture, ran) = disturbed(disturb).await;
        assert_eq!(ran.code, 3, "{ran}");
        assert!(ran.err.contains(why) && ran.err.contains("3 applied, 0 failed"), "{ran}");
        assert!(ran.err.contains("cannot be rolled back"), "{ran}");
        assert!(!ran.err.contains("journal: "), "{ran}");
        // The next run reports it.
        let next = fixture.run(&APPLY).await;
        assert!(next.err.contains("did not finish"), "{next}");
    }
}
