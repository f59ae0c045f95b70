//! The journal of a run: each change before it is made, on disk, and how it ended.
//!
//! JSON lines, as `docs/journal-format.md` documents them. A run appends with [`Journal`]. [`RunRecord`] is
//! the content of a journal, also of a run that was killed at any moment.

mod document;
mod outcome;
mod read;
mod record;
mod version_1;
mod write;

pub use outcome::Outcome;
pub use read::{ReadError, RunRecordError};
pub use record::{Correction, End, Entry, Found, Header, Intent, RunRecord, RunSource};
pub use write::{Journal, JournalError, sync_parent_directory};

/// The version of the format that is written. Earlier versions are read, too. Every change of the format
/// raises it, so an older tool rejects what it does not know.
pub const FORMAT_VERSION: u32 = 2;

const FORMAT: &str = "iam-boundaries/journal";
