use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};

use super::account_directory::AccountDirectory;
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
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let path = directory.file("lock");
        let mut file = open_own(&path, &mut options).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => StateError::File { path, error },
            _ => directory.unwritable(error),
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let (account, holder) = (directory.account(), holder(&mut file));
                return Err(StateError::Locked { account, holder });
            }
            Err(TryLockError::Error(error)) => return Err(directory.unwritable(error)),
        }
        write_holder(&mut file).map_err(|error| directory.unwritable(error))?;
        Ok(AccountLock { _file: file })
    }
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
