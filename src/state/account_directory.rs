use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::error::StateError;
use super::privacy::distrust;
use crate::files::{create_private_directory, parent};
use crate::iam::{AccountId, Digest, Printable, Timestamp};
use crate::journal::EXTENSION;

/// The directory that contains the state of all accounts.
#[derive(Debug, Clone)]
pub struct StateRoot(PathBuf);

/// The directory of one account.
#[derive(Debug)]
pub struct AccountDirectory {
    account: AccountId,
    path: PathBuf,
}

/// The state directory in the working directory.
const LOCAL: &str = ".iam-boundaries";

impl StateRoot {
    /// The state directory of the current user, according to the
    /// [XDG Base Directory Specification](https://specifications.freedesktop.org/basedir-spec/latest/):
    /// `$XDG_STATE_HOME/iam-boundaries`, by default `~/.local/state/iam-boundaries`; on Windows,
    /// `%LOCALAPPDATA%`. Without a home directory, `.iam-boundaries` in the working directory.
    pub fn of_user() -> StateRoot {
        let strategy = etcetera::choose_base_strategy().ok();
        let state = strategy.map(|it| it.state_dir().unwrap_or_else(|| it.cache_dir()));
        // An empty home directory results in a relative path.
        match state.filter(|path| path.is_absolute()) {
            Some(state) => StateRoot(state.join("iam-boundaries")),
            None => StateRoot::local(),
        }
    }

    /// The state directory of the current user or, if it does not exist and cannot be created, `.iam-boundaries` in the
    /// directory of `journal`. A user without a writable home directory can name a journal elsewhere.
    pub fn of_user_or_beside(journal: &Path) -> StateRoot {
        let of_user = StateRoot::of_user();
        match create_private_directory(&of_user.0) {
            Ok(()) => of_user,
            Err(error) => {
                let beside = StateRoot(parent(journal).join(LOCAL));
                tracing::info!(
                    "cannot create {}: {error}; the state directory is {}",
                    Printable::path(&of_user.0),
                    Printable::path(&beside.0)
                );
                beside
            }
        }
    }

    /// The directory at `path`.
    pub fn at(path: impl Into<PathBuf>) -> StateRoot {
        StateRoot(path.into())
    }

    /// `.iam-boundaries` in the working directory.
    pub fn local() -> StateRoot {
        StateRoot(PathBuf::from(LOCAL))
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The directory of `account`, created if it does not exist.
    ///
    /// # Errors
    /// Returns a [`StateError`] if it cannot be created, or if another user could change its content.
    pub fn account(&self, account: AccountId) -> Result<AccountDirectory, StateError> {
        let path = private(&self.0.join(account.as_str()))?;
        Ok(AccountDirectory { account, path })
    }
}

/// The absolute path of a directory in the state directory. It is created if it does not exist.
pub(super) fn private(path: &Path) -> Result<PathBuf, StateError> {
    let unwritable = |error| StateError::Unwritable { path: path.to_owned(), error };
    // The path appears in messages and in the marker, so it must not depend on the working directory.
    let path = std::path::absolute(path).map_err(unwritable)?;
    if let Err(error) = create_private_directory(&path) {
        return Err(StateError::Unwritable { path, error });
    }
    // Directories above these can be shared, like /tmp.
    for directory in path.parent().into_iter().chain([path.as_path()]) {
        let directory = directory.to_owned();
        match distrust(&directory) {
            Ok(None) => {}
            Ok(Some(why)) => return Err(StateError::NotPrivate { path: directory, why }),
            Err(error) => return Err(StateError::Unwritable { path: directory, error }),
        }
    }
    Ok(path)
}

/// A path in `directory` for a run that begins now and applies the plan with this digest: `DATE-DIGEST`, with the lowest
/// number that makes it unused. Runs sort by time. `suffix` is the end of the name.
pub(super) fn unused_run_path(
    directory: &Path,
    began: Timestamp,
    plan: Digest,
    suffix: &str,
) -> PathBuf {
    let digits = plan.to_string();
    let stem = format!("{}-{}", began.compact(), &digits["sha256:".len()..][..8]);
    let first = directory.join(format!("{stem}{suffix}"));
    let numbered = (2..=u32::MAX).map(|n| directory.join(format!("{stem}-{n}{suffix}")));
    let is_unused = |path: &PathBuf| path.symlink_metadata().is_err();
    std::iter::once(first.clone()).chain(numbered).find(is_unused).unwrap_or(first)
}

impl AccountDirectory {
    /// The account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The path of a file in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A path for the journal of a run that begins now and applies the plan with this digest.
    pub fn journal(&self, began: Timestamp, plan: Digest) -> PathBuf {
        unused_run_path(&self.path, began, plan, &format!(".{EXTENSION}"))
    }

    /// The error for a file in the directory that cannot be written.
    pub(super) fn unwritable(&self, error: io::Error) -> StateError {
        StateError::Unwritable { path: self.path.clone(), error }
    }
}
