//! The journal of a run: each change before it is made, on disk, and how it ended.
//!
//! JSON lines, as `docs/journal-format.md` documents them. A run appends with [`Journal`]. [`RunRecord`] is
//! the content of a journal, also of a run that was killed at any moment.

mod document;
mod format;
mod outcome;
mod read;
mod record;
mod version_1;
mod write;

pub use format::FORMAT_VERSION;
pub use outcome::Outcome;
pub use read::{ReadError, RunRecordError};
pub use record::{Correction, End, Entry, Found, Header, Intent, RunRecord, RunSource};
pub use write::{Journal, JournalError, sync_parent_directory};
