use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::account_directory::StateRoot;
use super::content::FLEETS;
use super::privacy::distrust;
use crate::iam::{AccountId, Printable, Timestamp};
use crate::journal::{EXTENSION, FleetRecord};

impl StateRoot {
    /// The journals of the runs on `account` that were written to at `since` or later, also of runs on a fleet. Nothing is
    /// created. A directory that another user could change is skipped.
    pub fn journals(&self, account: AccountId, since: Timestamp) -> Vec<PathBuf> {
        // The path appears in reports.
        let Ok(root) = std::path::absolute(self.path()) else { return Vec::new() };
        let mut journals = files(&root.join(account.as_str()));
        for run in files(&root.join(FLEETS)) {
            journals.push(run.join(FleetRecord::journal_of(account)));
        }
        journals.retain(|path| {
            path.extension().is_some_and(|it| it == EXTENSION)
                && modified(path).is_some_and(|time| time >= since)
        });
        journals.sort();
        journals
    }
}

/// The content of a directory; nothing if it does not exist or cannot be used.
fn files(directory: &Path) -> Vec<PathBuf> {
    let read = || -> io::Result<Vec<PathBuf>> {
        for checked in directory.parent().into_iter().chain([directory]) {
            if let Some(why) = distrust(checked)? {
                return Err(io::Error::other(why.to_string()));
            }
        }
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
    };
    read().unwrap_or_else(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            let path = Printable::path(directory);
            tracing::info!("the journals in {path} are not used: {error}");
        }
        Vec::new()
    })
}

/// When a regular file was written to last.
fn modified(path: &Path) -> Option<Timestamp> {
    let found = path.symlink_metadata().ok().filter(fs::Metadata::is_file)?;
    let modified: SystemTime = found.modified().ok()?;
    Timestamp::of(modified).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_journals_of_an_account_are_those_of_its_runs_and_of_runs_on_fleets() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let state = StateRoot::at(directory.path().join("state"));
        let account: AccountId = "123456789012".parse().unwrap();
        let now = Timestamp::now().unwrap();
        let journals = |since: Timestamp| -> Vec<String> {
            let root = state.path();
            let found = state.journals(account, since).into_iter();
            found.map(|it| it.strip_prefix(root).unwrap().to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(journals(now), Vec::<String>::new());
        let own = state.account(account).unwrap();
        for name in ["20261127T091400Z-1a2b3c4d.jsonl", "lock", "x.json"] {
            fs::write(own.file(name), "").unwrap();
        }
        let run = state.path().join(FLEETS).join("20261127T091500Z-1a2b3c4d");
        crate::files::create_private_directory(&run).unwrap();
        fs::set_permissions(state.path().join(FLEETS), fs::Permissions::from_mode(0o700)).unwrap();
        for name in ["123456789012.jsonl", "999999999999.jsonl", "fleet.json"] {
            fs::write(run.join(name), "").unwrap();
        }
        let both = [
            "123456789012/20261127T091400Z-1a2b3c4d.jsonl",
            "fleets/20261127T091500Z-1a2b3c4d/123456789012.jsonl",
        ];
        assert_eq!(journals(now.minus_days(1)), both);
        assert_eq!(journals(now.plus_days(1)), Vec::<String>::new());
        let shared = fs::Permissions::from_mode(0o777);
        fs::set_permissions(state.path().join(account.as_str()), shared).unwrap();
        assert_eq!(journals(now.minus_days(1)), both[1..]);
    }
}
