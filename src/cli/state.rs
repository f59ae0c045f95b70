//! What outlives a run: a folder for each account, with its journals, and the lock that keeps two runs on
//! this machine from changing the same account.

use std::env;
use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::exit::Failure;
use super::session::SANDBOX_FOLDER;
use crate::iam::{AccountId, Timestamp};

/// The folder of one account.
#[derive(Debug)]
pub(super) struct AccountFolder {
    account: AccountId,
    path: PathBuf,
}

/// Nobody else on this machine changes the account while this lives. The system lets go of it when the
/// process ends, however it ends.
#[derive(Debug)]
pub(super) struct AccountLock {
    _file: File,
}

/// Who holds a lock, for those who find it held.
#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    since: Timestamp,
}

impl AccountFolder {
    /// The folder of `account`, made if need be. The sandbox's stands beside its accounts.
    pub(super) fn open(account: AccountId, is_sandbox: bool) -> Result<AccountFolder, Failure> {
        let state = if is_sandbox {
            PathBuf::from(SANDBOX_FOLDER)
        } else {
            state_folder(|name| env::var_os(name), env::home_dir())
        };
        let path = state.join(account.as_str());
        // It is told and kept: what it means must not depend on the working folder.
        let path = std::path::absolute(&path).map_err(|error| cannot_write(&path, &error))?;
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| cannot_write(&path, &error))?;
        Ok(AccountFolder { account, path })
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The failure to write in it.
    pub(super) fn cannot_write(&self, error: &io::Error) -> Failure {
        cannot_write(&self.path, error)
    }

    /// Takes the lock, or says who has it.
    pub(super) fn lock(&self) -> Result<AccountLock, Failure> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file =
            options.open(self.file("lock")).map_err(|error| self.cannot_write(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.is_held(&mut file)),
            Err(TryLockError::Error(error)) => return Err(self.cannot_write(&error)),
        }
        let holder = Holder { pid: std::process::id(), since: Timestamp::now() };
        let holder = serde_json::to_string(&holder).expect("numbers and text are JSON");
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(holder.as_bytes())
        };
        write(&mut file).map_err(|error| self.cannot_write(&error))?;
        Ok(AccountLock { _file: file })
    }

    fn is_held(&self, file: &mut File) -> Failure {
        let mut holder = String::new();
        // Where it cannot be read, or is just being written, it is held all the same.
        let who = match file.read_to_string(&mut holder).map(|_| serde_json::from_str(&holder)) {
            Ok(Ok(Holder { pid, since })) => {
                format!(" (pid {pid}, since {})", since.to_the_minute())
            }
            _ => String::new(),
        };
        Failure::new(format!(
            "nothing was changed: another run{who} is changing account {}",
            self.account
        ))
        .advise("wait for it to end, or end it with Ctrl-C where it runs, and run this again")
    }
}

fn cannot_write(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(format!(
        "nothing was changed: the folder {}, which keeps the account's lock and journals, cannot be \
         written: {error}",
        folder.display()
    ))
    .advise(
        "set XDG_STATE_HOME to a folder that can be written; --journal FILE puts the journal alone \
         elsewhere",
    )
}

/// By the [XDG Base Directory Specification](https://specifications.freedesktop.org/basedir-spec/latest/),
/// which takes no relative path; on Windows, where applications keep what belongs to the machine. Without
/// a home, in the working folder.
fn state_folder(variable: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> PathBuf {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home.filter(|home| home.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| match cfg!(windows) {
        true => absolute("LOCALAPPDATA"),
        false => home.map(|home| home.join(".local/state")),
    });
    state.map_or_else(|| PathBuf::from(SANDBOX_FOLDER), |state| state.join("iam-boundaries"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn folder(xdg: Option<&str>, home: Option<&str>) -> PathBuf {
        let variable = |name: &str| (name == "XDG_STATE_HOME").then(|| xdg.map(Into::into));
        state_folder(|name| variable(name).flatten(), home.map(Into::into))
    }

    #[test]
    fn state_is_kept_where_xdg_says_or_at_home_or_else_in_the_working_folder() {
        let at_home = Path::new("/home/ana/.local/state/iam-boundaries");
        assert_eq!(folder(Some("/s"), Some("/home/ana")), Path::new("/s/iam-boundaries"));
        assert_eq!(folder(None, Some("/home/ana")), at_home);
        for unusable in ["", "state"] {
            assert_eq!(folder(Some(unusable), Some("/home/ana")), at_home);
        }
        assert_eq!(folder(None, None), Path::new(".iam-boundaries"));
        assert_eq!(folder(None, Some("")), Path::new(".iam-boundaries"));
    }
}
