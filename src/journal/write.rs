use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use tokio::sync::{oneshot, watch};

use super::document::{HeaderDocument, Line, written};
use super::record::{Correction, End, Header, Intent};
use crate::files::{sync_parent_directory, write_reason};
use crate::iam::{DigestBuilder, Principal, Printable};
use crate::inventory::CallOutcome;

/// The journal of a run in progress.
///
/// One thread writes it. The thread takes all lines that are queued, writes them together, and syncs the file
/// once for all of them. It is not one of the runtime's threads for blocking work: it lasts as long as the
/// run, and no other work may delay it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    queue: mpsc::Sender<Queued>,
    failure: watch::Receiver<Option<JournalError>>,
}

/// Why a journal cannot be created or continued. After a failure, nothing more is written: the last line may
/// be incomplete.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// A file with this name exists. A journal never replaces a file.
    #[error("the journal {} already exists, and was left unchanged", Printable::path(.0))]
    Exists(PathBuf),
    /// During the run, something else removed, replaced or changed the file: it does not record the run.
    #[error("the journal {} {what} during the run", Printable::path(path))]
    Lost {
        /// The journal.
        path: PathBuf,
        /// What happened to it.
        what: Loss,
    },
    /// The file cannot be created or written.
    #[error("the journal {} cannot be written: {}", Printable::path(path), write_reason(error))]
    Unwritable {
        /// The journal.
        path: PathBuf,
        /// The system's reason.
        error: Arc<io::Error>,
    },
}

/// What happened to a journal during its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// No file is at its path.
    #[error("was removed")]
    Removed,
    /// Another file is at its path.
    #[error("was replaced by another file")]
    Replaced,
    /// Its size is not what the run wrote.
    #[error("was changed by another process ({found} bytes instead of {written})")]
    Resized {
        /// What the run wrote, in bytes.
        written: u64,
        /// The size of the file, in bytes.
        found: u64,
    },
}

/// A line to write.
struct Queued {
    record: QueuedRecord,
    /// Receives a message when the line is on disk. Outcomes have none: they are synced with the next intent.
    is_on_disk: Option<oneshot::Sender<()>>,
}

enum QueuedRecord {
    Line(Line),
    /// The last line. Only the thread knows the digest of the lines before it.
    End(End),
}

impl Journal {
    /// Creates a journal in a new file that only its owner can read. The first line is on disk when this
    /// returns.
    ///
    /// # Errors
    /// If a file with this name exists, or no file can be created.
    pub fn create(path: &Path, header: &Header) -> Result<Journal, JournalError> {
        let unwritable = |error| JournalError::unwritable(path, error);
        let mut options = OpenOptions::new();
        // Lines are appended, wherever the file ends: nothing overwrites what another process did to it.
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => JournalError::Exists(path.to_owned()),
            _ => unwritable(error),
        })?;
        let remove = |error| {
            // A file without a complete first line is useless, and would prevent another attempt.
            let _ = fs::remove_file(path);
            unwritable(error)
        };
        let first = written(&HeaderDocument::of(header));
        write_first(&mut file, path, &first).map_err(remove)?;
        let mut digest = DigestBuilder::default();
        digest.update(&first);
        let (queue, queued) = mpsc::channel();
        let (failed, failure) = watch::channel(None);
        let written = first.len() as u64;
        let writer = WriterThread { file, path: path.to_owned(), digest, written, failed };
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.write(&queued))
            .map_err(remove)?;
        Ok(Journal { path: path.to_owned(), queue, failure })
    }

    /// The path of the journal.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records that a change is about to be made. When this returns, the record is on disk, and the change
    /// may be made.
    ///
    /// # Errors
    /// If the record is not on disk. Then the change must not be made.
    pub async fn record_intent(&self, intent: &Intent) -> Result<(), JournalError> {
        self.write_to_disk(QueuedRecord::Line(Line::intent(intent))).await
    }

    /// Records how a change ended, without waiting for the disk. [`Journal::wait_for_failure`] and the next
    /// intent report a failure to write.
    pub fn record_outcome(&self, principal: &Principal, outcome: &CallOutcome) {
        self.queue(QueuedRecord::Line(Line::outcome(principal, outcome)), None);
    }

    /// Records what verification showed, without waiting for the disk.
    pub fn record_correction(&self, principal: &Principal, correction: &Correction) {
        self.queue(QueuedRecord::Line(Line::correction(principal, correction)), None);
    }

    /// Waits until the journal cannot be written. Waits forever if that does not happen.
    pub async fn wait_for_failure(&self) -> JournalError {
        let mut failure = self.failure.clone();
        match failure.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(error)) => error.clone(),
            // The thread ended without a failure.
            _ => std::future::pending().await,
        }
    }

    /// Records how the run ended. When this returns, the whole journal is on disk.
    ///
    /// # Errors
    /// If the journal is not on disk, or the file at its path is not what the run wrote.
    pub async fn finish(self, end: &End) -> Result<(), JournalError> {
        self.write_to_disk(QueuedRecord::End(end.clone())).await
    }

    async fn write_to_disk(&self, record: QueuedRecord) -> Result<(), JournalError> {
        let (is_on_disk, written) = oneshot::channel();
        self.queue(record, Some(is_on_disk));
        written.await.map_err(|_| self.failure())
    }

    /// After a failure, the thread is gone: the record is dropped, and its sender with it.
    fn queue(&self, record: QueuedRecord, is_on_disk: Option<oneshot::Sender<()>>) {
        let _ = self.queue.send(Queued { record, is_on_disk });
    }

    fn failure(&self) -> JournalError {
        let failure = self.failure.borrow().clone();
        failure.unwrap_or_else(|| {
            JournalError::unwritable(&self.path, io::Error::other("the writer thread ended"))
        })
    }
}

impl JournalError {
    fn unwritable(path: &Path, error: io::Error) -> JournalError {
        JournalError::Unwritable { path: path.to_owned(), error: Arc::new(error) }
    }
}

/// Writes the first line and the directory entry of the file to disk.
fn write_first(file: &mut File, path: &Path, line: &str) -> io::Result<()> {
    file.write_all(line.as_bytes())?;
    file.sync_all()?;
    sync_parent_directory(path)
}

struct WriterThread {
    file: File,
    path: PathBuf,
    /// Of the lines so far.
    digest: DigestBuilder,
    /// The size of the lines so far, in bytes.
    written: u64,
    failed: watch::Sender<Option<JournalError>>,
}

impl WriterThread {
    /// Writes until the journal is dropped, or until the first failure.
    fn write(mut self, queued: &mpsc::Receiver<Queued>) {
        while let Ok(first) = queued.recv() {
            let mut text = String::new();
            let mut waiting = Vec::new();
            let mut is_end = false;
            for Queued { record, is_on_disk } in std::iter::once(first).chain(queued.try_iter()) {
                text.push_str(&self.line(&record));
                is_end |= matches!(record, QueuedRecord::End(_));
                waiting.extend(is_on_disk);
            }
            let written = match self.append(&text, !waiting.is_empty()) {
                Ok(()) if is_end => self.check(),
                Ok(()) => Ok(()),
                Err(error) => Err(JournalError::unwritable(&self.path, error)),
            };
            if let Err(error) = written {
                // Before `waiting` is dropped: its receivers then ask for the failure.
                self.failed.send_replace(Some(error));
                return;
            }
            for is_on_disk in waiting {
                // The receiver can be gone: a run that was stopped no longer waits.
                let _ = is_on_disk.send(());
            }
        }
    }

    fn line(&mut self, record: &QueuedRecord) -> String {
        let line = match record {
            QueuedRecord::Line(line) => written(line),
            QueuedRecord::End(end) => written(&Line::end(end, self.digest.digest())),
        };
        self.digest.update(&line);
        line
    }

    fn append(&mut self, text: &str, sync: bool) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.written += text.len() as u64;
        if sync { self.file.sync_data() } else { Ok(()) }
    }

    /// Checks that the file at the path is this journal, with all of its lines.
    fn check(&self) -> Result<(), JournalError> {
        let unwritable = |error| JournalError::unwritable(&self.path, error);
        let lost = |what| Err(JournalError::Lost { path: self.path.clone(), what });
        let own = self.file.metadata().map_err(unwritable)?;
        let at_path = match self.path.symlink_metadata() {
            Ok(at_path) => at_path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return lost(Loss::Removed),
            Err(error) => return Err(unwritable(error)),
        };
        if !is_same_file(&own, &at_path) {
            return lost(Loss::Replaced);
        }
        let (written, found) = (self.written, own.len());
        if written == found { Ok(()) } else { lost(Loss::Resized { written, found }) }
    }
}

#[cfg(unix)]
fn is_same_file(own: &fs::Metadata, at_path: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (own.dev(), own.ino()) == (at_path.dev(), at_path.ino())
}

#[cfg(not(unix))]
fn is_same_file(own: &fs::Metadata, at_path: &fs::Metadata) -> bool {
    at_path.is_file() && own.len() == at_path.len()
}
