use std::io;
use std::path::PathBuf;

use super::holder::LockHolder;
use super::privacy::Distrust;
use crate::iam::{AccountId, Printable};

/// Why the state of an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The directory of the account, or a file in it, cannot be written.
    #[error("cannot write the state directory {}: {error}", Printable::path(path))]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        error: io::Error,
    },
    /// The state directory is not private: another user could make the tool report, lock or roll back
    /// something else.
    #[error("cannot use the state directory {}: {why}", Printable::path(path))]
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        why: Distrust,
    },
    /// A file in the directory cannot be used.
    #[error("cannot use {}: {error}", Printable::path(path))]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason, or what the file is instead of a regular one.
        #[source]
        error: io::Error,
    },
    /// Another run on this machine is changing the account.
    #[error("another run{} is changing account {account}", .holder.as_ref().map(ToString::to_string).unwrap_or_default())]
    Locked {
        /// The account.
        account: AccountId,
        /// The process that holds the lock; `None` if it could not be read.
        holder: Option<LockHolder>,
    },
}
