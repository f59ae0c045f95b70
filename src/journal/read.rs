use std::collections::HashMap;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::document::{
    EndDocument, FoundDocument, HeaderDocument, Line, ProvenanceDocument, SourceDocument,
};
use super::format::{FORMAT, FORMAT_VERSION};
use super::outcome::Outcome;
use super::record::{Correction, Entry, Found, Intent, RunRecord};
use super::version_1::{HeaderVersion1, LineVersion1};
use crate::config::Provenance;
use crate::files::{MaxSize, read_regular};
use crate::iam::{
    AccountId, BoundaryChange, Digest, ForeignEncoding, Partition, PolicyArn, PolicyOwner,
    Principal, PrincipalKind, Printable, is_printable, is_short_name, serde_message,
};
use crate::inventory::{ApiError, CallOutcome, ErrorClass};

/// Why a text is not a usable journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunRecordError {
    /// It is another document.
    #[error("it is not a journal")]
    NotAJournal,
    /// Its encoding is not UTF-8, or it begins with a byte order mark.
    #[error("{0}, and a journal is UTF-8 without a byte order mark")]
    Encoding(ForeignEncoding),
    /// It is empty, or ends within its first line. A run writes that line completely before its first change, but a copy can
    /// be incomplete.
    #[error("it is empty or truncated: its first line is not complete")]
    Headless,
    /// A later version of this tool wrote it.
    #[error(
        "it was written by a newer iam-boundaries: its format has version {0}, and this one reads up to \
         version {FORMAT_VERSION}"
    )]
    Newer(u64),
    /// No version of this tool wrote a format of this version.
    #[error(
        "its format has version {0}, and this iam-boundaries reads versions 1 to {FORMAT_VERSION}"
    )]
    Older(u64),
    /// A line is not one that a run writes, and it is not the incomplete end.
    #[error("it is damaged at line {line}: {what}")]
    Damaged {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// Why a file is not a usable journal.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// The file is not a usable journal.
    #[error(transparent)]
    NotUsable(#[from] RunRecordError),
}

/// The fields that every version of the format has.
#[derive(Deserialize)]
struct AnyHeader {
    format: Option<String>,
    format_version: Option<Value>,
}

impl RunRecord {
    /// Reads the journal in a regular file of at most [`MaxSize::RECORD`].
    ///
    /// # Errors
    /// [`ReadError`] if the file cannot be read, or is not a usable journal.
    pub fn read(path: &Path) -> Result<RunRecord, ReadError> {
        Ok(RunRecord::parse(&read_regular(path, MaxSize::RECORD)?)?)
    }

    /// Reads a journal. A crash can leave an incomplete line or zeros at its end: lines that are not valid
    /// are ignored if no valid line follows them. Such a journal has no [`End`](super::End).
    ///
    /// # Errors
    /// [`RunRecordError`] if it is not a journal, has an unsupported version, or is damaged.
    pub fn parse(text: &[u8]) -> Result<RunRecord, RunRecordError> {
        let mut lines = text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n');
        let first = lines.next().unwrap_or_default();
        let mut parser = Parser::new(header(first, text)?, text);
        let mut position = first.len() + 1;
        let mut numbered = (2..).zip(lines);
        while let Some((number, line)) = numbered.next() {
            let damaged = |what: String| RunRecordError::Damaged { line: number, what };
            let taken = match parser.parsed(line) {
                _ if parser.record.end.is_some() => Err("the run ended before it".to_owned()),
                Ok(line) => parser.take(number, line, &text[..position]),
                Err(_) if numbered.all(|(_, line)| parser.parsed(line).is_err()) => break,
                Err(what) => Err(what),
            };
            taken.map_err(damaged)?;
            position += line.len() + 1;
        }
        Ok(parser.record)
    }
}

/// A journal whose first line is read.
struct Parser {
    record: RunRecord,
    /// The version of the format.
    version: u32,
    /// The file of a journal of version 1, which does not name it on each line.
    file: Printable,
    /// The positions of the entries, by folded principal.
    positions: HashMap<(PrincipalKind, String), usize>,
}

impl Parser {
    fn new(header: HeaderDocument, text: &[u8]) -> Parser {
        let version = header.format_version;
        let file = match &header.source {
            SourceDocument::Files { files } => {
                files.first().cloned().unwrap_or_else(|| Printable::new(""))
            }
            SourceDocument::Rollback { journal } => journal.clone(),
        };
        let record = RunRecord {
            header: header.into_header(),
            entries: Vec::new(),
            end: None,
            digest: Digest::of(text),
        };
        Parser { record, version, file, positions: HashMap::new() }
    }

    fn parsed(&self, line: &[u8]) -> Result<Line, String> {
        if self.version == 1 {
            let line: Result<LineVersion1, _> = serde_json::from_slice(line);
            return line
                .map(|line| line.into_present(&self.file))
                .map_err(|error| serde_message(&error));
        }
        serde_json::from_slice(line).map_err(|error| serde_message(&error))
    }

    /// Takes the last line. `before` is all lines before it.
    fn end(&mut self, end: EndDocument, before: &[u8]) -> Result<(), String> {
        if self.version > 1 && end.lines != Some(Digest::of(before)) {
            return Err("the lines before it were changed after the run".to_owned());
        }
        let end = end.into_end();
        let RunRecord { header, entries, .. } = &self.record;
        let not_reached = header.changes - entries.len();
        let recorded = |outcome| self.record.count(outcome);
        let is_counted = end.applied == recorded(Outcome::Applied)
            && end.not_as_written == recorded(Outcome::NotAsWritten)
            && end.failed == recorded(Outcome::Failed)
            && end.not_attempted == recorded(Outcome::NotAttempted) + not_reached
            && self.record.unfinished().next().is_none();
        if !is_counted {
            return Err("its counts do not match the lines before it".to_owned());
        }
        self.record.end = Some(end);
        Ok(())
    }

    /// Takes the line with this number, from 1. `before` is all lines before it.
    fn take(&mut self, number: usize, line: Line, before: &[u8]) -> Result<(), String> {
        match line {
            Line::Intent { kind, name, unique_id, action, from, to, provenance, reason } => {
                let principal = Principal { kind, name };
                let boundary = self.boundary(&principal, &action, from.as_ref(), to.as_ref())?;
                let provenance = self.provenance(&principal, provenance)?;
                let changes = self.record.header.changes;
                if self.record.entries.len() == changes {
                    return Err(format!(
                        "it is intent {}, and the run had {changes} changes",
                        changes + 1
                    ));
                }
                let position = self.record.entries.len();
                if self.positions.insert(principal.folded(), position).is_some() {
                    return Err(format!("{principal} already has an intent"));
                }
                let intent = Intent { principal, unique_id, boundary, provenance, reason };
                let entry = Entry { intent, line: number, outcome: None, correction: None };
                self.record.entries.push(entry);
            }
            Line::Outcome { kind, name, outcome, attempts, request_id, may_be_done, error } => {
                let principal = Principal { kind, name };
                let parts = (outcome, attempts, may_be_done, error);
                let outcome = call_outcome(self.version, parts, request_id)
                    .ok_or_else(|| format!("the outcome of {principal} is not consistent"))?;
                let entry = self
                    .entry(&principal)
                    .ok_or_else(|| format!("the outcome of {principal} has no intent before it"))?;
                if entry.outcome.is_some() {
                    return Err(format!("{principal} already has an outcome"));
                }
                entry.outcome = Some(outcome);
            }
            Line::Correction { kind, name, outcome, found } => {
                let principal = Principal { kind, name };
                let found = match found {
                    FoundDocument::Boundary { arn } => Found::Boundary(arn),
                    FoundDocument::Recreated { unique_id, arn } => {
                        Found::Recreated { unique_id, boundary: arn }
                    }
                    FoundDocument::NotFound => Found::NotFound,
                };
                let entry = self.entry(&principal).ok_or_else(|| {
                    format!("the correction of {principal} has no intent before it")
                })?;
                if entry.correction.is_some() {
                    return Err(format!("{principal} already has a correction"));
                }
                let correction = correction(entry, outcome, found).ok_or_else(|| {
                    format!("the correction of {principal} contradicts the lines before it")
                })?;
                entry.correction = Some(correction);
            }
            Line::End(end) => self.end(end, before)?,
        }
        Ok(())
    }

    fn entry(&mut self, principal: &Principal) -> Option<&mut Entry> {
        let &at = self.positions.get(&principal.folded())?;
        self.record.entries.get_mut(at).filter(|entry| entry.intent.principal == *principal)
    }

    fn boundary(
        &self,
        principal: &Principal,
        word: &str,
        from: Option<&PolicyArn>,
        to: Option<&PolicyArn>,
    ) -> Result<BoundaryChange, String> {
        let boundary = BoundaryChange::between(from, to)
            .ok_or_else(|| format!("the change of {principal} changes nothing"))?;
        if boundary.word() != word {
            return Err(format!("the action of {principal} is {word:?}, and its change is not"));
        }
        // The present boundary is as IAM reported it. The run set only boundaries of the account.
        let header = &self.record.header;
        to.map_or(Ok(()), |arn| in_account(arn, header.account, header.partition))?;
        Ok(boundary)
    }

    /// Equal paths share one string, because thousands of lines have the same few paths.
    fn provenance(
        &mut self,
        principal: &Principal,
        document: ProvenanceDocument,
    ) -> Result<Provenance, String> {
        let mut provenance = document.into_provenance();
        if provenance.line == 0 || provenance.file.is_empty() {
            return Err(format!("the provenance of {principal} is not valid"));
        }
        if self.file != provenance.file {
            self.file = provenance.file;
        }
        provenance.file = self.file.clone();
        Ok(provenance)
    }
}

fn header(line: &[u8], text: &[u8]) -> Result<HeaderDocument, RunRecordError> {
    let damaged = |what: String| RunRecordError::Damaged { line: 1, what };
    if let Some(encoding) = ForeignEncoding::of(text) {
        return Err(RunRecordError::Encoding(encoding));
    }
    let any: AnyHeader = serde_json::from_slice(line).map_err(|error| {
        let is_last = line.len() == text.len();
        let is_begun = line.is_empty() || line.starts_with(b"{");
        match error.classify() {
            serde_json::error::Category::Eof if is_last && is_begun => RunRecordError::Headless,
            _ if contains(line, FORMAT) => damaged(serde_message(&error)),
            _ => RunRecordError::NotAJournal,
        }
    })?;
    if any.format.as_deref() != Some(FORMAT) {
        return Err(RunRecordError::NotAJournal);
    }
    let header: Result<HeaderDocument, _> =
        match any.format_version.as_ref().and_then(Value::as_u64) {
            Some(newer) if newer > FORMAT_VERSION.into() => {
                return Err(RunRecordError::Newer(newer));
            }
            Some(0) => return Err(RunRecordError::Older(0)),
            Some(1) => {
                serde_json::from_slice(line).map(|header: HeaderVersion1| header.into_present())
            }
            _ => serde_json::from_slice(line),
        };
    let header = header.map_err(|error| damaged(serde_message(&error)))?;
    let HeaderDocument { version, caller, source, boundaries, .. } = &header;
    let files = match source {
        SourceDocument::Files { files } => files.as_slice(),
        SourceDocument::Rollback { journal } => std::slice::from_ref(journal),
    };
    if files.is_empty() || [version, caller].into_iter().chain(files).any(|it| it.is_empty()) {
        return Err(damaged("it has a text that is empty".to_owned()));
    }
    for (name, arn) in boundaries {
        if !is_short_name(name) {
            return Err(damaged(format!("{name:?} is not a valid short name")));
        }
        in_account(arn, header.account, header.partition).map_err(damaged)?;
    }
    Ok(header)
}

fn in_account(arn: &PolicyArn, account: AccountId, partition: Partition) -> Result<(), String> {
    match arn.owner() {
        PolicyOwner::Account(owner) if owner != account => {
            Err(format!("{arn} is not a policy of account {account}"))
        }
        _ if arn.partition() != partition => {
            Err(format!("{arn} is not in the partition {partition}"))
        }
        _ => Ok(()),
    }
}

/// The outcome, if its parts are consistent.
fn call_outcome(
    version: u32,
    parts: (Outcome, u32, Option<bool>, Option<ApiError>),
    request_id: Option<Printable>,
) -> Option<CallOutcome> {
    match parts {
        (Outcome::Applied, attempts @ 1.., None, None) => {
            Some(CallOutcome::Applied { attempts, request_id })
        }
        (Outcome::Failed, attempts @ 1.., Some(may_be_done), Some(error)) => {
            is_of_call(&error, request_id.as_ref()).then_some(CallOutcome::Failed {
                attempts,
                error,
                may_be_done,
            })
        }
        // There were no usable credentials to send the request with. In version 1, such an attempt is counted.
        (Outcome::Failed, 0, Some(false), Some(error)) if version > 1 => {
            is_of_call(&error, request_id.as_ref()).then_some(CallOutcome::Failed {
                attempts: 0,
                error,
                may_be_done: false,
            })
        }
        (Outcome::NotAttempted, 0, None, None) if request_id.is_none() => {
            Some(CallOutcome::NotAttempted)
        }
        // In version 1, such a change has failed.
        (Outcome::NotAttempted, attempts @ 1.., None, Some(error)) if version > 1 => {
            (is_of_call(&error, request_id.as_ref())
                && error.class == ErrorClass::Throttled
                && !error.is_outcome_unknown())
            .then_some(CallOutcome::ThrottledUntilStop { attempts, error })
        }
        _ => None,
    }
}

/// Whether an error can be that of a request with this ID.
fn is_of_call(error: &ApiError, request_id: Option<&Printable>) -> bool {
    is_printable(&error.action) && error.request_id.as_ref() == request_id
}

/// The correction, if it says more than the entry's outcome.
fn correction(entry: &Entry, outcome: Outcome, found: Found) -> Option<Correction> {
    let is_as_written = match &found {
        Found::Boundary(arn) => arn.as_ref() == entry.intent.boundary.to(),
        Found::Recreated { unique_id, .. } if entry.intent.is_of_another(unique_id) => false,
        Found::Recreated { .. } => return None,
        Found::NotFound => false,
    };
    match (entry.outcome.as_ref()?, outcome, is_as_written) {
        (CallOutcome::Failed { .. }, Outcome::Applied, true)
        | (CallOutcome::Applied { .. }, Outcome::NotAsWritten, false)
        | (CallOutcome::Failed { may_be_done: true, .. }, Outcome::Failed, false) => {
            Some(Correction { outcome, found })
        }
        _ => None,
    }
}

fn contains(line: &[u8], word: &str) -> bool {
    line.windows(word.len()).take(200).any(|window| window == word.as_bytes())
}
