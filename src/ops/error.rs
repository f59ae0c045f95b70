use std::io;
use std::path::PathBuf;

use super::fleet_error::FleetError;
use super::io_reason::io_reason;
use super::policy_file::PolicyFileError;
use super::saved_plan_error::{ReadPlanError, WritePlanError};
use crate::aws::ConnectError;
use crate::config::FileErrors;
use crate::files::write_reason;
use crate::iam::{AccountId, ClockError, PolicyArn, Principal, Printable};
use crate::inventory::{ApiError, ClockDifference, EveryPrincipalError, Wait};
use crate::journal::{JournalError, ReadError};
use crate::permissions::TooLong;
use crate::plan::{MergeError, ScopeError};
use crate::state::StateError;

/// Why a use case ended before it changed anything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The boundaries file has errors.
    #[error(transparent)]
    File(#[from] FileErrors),
    /// Policy documents cannot be used.
    #[error("{}", each_policy_file(.0))]
    PolicyFiles(Vec<PolicyFileError>),
    /// The fleet cannot be used.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// Files are not the results of the parts of one fleet.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// An account of a fleet needs a profile, and the run uses a sandbox.
    #[error("the sandbox has no profiles, such as {0:?} of the account")]
    NoProfileInSandbox(Printable),
    /// The earlier version of the file, to compare with, does not exist.
    #[error("cannot read {}: file not found", Printable::path(.0))]
    NoBase(PathBuf),
    /// The clock is not at a time that can be recorded, or that AWS accepts in a signature.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The clock of this machine is not that of AWS, and the result depends on the time.
    #[error("{difference}: {unknown}")]
    ClockDiffers {
        /// Both times.
        difference: ClockDifference,
        /// What the time decides.
        unknown: &'static str,
    },
    /// The credentials cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A call to AWS failed.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// The credentials belong to another account or partition.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// Nothing but the credentials determines the account of an unattended run.
    #[error(
        "{file} does not name an account, and no one confirms the account of the credentials ({account})"
    )]
    NoAccount {
        /// The boundaries file.
        file: Printable,
        /// The account that the credentials belong to.
        account: AccountId,
    },
    /// The time limit passed before the account was read. The field is what the use case waited for.
    #[error("the account was not read within the time limit{}", waited(.0.as_deref()))]
    TimeLimit(Option<Box<Wait>>),
    /// The saved plan cannot be used.
    #[error("cannot use {path}: {source}")]
    ReadPlan {
        /// The path, or `standard input`.
        path: Printable,
        /// Why it cannot be used.
        source: ReadPlanError,
    },
    /// The plan cannot be saved.
    #[error("cannot save the plan in {}: {source}", Printable::path(path))]
    WritePlan {
        /// The path to save it at.
        path: PathBuf,
        /// Why it cannot be saved.
        source: WritePlanError,
    },
    /// The journal of a run cannot be used for a rollback.
    #[error("cannot use {}: {}", Printable::path(path), read_error(source))]
    ReadJournal {
        /// The journal.
        path: PathBuf,
        /// Why it cannot be used.
        source: ReadError,
    },
    /// The journal of this run cannot be created.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The path of the journal cannot be made absolute.
    #[error("cannot use {}: {error}", Printable::path(path))]
    JournalPath {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        #[source]
        error: io::Error,
    },
    /// The reporter of the run cannot be started.
    #[error("cannot report the run: {0}")]
    Report(#[source] io::Error),
    /// The state of the account cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The plan was not confirmed.
    #[error(transparent)]
    Declined(#[from] Declined),
    /// Not every principal of the account could be read.
    #[error(transparent)]
    EveryPrincipal(#[from] EveryPrincipalError),
    /// `--only` names principals that do not exist.
    #[error("neither the files nor account {account} have {}", patterns.join(" or "))]
    NoSuchSelection {
        /// The account.
        account: AccountId,
        /// The patterns that match nothing.
        patterns: Vec<String>,
    },
    /// The account has no principals of the kinds to import.
    #[error("account {account} has no {what}")]
    EmptyAccount {
        /// The account.
        account: AccountId,
        /// The kinds: `users or roles`.
        what: String,
    },
    /// Boundaries that a file cannot ask for, because they are policies of another account or partition.
    #[error(
        "principals of account {account} have boundaries that are not policies of the account:{}",
        lines(principals)
    )]
    ForeignBoundaries {
        /// The account.
        account: AccountId,
        /// The principals with their boundaries.
        principals: Vec<(Principal, PolicyArn)>,
    },
    /// Documents of policies cannot be imported.
    #[error("cannot import the documents of policies:{}", each_document(.0))]
    PolicyDocuments(Vec<(PolicyArn, Printable)>),
    /// The directory for the documents is not one.
    #[error("cannot write documents in {}: it is not a directory", Printable::path(.0))]
    NotADirectory(PathBuf),
    /// The file to write already exists.
    #[error("{} already exists, and was left unchanged", Printable::path(.0))]
    Exists(PathBuf),
    /// The file to write is a directory, a device, a FIFO or a socket.
    #[error("cannot write {}: it is not a regular file", Printable::path(.0))]
    NotAFile(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {}: {}", Printable::path(path), write_reason(error))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        error: io::Error,
    },
    /// The imported file does not match the account. This is a bug.
    #[error("the imported file does not match the account")]
    ImportMismatch,
    /// The file does not match the spreadsheet that it was made from. This is a bug.
    #[error("the file does not match the spreadsheet")]
    FromCsvMismatch,
    /// The files are for another account than the one that a policy is made for.
    #[error("wrong account: --account is {account}, and the files are for account {named}")]
    OtherAccount {
        /// The account that the files name.
        named: AccountId,
        /// The account that the policy is made for.
        account: AccountId,
    },
    /// A policy for the files would have no statement, which IAM rejects.
    #[error("a plan of these files makes no calls that need permissions")]
    NoPermissions,
    /// A policy is longer than AWS allows.
    #[error(transparent)]
    PolicyTooLong(#[from] TooLong),
    /// The file to update is standard input.
    #[error("standard input cannot be updated")]
    UpdateOfStandardInput,
    /// Something else changed the file to update while the account was read.
    #[error("{} was changed while the account was read, and was not updated", Printable::path(.0))]
    ChangedMeanwhile(PathBuf),
}

/// Why a plan was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum Declined {
    /// Another answer was given.
    #[error("the answer was not {expected:?}")]
    Answer {
        /// The answer that confirms.
        expected: String,
    },
    /// A guard rail of the fleet leaves nothing for the plan.
    #[error("a guard rail of the fleet would be violated")]
    GuardRail,
    /// Standard input is not a terminal.
    #[error("standard input is not a terminal, cannot ask for confirmation")]
    NotATerminal,
    /// The plan could not be shown, or the answer could not be read.
    #[error("cannot show the plan or read the answer: {0}")]
    Failed(#[from] io::Error),
}

fn waited(wait: Option<&Wait>) -> String {
    wait.map(|wait| format!(", waiting for {wait}")).unwrap_or_default()
}

fn lines(principals: &[(Principal, PolicyArn)]) -> String {
    principals.iter().map(|(it, boundary)| format!("\n  {it}: {boundary}")).collect()
}

fn each_document(errors: &[(PolicyArn, Printable)]) -> String {
    errors.iter().map(|(policy, why)| format!("\n  {policy}: {why}")).collect()
}

fn each_policy_file(errors: &[PolicyFileError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn read_error(error: &ReadError) -> String {
    match error {
        ReadError::Unreadable(error) => io_reason(error),
        ReadError::NotUsable(error) => error.to_string(),
    }
}
