use crate::iam::Printable;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The port is in use or not permitted.
    #[error("the sandbox cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The state file cannot be read.
    #[error("cannot read the sandbox state file {}: {error}", Printable::path(file))]
    State {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The state file does not have the expected format.
    #[error("{} is not a sandbox state file: {why}", Printable::path(file))]
    InvalidState {
        /// The file.
        file: PathBuf,
        /// The difference from the expected format.
        why: String,
    },
}
