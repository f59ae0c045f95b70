use std::io;
use std::process::ExitCode;

use crate::aws::{ApiError, ConnectError};
use crate::config::FileErrors;
use crate::plan::ScopeError;
use crate::report::advice;
use crate::sandbox::SandboxError;

/// How a command ended, as its exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0
    Done,
    /// 1: bad usage, bad file, no credentials, wrong account.
    NothingDone,
    /// 2: `plan --detailed-exitcode`.
    Changes,
    /// 3: some items failed, are in conflict, cannot be planned, are not as they were written or could
    /// not be read back; the others were done.
    SomeFailed,
    /// 4: a guard rail or `apply --strict` refused; nothing was done.
    Refused,
    /// 130: what was under way was finished and recorded.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::NothingDone => 1,
            Exit::Changes => 2,
            Exit::SomeFailed => 3,
            Exit::Refused => 4,
            Exit::Interrupted => 130,
        })
    }
}

/// Why a command could not do its work, and what to do about it.
#[derive(Debug)]
pub(super) enum Failure {
    /// Mistakes in the file, which are shown in its text.
    File(FileErrors),
    /// Anything else.
    Message { message: String, advice: Option<String>, exit: Exit },
    /// Whoever read our output has gone away, as `head` does: nobody is left to tell.
    ReaderGone,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Failure::Message { message: message.into(), advice: None, exit: Exit::NothingDone }
    }

    pub(super) fn advise(self, text: impl Into<String>) -> Self {
        match self {
            Failure::Message { message, exit, .. } => {
                Failure::Message { message, advice: Some(text.into()), exit }
            }
            other => other,
        }
    }

    pub(super) fn with_exit(self, exit: Exit) -> Self {
        match self {
            Failure::Message { message, advice, .. } => Failure::Message { message, advice, exit },
            other => other,
        }
    }
}

impl From<FileErrors> for Failure {
    fn from(errors: FileErrors) -> Self {
        Failure::File(errors)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let advice = advice(&error);
        Failure::Message { message: error.to_string(), advice, exit: Exit::NothingDone }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Call(error) => error.into(),
            ConnectError::Credentials { .. } => Failure::new(error.to_string()).advise(
                "give them by --profile NAME, AWS_PROFILE, AWS_ACCESS_KEY_ID with \
                 AWS_SECRET_ACCESS_KEY, or `aws sso login`; to try the tool without an account, use \
                 --sandbox",
            ),
            ConnectError::StrangeIdentity(_) => Failure::new(error.to_string())
                .advise("look at --endpoint-url: is it AWS that answers there?"),
        }
    }
}

impl From<ScopeError> for Failure {
    fn from(error: ScopeError) -> Self {
        Failure::new(error.to_string())
            .advise("use the credentials of that account, or a file or plan of this one")
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Failure::new(error.to_string())
    }
}

/// Standard output could not be written.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::new(format!("cannot write to standard output: {error}")),
        }
    }
}
