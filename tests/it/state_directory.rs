//! The state directory contains what the manual page names, and nothing else.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use iam_boundaries::iam::Rate;
use iam_boundaries::sandbox::{ACCOUNT, Fault};
use iam_boundaries::state::{STATE_ENTRIES, StateRoot};

use crate::support::Binary;
use crate::support::fixture::{Fixture, PUT, user};
use crate::support::fleet::{APPLY, FleetFixture, until};

/// The paths in a directory as the manual page names them, with placeholders. Those of directories end with `/`.
fn content(folder: &Path) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    add(&folder.join(".local/state/iam-boundaries"), "", &mut paths);
    paths
}

fn add(directory: &Path, below: &str, paths: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let (stem, extension) = match name.split_once('.') {
            Some((stem, extension)) => (stem, format!(".{extension}")),
            None => (&*name, String::new()),
        };
        let path = format!("{below}{}{extension}", placeholder(stem));
        match entry.file_type().unwrap().is_dir() {
            true => {
                let path = format!("{path}/");
                add(&entry.path(), &path, paths);
                paths.insert(path);
            }
            false => drop(paths.insert(path)),
        }
    }
}

fn placeholder(stem: &str) -> &str {
    let parts: Vec<&str> = stem.split('-').collect();
    let is_hex =
        |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    match parts[..] {
        [account] if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) => {
            "ACCOUNT"
        }
        [date, digest] if date.len() == 16 && date.ends_with('Z') && is_hex(digest, 8) => {
            "DATE-DIGEST"
        }
        ["unfinished", key] if is_hex(key, 16) => "unfinished-KEY",
        _ => stem,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_directory_contains_what_the_manual_page_names_and_nothing_else() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    let apply = ["apply", "--auto-approve", "--max-changes=9"];
    assert_eq!(fixture.run(&apply).await.code, 0);
    let mut found = content(fixture.folder());
    assert!(!found.contains("ACCOUNT/unfinished.json"), "{found:?}");
    fixture.set(1, "Other");
    fixture.sandbox.faults().add(
        PUT,
        Some(user(1).as_str()),
        1,
        Fault::Slow(Duration::from_secs(60)),
    );
    let writes = fixture.writes();
    let mut killed =
        fixture.command(&apply).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("a write", || fixture.writes() > writes).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    // A run keeps rates only after IAM throttled it for a while.
    let account = ACCOUNT.parse().unwrap();
    let state = StateRoot::at(fixture.folder().join(".local/state/iam-boundaries"));
    let rates = [("iam:GetUser".to_owned(), Rate::per_second(15.0).unwrap())];
    state.account(account).unwrap().keep_measured_rates(rates.into());
    found.extend(content(fixture.folder()));

    let fleet = FleetFixture::accounts(2).users(5).start().await;
    fleet.inject(0, PUT, Fault::Slow(Duration::from_secs(60)));
    let mut killed = fleet.spawn(&APPLY);
    until("a write", || fleet.writes(0) > 0).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    found.extend(content(fleet.folder()));

    // Only a kill at the right moment leaves such a file.
    let temporary = ".iam-boundaries-*";
    let named: BTreeSet<String> = STATE_ENTRIES.iter().map(|entry| entry.path.to_owned()).collect();
    found.insert(temporary.to_owned());
    assert_eq!(found, named);
    let page = Binary::with_own_file().run(&["man"]).out;
    for entry in STATE_ENTRIES {
        assert!(page.contains(&entry.path.replace('-', "\\-")), "{}: {page}", entry.path);
    }
}
