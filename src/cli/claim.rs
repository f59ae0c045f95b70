//! Being the only run on this machine that changes an account, and the journal of that run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::args::Args;
use super::exit::{Exit, Failure};
use super::output::Output;
use super::state::{AccountFolder, AccountLock};
use super::unfinished::{self, Unfinished};
use crate::apply::Summary;
use crate::aws::CallerIdentity;
use crate::iam::{AccountId, Timestamp};
use crate::journal::{End, Header, Journal, JournalError};
use crate::plan::Recheck;
use crate::report::summary_counts;

/// The account is this run's to change, as long as it is not let go.
#[derive(Debug)]
pub(super) struct Claim {
    folder: AccountFolder,
    lock: Option<AccountLock>,
    /// What was said of the run before.
    told: Option<String>,
}

impl Claim {
    /// Claims `account`, and says what the run before left open.
    pub(super) fn stake(
        args: &Args,
        account: AccountId,
        output: &Output,
    ) -> Result<Claim, Failure> {
        let folder = AccountFolder::open(account, args.sandbox)?;
        let mut claim = Claim { folder, lock: None, told: None };
        claim.renew(output)?;
        Ok(claim)
    }

    /// Lets others change the account while a person thinks.
    pub(super) fn let_go(&mut self) {
        self.lock = None;
    }

    /// Claims the account again after it was let go.
    pub(super) fn renew(&mut self, output: &Output) -> Result<(), Failure> {
        if self.lock.is_none() {
            self.lock = Some(self.folder.lock()?);
        }
        let left_open = unfinished::left_open(&self.folder);
        if let Some(text) = left_open.as_ref().filter(|_| left_open != self.told) {
            output.remark(text);
        }
        self.told = left_open;
        Ok(())
    }

    /// Begins the journal of the run of `recheck`, in `path` or where journals are by default; none if it
    /// has nothing to change. From now on, a run that does not come to its end is told of by the next one.
    pub(super) fn begin(
        &self,
        recheck: &Recheck,
        caller: &CallerIdentity,
        path: Option<&Path>,
    ) -> Result<Option<Journal>, Failure> {
        if recheck.plan.changes.is_empty() {
            self.has_nothing_to_do();
            return Ok(None);
        }
        let header = Header::of(&recheck.plan, recheck.digest, caller, Timestamp::now());
        let path = match path {
            Some(path) => std::path::absolute(path)
                .map_err(|error| Failure::new(format!("cannot use {}: {error}", path.display())))?,
            None => self.default_path(&header),
        };
        let journal = Journal::create(&path, &header)?;
        let unfinished = Unfinished { began: header.began, journal: path.clone() };
        if let Err(failure) = unfinished.mark(&self.folder) {
            // Nothing was begun: it would only be in the way of the next try.
            let _ = fs::remove_file(path);
            return Err(failure);
        }
        Ok(Some(journal))
    }

    /// Ends the journal, and says where it is.
    pub(super) async fn end(
        &self,
        journal: Journal,
        summary: &Summary,
        output: &Output,
    ) -> Result<(), Failure> {
        let path = journal.path().to_owned();
        journal.finish(&End::of(summary)).await.map_err(|error| {
            Failure::new(format!("{error}; {}", summary_counts(summary)))
                .advise("no further call was made; run this again when there is room for a journal")
                .with_exit(Exit::SomeFailed)
        })?;
        Unfinished::clear(&self.folder);
        output.remark(&format!("journal: {}", path.display()));
        Ok(())
    }

    /// There is nothing to change: what was said of the run before is over, too.
    pub(super) fn has_nothing_to_do(&self) {
        Unfinished::clear(&self.folder);
    }

    /// A name that no file has: two runs within a second are told apart by a number.
    fn default_path(&self, header: &Header) -> PathBuf {
        let digits = header.plan.to_string();
        let stem = format!("{}-{}", header.began.compact(), &digits["sha256:".len()..][..8]);
        let named = |n: u32| match n {
            1 => self.folder.file(&format!("{stem}.jsonl")),
            n => self.folder.file(&format!("{stem}-{n}.jsonl")),
        };
        (1..).map(named).find(|path| path.symlink_metadata().is_err()).expect("numbers do not end")
    }
}

/// Refuses a journal that is there already, before anything is read.
pub(super) fn is_new(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(JournalError::Exists(path.to_owned()).into()),
        Err(_) => Ok(()),
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let advice = match &error {
            JournalError::Exists(_) => "give another --journal FILE: no journal is written over",
            JournalError::Unwritable { error, .. } if error.kind() == io::ErrorKind::NotFound => {
                "there is no such folder: make it, or give another --journal FILE"
            }
            JournalError::Unwritable { .. } => {
                "look at the folder, its rights, and the space on the disk, or give another --journal FILE"
            }
        };
        Failure::new(format!("nothing was changed: {error}")).advise(advice)
    }
}
