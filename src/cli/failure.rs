use std::error::Error as _;
use std::io;
use std::path::Path;

use super::exit_code::Exit;
use crate::aws::ConnectError;
use crate::config::FileErrors;
use crate::inventory::EveryPrincipalError;
use crate::journal::{JournalError, ReadError, RunRecordError};
use crate::ops::{Declined, Error, ReadPlanError, WritePlanError};
use crate::plan::saved::SavedPlanError;
use crate::report::advice;
use crate::sandbox::SandboxError;
use crate::state::{Distrust, StateError};

/// Why a command failed, and what to do about it.
#[derive(Debug)]
pub(super) enum Failure {
    /// Mistakes in the file, which are shown in its text.
    File(FileErrors),
    /// Anything else.
    Message {
        message: String,
        help: Option<String>,
        /// The chain of causes, shown at `-vv`.
        causes: Vec<String>,
        exit: Exit,
    },
    /// The reader of standard output is gone, as with `head`: nobody is left to tell.
    ReaderGone,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Failure::Message {
            message: message.into(),
            help: None,
            causes: Vec::new(),
            exit: Exit::NothingDone,
        }
    }

    pub(super) fn help(self, text: impl Into<String>) -> Self {
        match self {
            Failure::Message { message, causes, exit, .. } => {
                Failure::Message { message, help: Some(text.into()), causes, exit }
            }
            other => other,
        }
    }

    pub(super) fn with_exit(self, exit: Exit) -> Self {
        match self {
            Failure::Message { message, help, causes, .. } => {
                Failure::Message { message, help, causes, exit }
            }
            other => other,
        }
    }

    /// The failure to write to standard output.
    pub(super) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::new(format!("cannot write to standard output: {error}")),
        }
    }

    /// The failure of a command that would have changed the account: it says that nothing was changed.
    pub(super) fn nothing_changed(error: Error) -> Self {
        match Failure::from(error) {
            Failure::Message { message, help, causes, exit } => Failure::Message {
                message: format!("nothing was changed: {message}"),
                help,
                causes,
                exit,
            },
            other => other,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let error = match error {
            Error::File(errors) => return Failure::File(errors),
            Error::Declined(Declined::Failed(error))
                if error.kind() == io::ErrorKind::BrokenPipe =>
            {
                return Failure::ReaderGone;
            }
            other => other,
        };
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        let message = match &error {
            Error::Unwritable { path, error } if error.kind() == io::ErrorKind::NotFound => {
                format!("cannot write {}: the directory does not exist", path.display())
            }
            other => other.to_string(),
        };
        Failure::Message { message, help: help(&error), causes, exit: Exit::NothingDone }
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Failure::new(error.to_string())
    }
}

/// What to do about an error.
fn help(error: &Error) -> Option<String> {
    let text = match error {
        Error::Call(error) | Error::Connect(ConnectError::Call(error)) => return advice(error),
        Error::EveryPrincipal(EveryPrincipalError::Call(error)) => return advice(error),
        Error::File(_) => return None,
        Error::NoBase(_) => {
            "get it with `git show origin/main:boundaries.toml > base.toml`; where the file is new on \
             this branch, specify an empty file"
        }
        Error::Clock(_) => {
            "set the clock: AWS accepts only requests that are signed within minutes of its own time"
        }
        Error::Connect(ConnectError::Credentials { .. }) => {
            "specify --profile NAME, set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run \
             `aws sso login`; to try the tool without an account, use --sandbox"
        }
        Error::Connect(ConnectError::ProfileCredentials { .. }) => {
            "add credentials to the profile, or specify another profile; with --profile, no other source of \
             credentials is used"
        }
        Error::Connect(ConnectError::NoSuchProfile { .. }) => {
            "correct the name, or create the profile with `aws configure --profile NAME`"
        }
        Error::Connect(ConnectError::UnreadableProfiles { .. }) => "correct the file",
        Error::Connect(ConnectError::PartialKey) => {
            "set both variables, or unset AWS_ACCESS_KEY_ID"
        }
        Error::Connect(ConnectError::UnusableIdentity(_)) => {
            "check --endpoint-url: the endpoint may not be an AWS endpoint"
        }
        Error::Scope(_) => "use credentials of that account, or a file or plan for this one",
        Error::TimeLimit => "increase --timeout; -v shows what takes the time",
        Error::ReadPlan { source, .. } => read_plan_help(source),
        Error::WritePlan { source, .. } => match source {
            WritePlanError::Unwritable(_) => {
                "check the directory, its permissions and the free space on the disk"
            }
            WritePlanError::OtherFile | WritePlanError::NotAFile => {
                "specify a new file, or an earlier plan to replace"
            }
            WritePlanError::NotReadable(_) => "rename the boundaries file to a plain path",
        },
        Error::ReadJournal { source, .. } => read_journal_help(source),
        Error::Journal(JournalError::Exists(_)) => {
            "specify another --journal FILE: a journal is never overwritten"
        }
        Error::Journal(JournalError::Unwritable { error, .. })
            if error.kind() == io::ErrorKind::NotFound =>
        {
            "the directory does not exist: create it, or specify another --journal FILE"
        }
        Error::Journal(JournalError::Lost { .. }) => return None,
        Error::Journal(JournalError::Unwritable { .. }) | Error::JournalPath { .. } => {
            "check the directory, its permissions and the free space on the disk, or specify another \
             --journal FILE"
        }
        Error::State(StateError::Unwritable { .. }) => {
            "the state directory holds the account's lock and journals: set XDG_STATE_HOME to a writable \
             directory; --journal FILE moves only the journal"
        }
        Error::State(StateError::NotPrivate { path, why }) => {
            return Some(state_directory_help(path, *why));
        }
        Error::State(StateError::File { .. }) => {
            "remove it, and run the command again: the state directory contains only files that the tool wrote"
        }
        Error::State(StateError::Locked { .. }) => {
            "wait until it ends, or stop it with Ctrl-C where it runs, and run this again"
        }
        Error::Declined(Declined::NotATerminal) => {
            "review the plan, and apply it with --auto-approve"
        }
        Error::Declined(_) | Error::Report(_) => return None,
        Error::EveryPrincipal(EveryPrincipalError::Unreadable(_)) => {
            "no file was written: it would be incomplete"
        }
        Error::EveryPrincipal(EveryPrincipalError::Unstable(_)) => {
            "no file was written, because users could be missing from it; run import again"
        }
        Error::EmptyAccount(_) => "check that the credentials belong to the right account",
        Error::ForeignBoundaries { .. } => {
            "no file was written: set other boundaries for these users, which must be policies of their own \
             account or AWS managed policies, and run import again"
        }
        Error::NotAFile(_) => {
            "specify the path of a new file; without --out, the result goes to standard output"
        }
        Error::Exists(_) => "specify another --out FILE, or --force to overwrite it",
        Error::Unwritable { .. } => {
            "check the directory, its permissions and the free space on the disk"
        }
        Error::ImportMismatch => "this is a bug in iam-boundaries: please report it",
    };
    Some(text.to_owned())
}

fn state_directory_help(path: &Path, why: Distrust) -> String {
    let path = path.display();
    match why {
        Distrust::Mode(_) => format!(
            "check that nobody else changed the files in it, and make it private: chmod 700 {path}"
        ),
        Distrust::Owner { .. } => {
            "run the command as that user, or set XDG_STATE_HOME to a directory of your own"
                .to_owned()
        }
        Distrust::SymbolicLink | Distrust::NotADirectory => format!(
            "replace {path} with a directory, or set XDG_STATE_HOME to the directory that contains it"
        ),
    }
}

fn read_plan_help(error: &ReadPlanError) -> &'static str {
    match error {
        ReadPlanError::Unreadable(_) => "save a plan with `plan --out PLAN`",
        ReadPlanError::NotUsable(SavedPlanError::NotAPlan) => {
            "specify a file that `plan --out` wrote; a boundaries file is specified with -f"
        }
        ReadPlanError::NotUsable(SavedPlanError::Newer(_)) => {
            "use the version of iam-boundaries that made the plan, or plan again with this version"
        }
        ReadPlanError::NotUsable(SavedPlanError::Older(_)) => "plan again with this version",
        ReadPlanError::NotUsable(_) => "plan again: a plan that was changed is not applied",
    }
}

fn read_journal_help(error: &ReadError) -> &'static str {
    match error {
        ReadError::Unreadable(_) => "specify a journal; `apply` prints the path of its journal",
        ReadError::NotUsable(RunRecordError::NotAJournal) => {
            "specify a journal that `apply` wrote; a saved plan is applied with `apply PLAN`"
        }
        ReadError::NotUsable(RunRecordError::Headless) => "there is nothing to roll back",
        ReadError::NotUsable(RunRecordError::Newer(_) | RunRecordError::Older(_)) => {
            "use the version of iam-boundaries that wrote it"
        }
        ReadError::NotUsable(RunRecordError::Damaged { .. }) => {
            "no plan is made from a damaged journal; the lines before that one can be read as JSON"
        }
    }
}
