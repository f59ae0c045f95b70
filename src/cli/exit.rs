use std::io;

pub(super) use super::exit_code::Exit;
use crate::aws::{ApiError, ConnectError};
use crate::config::FileErrors;
use crate::plan::ScopeError;
use crate::report::advice;
use crate::sandbox::SandboxError;

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
