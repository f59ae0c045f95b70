use std::collections::HashMap;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::line::{Found, Header, Line};
use super::{Correction, Entry, FORMAT, FORMAT_VERSION, RunRecord};
use crate::apply::Outcome;
use crate::aws::{ApiError, CallOutcome, Reading, is_printable};
use crate::iam::{Digest, PolicyArn, PolicyOwner, PrincipalName, is_short_name};
use crate::plan::saved::said;
use crate::plan::{BoundaryChange, Change};

/// Why a text is no journal that can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunRecordError {
    /// It is something else.
    #[error("it is not a journal")]
    NotAJournal,
    /// It ends within its first line.
    #[error("it ends before its first line does: its run had not begun to change anything")]
    Headless,
    /// A later version of this tool wrote it.
    #[error(
        "it was written by a newer iam-boundaries: its format has version {0}, and this one reads up to \
         version {FORMAT_VERSION}"
    )]
    Newer(u64),
    /// A line says what no run writes, and it is not the torn end.
    #[error("it is damaged at line {line}: {what}")]
    Damaged {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// Why no record can be had from a file.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// What is in it is no journal.
    #[error(transparent)]
    NoRecord(#[from] RunRecordError),
}

/// What every version of the format has, and other JSON may have.
#[derive(Deserialize)]
struct AnyHeader {
    format: Option<String>,
    format_version: Option<Value>,
}

impl RunRecord {
    /// Reads the journal in a file.
    ///
    /// # Errors
    /// [`ReadError`] when the file cannot be read, or there is no journal in it that can be relied on.
    pub fn read(path: &Path) -> Result<RunRecord, ReadError> {
        Ok(RunRecord::parse(&std::fs::read(path)?)?)
    }

    /// Reads a journal. A crash can leave half a line at its end, or zeros: what begins with the first
    /// line that is none, and has no line of a journal behind it, is left out.
    ///
    /// # Errors
    /// [`RunRecordError`] when it is something else, or damaged.
    pub fn parse(text: &[u8]) -> Result<RunRecord, RunRecordError> {
        let mut lines = text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n');
        let header = header(lines.next().unwrap_or_default(), text)?;
        let mut record =
            RunRecord { header, entries: Vec::new(), end: None, digest: Digest::of(text) };
        let mut users = HashMap::new();
        let mut numbered = (2..).zip(lines);
        while let Some((number, line)) = numbered.next() {
            let damaged = |what: String| RunRecordError::Damaged { line: number, what };
            let taken = match parsed(line) {
                Ok(line) => record.take(number, line, &mut users),
                Err(_) if numbered.all(|(_, line)| parsed(line).is_err()) => break,
                Err(what) => Err(what),
            };
            taken.map_err(damaged)?;
        }
        Ok(record)
    }

    fn take(
        &mut self,
        number: usize,
        line: Line,
        users: &mut HashMap<String, usize>,
    ) -> Result<(), String> {
        if self.end.is_some() {
            return Err("the run had ended before it".to_owned());
        }
        match line {
            Line::Intent { user, action, from, to, line } => {
                let change = self.change(user, &action, from, to, line)?;
                if self.entries.len() == self.header.changes {
                    return Err(format!("there were {} changes to make", self.header.changes));
                }
                let position = self.entries.len();
                if users.insert(change.user.folded(), position).is_some() {
                    return Err(format!("{} has an intent before it", change.user));
                }
                self.entries.push(Entry { change, at: number, outcome: None, correction: None });
            }
            Line::Outcome { user, outcome, attempts, request_id, may_be_done, error } => {
                let parts = (outcome, attempts, may_be_done, error);
                let outcome = outcome_of(parts, request_id)
                    .ok_or_else(|| format!("the outcome of {user} contradicts itself"))?;
                let entry = self
                    .entry(&user, users)
                    .ok_or_else(|| format!("the outcome of {user} has no intent before it"))?;
                if entry.outcome.is_some() {
                    return Err(format!("{user} has an outcome before it"));
                }
                entry.outcome = Some(outcome);
            }
            Line::Correction { user, outcome, found } => {
                if let Found::Boundary { arn: Some(arn) } = &found {
                    in_account(arn, &self.header)?;
                }
                let entry = self
                    .entry(&user, users)
                    .ok_or_else(|| format!("the correction of {user} has no intent before it"))?;
                if entry.correction.is_some() {
                    return Err(format!("{user} has a correction before it"));
                }
                let correction = correction_of(entry, outcome, found).ok_or_else(|| {
                    format!("the correction of {user} does not go with what stands before it")
                })?;
                entry.correction = Some(correction);
            }
            Line::End(end) => self.end = Some(end),
        }
        Ok(())
    }

    fn entry(
        &mut self,
        user: &PrincipalName,
        users: &HashMap<String, usize>,
    ) -> Option<&mut Entry> {
        let &at = users.get(&user.folded())?;
        self.entries.get_mut(at).filter(|entry| entry.change.user == *user)
    }

    fn change(
        &self,
        user: PrincipalName,
        action: &str,
        from: Option<PolicyArn>,
        to: Option<PolicyArn>,
        line: usize,
    ) -> Result<Change, String> {
        let word = action;
        let action = BoundaryChange::between(from.as_ref(), to.as_ref())
            .ok_or_else(|| format!("the change of {user} ends where it begins"))?;
        if action.word() != word {
            return Err(format!("the change of {user} is not the action that it is said to be"));
        }
        if line == 0 {
            return Err(format!("{user} stands nowhere in the file"));
        }
        [from, to].iter().flatten().try_for_each(|arn| in_account(arn, &self.header))?;
        Ok(Change { user, line, action, origin: None })
    }
}

fn header(line: &[u8], text: &[u8]) -> Result<Header, RunRecordError> {
    let damaged = |what: String| RunRecordError::Damaged { line: 1, what };
    let any: AnyHeader = serde_json::from_slice(line).map_err(|error| {
        let is_last = line.len() == text.len();
        let is_begun = line.is_empty() || line.starts_with(b"{");
        match error.classify() {
            serde_json::error::Category::Eof if is_last && is_begun => RunRecordError::Headless,
            _ if contains(line, FORMAT) => damaged(said(&error)),
            _ => RunRecordError::NotAJournal,
        }
    })?;
    if any.format.as_deref() != Some(FORMAT) {
        return Err(RunRecordError::NotAJournal);
    }
    let version = any.format_version.as_ref().and_then(Value::as_u64);
    if let Some(newer) = version.filter(|&version| version > FORMAT_VERSION.into()) {
        return Err(RunRecordError::Newer(newer));
    }
    let header: Header = serde_json::from_slice(line).map_err(|error| damaged(said(&error)))?;
    if header.format_version != FORMAT_VERSION {
        return Err(damaged(format!("there is no format version {}", header.format_version)));
    }
    let Header { version, caller, file, boundaries, .. } = &header;
    if ![version, caller, file].into_iter().all(|text| !text.is_empty() && is_printable(text)) {
        return Err(damaged("it has a text that cannot be shown".to_owned()));
    }
    for (name, arn) in boundaries {
        if !is_short_name(name) {
            return Err(damaged(format!("{name:?} cannot be a short name")));
        }
        in_account(arn, &header).map_err(damaged)?;
    }
    Ok(header)
}

fn parsed(line: &[u8]) -> Result<Line, String> {
    serde_json::from_slice(line).map_err(|error| said(&error))
}

fn in_account(arn: &PolicyArn, header: &Header) -> Result<(), String> {
    match arn.owner() {
        PolicyOwner::Account(account) if account != header.account => {
            Err(format!("{arn} is no policy of account {}", header.account))
        }
        _ if arn.partition() != header.partition => {
            Err(format!("{arn} is not of the partition {}", header.partition))
        }
        _ => Ok(()),
    }
}

/// The outcome, if its parts go together.
fn outcome_of(
    parts: (Outcome, u32, Option<bool>, Option<ApiError>),
    request_id: Option<String>,
) -> Option<CallOutcome> {
    if !request_id.as_deref().is_none_or(is_printable) {
        return None;
    }
    match parts {
        (Outcome::Applied, attempts @ 1.., None, None) => {
            Some(CallOutcome::Applied { attempts, request_id })
        }
        (Outcome::Failed, attempts @ 1.., Some(may_be_done), Some(error)) => {
            let texts = [&error.action[..], &error.code, &error.message];
            (texts.into_iter().all(is_printable) && error.request_id == request_id)
                .then_some(CallOutcome::Failed { attempts, error, may_be_done })
        }
        (Outcome::NotAttempted, 0, None, None) if request_id.is_none() => {
            Some(CallOutcome::NotAttempted)
        }
        _ => None,
    }
}

/// The correction, if it corrects what the entry says.
fn correction_of(entry: &Entry, class: Outcome, found: Found) -> Option<Correction> {
    let found = match found {
        Found::Boundary { arn } => Reading::Boundary(arn),
        Found::NoSuchUser => Reading::NoSuchUser { differs_by_case: None },
    };
    let to = entry.change.action.to();
    let is_as_written = matches!(&found, Reading::Boundary(arn) if arn.as_ref() == to);
    match (entry.outcome.as_ref()?, class, is_as_written) {
        (CallOutcome::Failed { .. }, Outcome::Applied, true)
        | (CallOutcome::Applied { .. }, Outcome::NotAsWritten, false) => {
            Some(Correction { class, found })
        }
        _ => None,
    }
}

fn contains(line: &[u8], word: &str) -> bool {
    line.windows(word.len()).take(200).any(|window| window == word.as_bytes())
}
