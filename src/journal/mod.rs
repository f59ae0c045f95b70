//! The journal of a run: what is about to be written, on disk before it is, and what became of it.
//!
//! JSON lines, as `docs/journal-format.md` documents them. The run appends with [`Journal`]; [`RunRecord`] is
//! what a journal says, also that of a run which was killed at any moment.

mod line;
mod read;
mod record;
mod write;

pub use line::{End, Header};
pub use read::{ReadError, RunRecordError};
pub use record::{Correction, Entry, RunRecord};
pub use write::{Journal, JournalError};

/// The version of the format that is written, and the newest that is read. Every change of the format
/// raises it: an older tool refuses what it cannot know all of.
pub const FORMAT_VERSION: u32 = 1;

const FORMAT: &str = "iam-boundaries/journal";
