use std::error::Error as _;
use std::io;
use std::path::Path;

use super::exit_code::Exit;
use crate::aws::ConnectError;
use crate::config::FileErrors;
use crate::iam::Printable;
use crate::inventory::{ApiError, EveryPrincipalError};
use crate::journal::{JournalError, ReadError, RunRecordError};
use crate::ops::{Declined, Error, FleetError, ReadPlanError, WritePlanError};
use crate::plan::saved::SavedPlanError;
use crate::plan::{MergeError, ScopeError};
use crate::report::{ShardReportError, advice, errors_in_files};
use crate::sandbox::SandboxError;
use crate::state::{Distrust, StateError};

/// Why a command failed, and what to do about it.
#[derive(Debug)]
pub(super) enum Failure {
    /// Errors in the boundaries file, each shown with its line.
    File(FileErrors),
    /// Anything else.
    Message {
        message: String,
        help: Option<String>,
        /// The chain of causes, shown with `-vv`.
        causes: Vec<String>,
        exit: Exit,
    },
    /// The reader of standard output closed it, as `head` does. Nothing is reported.
    BrokenPipe,
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

    /// What is wrong, in one clause; `None` if nothing is to be said about it.
    pub(super) fn statement(&self) -> Option<String> {
        match self {
            Failure::File(errors) => Some(errors_in_files(errors)),
            Failure::Message { message, .. } => Some(message.clone()),
            Failure::BrokenPipe => None,
        }
    }

    /// The failure to write to standard output.
    pub(super) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
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
                return Failure::BrokenPipe;
            }
            other => other,
        };
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        let message = error.to_string();
        Failure::Message { message, help: help(&error), causes, exit: Exit::NothingDone }
    }
}

impl From<ShardReportError> for Failure {
    fn from(error: ShardReportError) -> Self {
        let help = match &error {
            ShardReportError::NotAReport(_) => {
                "specify plans that `plan --shard I/N --out PLAN` saved, or run reports that `apply --shard I/N \
                 --format json` wrote"
            }
            ShardReportError::OneAccount(_) => {
                "specify the run reports of runs with --fleet and --shard"
            }
            ShardReportError::Damaged { .. } | ShardReportError::Edited { .. } => {
                "specify the report as `apply` wrote it; the journals of the run record what it changed"
            }
            ShardReportError::Empty(_) => "run apply for each shard",
            ShardReportError::Merge(error) => merge_help(error),
        };
        Failure::new(error.to_string()).help(help)
    }
}

/// What to do about files that cannot be merged.
fn merge_help(error: &MergeError) -> &'static str {
    match error {
        MergeError::Mixed { .. } => "specify only plans, or only run reports",
        MergeError::OneAccount { .. } => "specify plans that `plan --fleet FILE --shard I/N` made",
        MergeError::NotOfAShard { .. } => {
            "specify the files of single shards, which were made with --shard and without --account"
        }
        MergeError::OtherFleet { .. } | MergeError::OtherVersion { .. } => {
            "specify only files of one run, in which all shards used the same files"
        }
        MergeError::OtherCount { .. } => {
            "specify only files of one run with the same N in --shard I/N"
        }
        MergeError::Twice { .. } => "specify one file for each shard",
        MergeError::OtherShard { .. } => {
            "make the file again: it is not as `iam-boundaries` wrote it"
        }
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        let help = match &error {
            SandboxError::Listen { .. } => "specify another port with --port".to_owned(),
            SandboxError::State { file, .. } => {
                format!("make {} a readable file, or remove it", Printable::path(file))
            }
            SandboxError::InvalidState { .. } => {
                "remove it with `iam-boundaries sandbox reset`".to_owned()
            }
        };
        Failure::new(error.to_string()).help(help)
    }
}

/// What to do about an error.
fn help(error: &Error) -> Option<String> {
    let text = match error {
        Error::Call(error) | Error::Connect(ConnectError::Call(error)) => return advice(error),
        Error::EveryPrincipal(EveryPrincipalError::Call(error)) => return advice(error),
        Error::File(_) => return None,
        Error::Fleet(FleetError::NoSuchAccount { .. }) => {
            "specify the name or the ID of an account of the fleet"
        }
        Error::Fleet(FleetError::NotSelected(selectors)) => {
            let options = |name: &str| {
                let options: Vec<_> = selectors.iter().map(|it| format!("{name} {it}")).collect();
                options.join(" ")
            };
            return Some(format!("add {}, or omit {}", options("--account"), options("--first")));
        }
        Error::Fleet(FleetError::NoAccounts { .. }) => {
            "correct units: only active accounts of these units and of those below them belong to the fleet"
        }
        Error::Fleet(FleetError::NoSuchUnit { .. }) => {
            "correct units: they must be IDs of organizational units or of the root of this organization"
        }
        Error::Fleet(FleetError::NoBaseIdentity) => "this is a bug in iam-boundaries: report it",
        Error::Fleet(FleetError::NoSuchSelection { .. }) => "correct --only",
        Error::Fleet(FleetError::NothingBegun { .. }) => return None,
        Error::Fleet(FleetError::ShareAsPlanned(_)) => {
            "specify a number with --max-fleet-changes, or omit --as-planned"
        }
        Error::Fleet(FleetError::Directory { .. }) => {
            "specify the journal of a run, or the directory of a run on a fleet: `apply` prints its path"
        }
        Error::Merge(error) => merge_help(error),
        Error::NoProfileInSandbox(_) => {
            "run the command without --sandbox, or give the account a role instead of the profile"
        }
        Error::NoSuchSelection { .. } => {
            "correct the name or the pattern; a new user or role can take a few seconds to appear in IAM: run the command again"
        }
        Error::NoBase(_) => {
            "create it with `git show origin/main:boundaries.toml > base.toml`; if the boundaries file is new \
             on this branch, specify an empty file"
        }
        Error::PolicyFiles(_) => {
            "specify JSON policy documents, such as the Document of `aws iam get-policy-version`"
        }
        Error::Clock(_) => {
            "set the clock: AWS accepts only requests that are signed within minutes of its own time"
        }
        Error::ClockDiffers { .. } => "set this machine's clock, and run the command again",
        Error::Connect(ConnectError::Credentials { .. }) => {
            "specify --profile NAME, set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run \
             `aws sso login`; to try the tool without an account, use --sandbox"
        }
        Error::Connect(ConnectError::ProfileCredentials { .. }) => {
            "add credentials to the profile, or specify another profile: with --profile, the tool uses no \
             other source of credentials"
        }
        Error::Connect(ConnectError::NoSuchProfile { .. }) => {
            "correct the name of the profile, or create it with `aws configure --profile NAME`"
        }
        Error::Connect(ConnectError::UnreadableProfiles(_)) => {
            "correct this file, or make it readable; AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE specify other files"
        }
        Error::Connect(ConnectError::InvalidRegion(_)) => {
            "specify a Region such as us-east-1, or remove the setting"
        }
        Error::Connect(ConnectError::Source { profile, error })
            if error.code == ApiError::MFA_REQUIRED =>
        {
            return Some(mfa_help(profile));
        }
        Error::Connect(ConnectError::Source { error, .. }) => return advice(error),
        Error::Connect(ConnectError::CaBundle(_)) => {
            "specify a file with certificates in PEM format, or remove the setting to trust the certificate \
             authorities of this system"
        }
        Error::Connect(ConnectError::Proxy(_)) => {
            "set it to http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, or unset it"
        }
        Error::Connect(ConnectError::Region(mismatch)) => {
            return Some(format!(
                "specify a Region of partition {}, such as --region {}, or ARNs of partition {}",
                mismatch.expected.as_str(),
                mismatch.expected.home_region(),
                mismatch.partition.as_str()
            ));
        }
        Error::Connect(ConnectError::Endpoint(_)) => {
            "correct or remove the setting; a user name, a password and a query are not allowed"
        }
        Error::Connect(ConnectError::PlainHttp(_)) => {
            "specify an https:// URL; if you trust the network up to this host, add --allow-http"
        }
        Error::Connect(ConnectError::PartialKey) => {
            "set both variables, or unset AWS_ACCESS_KEY_ID"
        }
        Error::Connect(ConnectError::OtherAccount { .. }) => {
            "correct the role or the ID of the account in the fleet file"
        }
        Error::Connect(ConnectError::UnusableIdentity(_)) => {
            "check --endpoint-url and HTTPS_PROXY: the response may not be from AWS"
        }
        Error::Scope(ScopeError::Expected { .. }) => {
            "use credentials of that account, or correct --account"
        }
        Error::Scope(_) => "use credentials of the account that the file, plan or journal is for",
        Error::NoAccount { account, .. } => {
            return Some(format!(
                "if {account} is the intended account, specify --account {account}, or add an [account] table \
                 with id = \"{account}\" to the boundaries file"
            ));
        }
        Error::TimeLimit(wait) => {
            let error = wait.as_ref().and_then(|wait| wait.error.as_ref());
            let advice = error.and_then(advice).map(|advice| format!("{advice}, or "));
            return Some(advice.unwrap_or_default() + "increase --timeout; -vv logs each retry");
        }
        Error::ReadPlan { source, .. } => read_plan_help(source),
        Error::WritePlan { source, .. } => match source {
            WritePlanError::Unwritable(error) if error.kind() == io::ErrorKind::NotFound => {
                "create the directory, or specify another file"
            }
            WritePlanError::Unwritable(_) => {
                "check the directory, its permissions and the free disk space"
            }
            WritePlanError::OtherFile | WritePlanError::NotAFile => {
                "specify a new file, or a saved plan to replace"
            }
            WritePlanError::NotReadable(SavedPlanError::Malformed(_)) => {
                "use a path without control characters or invisible characters for the file"
            }
            WritePlanError::NotReadable(_) => {
                "this is a bug in iam-boundaries: report it with the files and this message"
            }
        },
        Error::ReadJournal { source, .. } => read_journal_help(source),
        Error::Journal(JournalError::Exists(_)) => {
            "specify another --journal FILE: apply never overwrites a journal"
        }
        Error::Journal(JournalError::Unwritable { error, .. })
            if error.kind() == io::ErrorKind::NotFound =>
        {
            "create the directory, or specify another --journal FILE"
        }
        Error::Journal(JournalError::Lost { .. }) => return None,
        Error::Journal(JournalError::Unwritable { .. }) | Error::JournalPath { .. } => {
            "check the directory, its permissions and the free disk space, or specify another --journal FILE"
        }
        Error::State(StateError::Unwritable { .. }) => {
            "make the directory writable, and check the free disk space; or specify another directory with --state-dir DIR"
        }
        Error::State(StateError::NotPrivate { path, why }) => {
            return Some(state_directory_help(path, *why));
        }
        Error::State(StateError::File { .. }) => {
            "remove it, and run the command again: the state directory contains only files that the tool wrote"
        }
        Error::State(StateError::Locked { .. }) => {
            "wait until the other run ends, or stop it with Ctrl-C; then run the command again"
        }
        Error::Declined(Declined::NotATerminal) => {
            "review the plan, and apply it with --auto-approve"
        }
        Error::Declined(_) | Error::Report(_) => return None,
        Error::EveryPrincipal(EveryPrincipalError::Unreadable(_)) => {
            "no file was written, because it would be incomplete"
        }
        Error::EveryPrincipal(EveryPrincipalError::Unstable { .. }) => {
            "run the command again when fewer principals are created and deleted"
        }
        Error::EveryPrincipal(EveryPrincipalError::FewerThanCounted(_)) => {
            "run the command again; if the numbers stay the same, check --endpoint-url and the proxy"
        }
        Error::EmptyAccount { .. } => "check that the credentials belong to the intended account",
        Error::ForeignBoundaries { .. } => {
            "no file was written: set other boundaries for these principals, which must be policies of their own \
             account or AWS managed policies, and run import again"
        }
        Error::PolicyDocuments(_) => {
            "allow iam:GetPolicy and iam:GetPolicyVersion, or omit --documents"
        }
        Error::NotADirectory(_) => "specify a directory with --documents DIR",
        Error::NotAFile(_) => "specify the path of a regular file",
        Error::Exists(_) => "specify another --out FILE, or overwrite the file with --force",
        Error::Unwritable { error, .. } if error.kind() == io::ErrorKind::NotFound => {
            "create the directory, or specify another file"
        }
        Error::Unwritable { .. } => "check the directory, its permissions and the free disk space",
        Error::ImportMismatch | Error::FromCsvMismatch => {
            "nothing was written: this is a bug in iam-boundaries: report it"
        }
        Error::OtherAccount { .. } => "omit --account, or specify files of this account",
        Error::NoPermissions => "add users, roles or rules to the files",
        Error::PolicyTooLong(_) => {
            "make one policy for each of several files, and attach them to the same role"
        }
        Error::UpdateOfStandardInput => "specify the path of a file",
        Error::ChangedMeanwhile(_) => "run the command again",
    };
    Some(text.to_owned())
}

/// The AWS CLI asks for the code. Its output sets variables, which `--profile` would ignore.
fn mfa_help(profile: &str) -> String {
    format!(
        "run `aws configure export-credentials --profile {profile} --format env` at a terminal, set the variables \
         that it prints, and run this command without --profile"
    )
}

fn state_directory_help(path: &Path, why: Distrust) -> String {
    let path = Printable::path(path);
    match why {
        Distrust::Mode(_) => format!(
            "check that nobody else changed the files in it, and make it private: chmod 700 {path}"
        ),
        Distrust::Owner { .. } => {
            "run the command as that user, or specify a directory of your own with --state-dir DIR"
                .to_owned()
        }
        Distrust::SymbolicLink | Distrust::NotADirectory => format!(
            "replace {path} with a directory, or specify the directory itself with --state-dir DIR"
        ),
    }
}

fn read_plan_help(error: &ReadPlanError) -> &'static str {
    match error {
        ReadPlanError::Unreadable(_) => "specify a plan that `plan --out PLAN` saved",
        ReadPlanError::NotUsable(SavedPlanError::NotAPlan) => {
            "specify a plan that `plan --out PLAN` saved; to apply a boundaries file, use `apply -f FILE`"
        }
        ReadPlanError::NotUsable(SavedPlanError::Newer(_)) => {
            "use the version of iam-boundaries that made the plan, or plan again with this version"
        }
        ReadPlanError::NotUsable(SavedPlanError::Older(_)) => "plan again with this version",
        ReadPlanError::NotUsable(SavedPlanError::Encoding(_)) => {
            "save the plan with `plan --out PLAN`: a redirection in PowerShell changes the encoding"
        }
        ReadPlanError::NotUsable(_) => "plan again: a saved plan must be complete and unchanged",
    }
}

fn read_journal_help(error: &ReadError) -> &'static str {
    match error {
        ReadError::Unreadable(_) => "specify the journal of a run: `apply` prints its path",
        ReadError::NotUsable(RunRecordError::NotAJournal) => {
            "specify a journal that `apply` wrote; to apply a saved plan, use `apply PLAN`"
        }
        ReadError::NotUsable(RunRecordError::Encoding(_)) => {
            "use the journal as `apply` wrote it: an editor or a redirection changed the encoding"
        }
        ReadError::NotUsable(RunRecordError::Headless) => {
            "if the file is a copy, copy the journal again; a run writes the first line completely before its first change"
        }
        ReadError::NotUsable(RunRecordError::Newer(_) | RunRecordError::Older(_)) => {
            "use the version of iam-boundaries that wrote the journal"
        }
        ReadError::NotUsable(RunRecordError::Damaged { .. }) => {
            "a damaged journal cannot be rolled back; to restore boundaries, edit the boundaries file and \
             apply it"
        }
    }
}
