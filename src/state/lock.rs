use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::path::Path;

use super::account_directory::AccountDirectory;
use super::content::LOCK;
use super::error::StateError;
use super::holder::LockHolder;
use crate::files::{MaxSize, open_own, read_to_end};
use crate::iam::Timestamp;

/// The lock on an account: no other run on this machine changes the account while this value exists. The
/// operating system releases it when the process ends, even after a crash.
#[derive(Debug)]
pub struct AccountLock {
    _file: File,
}

impl AccountLock {
    /// Acquires the lock on the account of `directory`.
    ///
    /// # Errors
    /// Returns [`StateError::Locked`] if another run holds the lock, or [`StateError::Unwritable`] if the lock file
    /// cannot be written.
    pub fn acquire(directory: &AccountDirectory) -> Result<AccountLock, StateError> {
        let path = directory.file(LOCK);
        match lock(&path) {
            Ok(Lock::Acquired(file)) => Ok(AccountLock { _file: file }),
            Ok(Lock::Held(holder)) => {
                Err(StateError::Locked { account: directory.account(), holder })
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                Err(StateError::File { path, error })
            }
            Err(error) => Err(directory.unwritable(error)),
        }
    }
}

/// The result of an attempt to acquire a lock.
pub(super) enum Lock {
    /// The lock is held as long as the file is open. The operating system releases it when the process ends, even after
    /// a crash.
    Acquired(File),
    /// A process holds the lock: this one, if it could be read.
    Held(Option<LockHolder>),
}

/// Acquires the lock of the file at `path`, which is created if it does not exist.
///
/// # Errors
/// If the file cannot be written or locked. [`io::ErrorKind::InvalidInput`] if it is not a regular file.
pub(super) fn lock(path: &Path) -> io::Result<Lock> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = open_own(path, &mut options)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Lock::Held(holder(&mut file))),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    write_holder(&mut file)?;
    Ok(Lock::Acquired(file))
}

fn write_holder(file: &mut File) -> io::Result<()> {
    let since = Timestamp::now().map_err(io::Error::other)?;
    let holder = LockHolder { pid: std::process::id(), since };
    let holder = serde_json::to_string(&holder)?;
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(holder.as_bytes())
}

/// The holder; `None` if it cannot be read, for example because it is being written.
fn holder(file: &mut File) -> Option<LockHolder> {
    serde_json::from_slice(&read_to_end(file, MaxSize::STATE).ok()?).ok()
}
