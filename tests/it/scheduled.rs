//! Runs of a scheduler: no home directory, a read-only or a full disk, an earlier run that still holds the lock.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use iam_boundaries::report::Headline;

use crate::support::fixture::{Fixture, run};
use crate::support::tools::skip;

const APPLY: [&str; 3] = ["apply", "--auto-approve", "--max-changes=9"];
const ACCOUNT: &str = "123456789012";

/// The command without a home directory, in the directory `/`.
fn homeless(fixture: &Fixture, arguments: &[&str], home: Option<&str>) -> Command {
    let mut command = fixture.command(arguments);
    command.args(["-f", fixture.folder().join("boundaries.toml").to_str().unwrap()]);
    command.current_dir("/").env_remove("HOME").env_remove("XDG_STATE_HOME");
    if let Some(home) = home {
        command.env("HOME", home);
    }
    command
}

/// Homes in which nothing can be created, also by root.
const HOMES: [&str; 2] = ["/proc/nonexistent", "/dev/null"];

#[tokio::test]
async fn a_plan_needs_no_home_directory() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    for home in [None, Some(HOMES[0]), Some(HOMES[1])] {
        let ran = run(homeless(&fixture, &["plan", "--detailed-exitcode"], home)).await;
        assert_eq!((ran.code, &*ran.err), (2, ""), "{home:?}: {ran}");
    }
}

#[tokio::test]
async fn a_run_without_a_home_directory_says_what_to_set_and_changes_nothing() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    for home in HOMES {
        let ran = run(homeless(&fixture, &APPLY, Some(home))).await;
        assert_eq!((ran.code, fixture.writes()), (1, 0), "{ran}");
        let errors = ran.err.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "{ran}");
        assert!(ran.err.contains("nothing was changed: cannot write the state directory"), "{ran}");
        assert!(ran.err.contains("specify another directory with --state-dir DIR"), "{ran}");
    }
}

#[tokio::test]
async fn a_journal_or_a_state_directory_is_enough_without_a_home_directory() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let at = |name: &str| fixture.folder().join(name).display().to_string();
    let (file, directory) = (at("run.jsonl"), at("state"));
    let journal = [&APPLY[..], &["--journal", &file]].concat();
    let ran = run(homeless(&fixture, &journal, Some(HOMES[0]))).await;
    assert_eq!((ran.code, fixture.writes()), (0, 2), "{ran}");
    assert!(Path::new(&file).exists());
    let lock = fixture.folder().join(".iam-boundaries").join(ACCOUNT).join("lock");
    assert!(lock.exists(), "the lock is beside the journal");

    (0..2).for_each(|n| fixture.set(n, "Other"));
    let state = [&APPLY[..], &["--state-dir", &directory]].concat();
    let ran = run(homeless(&fixture, &state, Some(HOMES[0]))).await;
    assert_eq!((ran.code, fixture.writes()), (0, 4), "{ran}");
    let directory = fixture.folder().join("state").join(ACCOUNT);
    assert!(directory.join("lock").exists());
    let journal = PathBuf::from(ran.err.trim().strip_prefix("journal: ").unwrap());
    assert!(
        journal.starts_with(directory.canonicalize().unwrap()) || journal.starts_with(directory)
    );
}

#[tokio::test]
async fn a_journal_does_not_move_the_state_of_a_user_with_a_home_directory() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let ran = fixture.run(&[&APPLY[..], &["--journal", "run.jsonl"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran}");
    assert!(!fixture.folder().join(".iam-boundaries").exists());
    assert!(
        fixture.folder().join(".local/state/iam-boundaries").join(ACCOUNT).join("lock").exists()
    );
}

/// A file system of 64 KiB that is mounted while the value exists. Only root can mount.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path) -> Option<Small> {
        std::fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs"]).arg(at);
        match mount.output() {
            Ok(output) if output.status.success() => Some(Small(at.to_owned())),
            _ => {
                skip("mount", "only root can mount a small file system");
                None
            }
        }
    }

    fn fill(&self) {
        // Not all of it is available for one file.
        for size in [64 << 10, 4 << 10, 1] {
            let file = self.0.join(format!("fill-{size}"));
            while std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&file)
                .and_then(|mut file| std::io::Write::write_all(&mut file, &vec![0; size]))
                .is_ok()
            {}
        }
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-o", &format!("remount,{options}")]).arg(&self.0).status();
        assert!(mounted.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn on_a_full_or_read_only_disk_nothing_is_changed_and_one_message_says_why() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let directory = fixture.folder().join("small");
    let Some(small) = Small::mount(&directory) else { return };
    small.fill();
    let state = directory.join("state").display().to_string();
    let journal = directory.join("run.jsonl").display().to_string();
    let elsewhere = fixture.folder().join("state").display().to_string();
    let in_full_state = [&APPLY[..], &["-q", "--state-dir", &state]].concat();
    let in_full_journal =
        [&APPLY[..], &["-q", "--state-dir", &elsewhere, "--journal", &journal]].concat();
    for why in ["No space left on device", "Read-only file system"] {
        for arguments in [&in_full_state, &in_full_journal] {
            let ran = run(homeless(&fixture, arguments, Some(HOMES[0]))).await;
            assert_eq!((ran.code, fixture.writes()), (1, 0), "{ran}");
            let line = ran.out.lines().next().unwrap();
            assert!(line.starts_with("iam-boundaries apply failed: nothing was changed"), "{ran}");
            assert!(line.chars().count() <= Headline::MAX_LENGTH, "{ran}");
            assert!(ran.err.contains(why), "{ran}");
            assert!(ran.err.contains("free disk space") || ran.err.contains("writable"), "{ran}");
        }
        let plan = run(homeless(&fixture, &["plan"], Some(HOMES[0]))).await;
        assert_eq!((plan.code, &*plan.err), (0, ""), "{plan}");
        small.remount("ro");
    }
    small.remount("rw,size=1m");
    let ran = run(homeless(&fixture, &in_full_journal, Some(HOMES[0]))).await;
    assert_eq!((ran.code, &*ran.out, &*ran.err, fixture.writes()), (0, "", "", 2), "{ran}");
}
