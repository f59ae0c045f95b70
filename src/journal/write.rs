use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use tokio::sync::{oneshot, watch};

use super::document::{HeaderDocument, Line, written};
use super::record::{Correction, End, Header, Intent};
use crate::iam::Principal;
use crate::inventory::CallOutcome;

/// The journal of the run that is under way.
///
/// One thread writes it: it takes all lines that are waiting, writes them at once, and syncs once for all
/// of them. It is a thread of its own, and not one of the runtime's for blocking work, because it lasts as
/// long as the run, and nothing else may be in front of it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    queue: mpsc::Sender<Queued>,
    failure: watch::Receiver<Option<JournalError>>,
}

/// Why a journal cannot be begun, or goes no further. Once it has failed, it fails for good: a line that
/// may be torn is the last one.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// A file of that name is there, and journals are never overwritten.
    #[error("the journal {} already exists, and was left unchanged", .0.display())]
    Exists(PathBuf),
    /// The file cannot be made or written.
    #[error("the journal {} cannot be written: {error}", path.display())]
    Unwritable {
        /// The journal.
        path: PathBuf,
        /// The system's reason.
        error: Arc<io::Error>,
    },
}

/// Lines on their way to the disk.
struct Queued {
    text: String,
    /// Is told when they are on the disk. Nobody waits for an outcome: it goes with the next sync.
    durable: Option<oneshot::Sender<()>>,
}

impl Journal {
    /// Begins a journal in a new file, for its owner alone. It is on the disk when this returns.
    ///
    /// # Errors
    /// When there is a file of that name, or none can be made there.
    pub fn create(path: &Path, header: &Header) -> Result<Journal, JournalError> {
        let unwritable = |error| JournalError::unwritable(path, error);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => JournalError::Exists(path.to_owned()),
            _ => unwritable(error),
        })?;
        if let Err(error) = begin(&mut file, path, header) {
            // What has no whole first line says nothing, and would be in the way of the next try.
            let _ = fs::remove_file(path);
            return Err(unwritable(error));
        }
        let (queue, queued) = mpsc::channel();
        let (failed, failure) = watch::channel(None);
        let writer = WriterThread { file, path: path.to_owned(), failed };
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.write(&queued))
            .map_err(|error| {
                let _ = fs::remove_file(path);
                unwritable(error)
            })?;
        Ok(Journal { path: path.to_owned(), queue, failure })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records that a change is about to be made. When this returns, the record is on disk, and the change
    /// may be made.
    ///
    /// # Errors
    /// When the record is not on disk: then the change must not be made.
    pub async fn intend(&self, intent: &Intent) -> Result<(), JournalError> {
        self.durably(written(&Line::intent(intent))).await
    }

    /// Records how a change ended, without waiting for the disk. A failure to write is reported by
    /// [`Journal::failed`] and by the next record.
    pub fn ended(&self, principal: &Principal, outcome: &CallOutcome) {
        self.queue(written(&Line::outcome(principal, outcome)), None);
    }

    /// Records what verification showed, without waiting for the disk.
    pub fn corrected(&self, principal: &Principal, correction: &Correction) {
        self.queue(written(&Line::correction(principal, correction)), None);
    }

    /// Waits until the journal has failed, if it ever does.
    pub async fn failed(&self) -> JournalError {
        let mut failure = self.failure.clone();
        match failure.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(error)) => error.clone(),
            // The thread has ended without a failure: there is nothing to wait for.
            _ => std::future::pending().await,
        }
    }

    /// Writes down how the run ended. When this returns, the whole journal is on the disk.
    ///
    /// # Errors
    /// When it is not.
    pub async fn finish(self, end: &End) -> Result<(), JournalError> {
        self.durably(written(&Line::end(end))).await
    }

    async fn durably(&self, text: String) -> Result<(), JournalError> {
        let (durable, is_durable) = oneshot::channel();
        self.queue(text, Some(durable));
        is_durable.await.map_err(|_| self.failure())
    }

    /// What the thread no longer takes, because it has failed, is dropped, and with it who waits for it.
    fn queue(&self, text: String, durable: Option<oneshot::Sender<()>>) {
        let _ = self.queue.send(Queued { text, durable });
    }

    fn failure(&self) -> JournalError {
        let failure = self.failure.borrow().clone();
        failure.unwrap_or_else(|| {
            JournalError::unwritable(&self.path, io::Error::other("its thread is gone"))
        })
    }
}

impl JournalError {
    fn unwritable(path: &Path, error: io::Error) -> JournalError {
        JournalError::Unwritable { path: path.to_owned(), error: Arc::new(error) }
    }
}

/// The first line is on the disk, and so is the folder's entry of the file.
fn begin(file: &mut File, path: &Path, header: &Header) -> io::Result<()> {
    file.write_all(written(&HeaderDocument::of(header)).as_bytes())?;
    file.sync_all()?;
    sync_parent_directory(path)
}

/// Writes the directory entry of a file that was just created or renamed to disk, where the system can. A
/// complete file may otherwise be missing after a crash.
///
/// # Errors
/// When the directory cannot be synced.
pub fn sync_parent_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

struct WriterThread {
    file: File,
    path: PathBuf,
    failed: watch::Sender<Option<JournalError>>,
}

impl WriterThread {
    /// Ends when the journal is dropped, or at the first failure.
    fn write(mut self, queued: &mpsc::Receiver<Queued>) {
        while let Ok(first) = queued.recv() {
            let mut text = first.text;
            let mut waiting: Vec<_> = first.durable.into_iter().collect();
            for more in queued.try_iter() {
                text.push_str(&more.text);
                waiting.extend(more.durable);
            }
            if let Err(error) = self.append(&text, !waiting.is_empty()) {
                // Before those who wait are let go: they ask why.
                self.failed.send_replace(Some(JournalError::unwritable(&self.path, error)));
                return;
            }
            for durable in waiting {
                // Whoever no longer waits does not care.
                let _ = durable.send(());
            }
        }
    }

    fn append(&mut self, text: &str, durably: bool) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        if durably { self.file.sync_data() } else { Ok(()) }
    }
}
