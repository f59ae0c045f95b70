//! Files on this machine that outlive a run: a directory for each account with its journals, the lock that
//! keeps two runs from changing one account, the mark of an unfinished run, and atomic writes.

mod account_directory;
mod atomic;
mod lock;
mod unfinished;

pub use account_directory::{AccountDirectory, StateRoot};
pub use atomic::{OnExisting, write_atomically};
pub use lock::{AccountLock, LockHolder};
pub use unfinished::{UnfinishedRun, unfinished_run};

use std::io;
use std::path::PathBuf;

use crate::iam::AccountId;

/// Why the state of an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The directory of the account, or a file in it, cannot be written.
    #[error("cannot write the state directory {}: {error}", path.display())]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// The system's reason.
        #[source]
        error: io::Error,
    },
    /// Another run on this machine is changing the account.
    #[error("another run{} is changing account {account}", .holder.as_ref().map(ToString::to_string).unwrap_or_default())]
    Locked {
        /// The account.
        account: AccountId,
        /// The process that holds the lock, if it could be read.
        holder: Option<LockHolder>,
    },
}
