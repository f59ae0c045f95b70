//! The journal of a run: a record on disk of each change before it is made, and of its outcome.
//!
//! `docs/journal-format.md` documents the JSON lines. A run appends with [`Journal`]. [`RunRecord`] is the
//! content of a journal, including that of a run that was killed.

mod document;
mod fleet;
mod format;
mod outcome;
mod read;
mod record;
mod version_1;
mod write;

pub use fleet::{FleetRecord, FleetRecordAccount, FleetRecordError, FleetRecordState};
pub use format::{EXTENSION, FORMAT_VERSION};
pub use outcome::Outcome;
pub use read::{ReadError, RunRecordError};
pub use record::{Correction, End, Entry, Found, Header, Intent, RunRecord, RunSource};
pub use write::{Journal, JournalError, Loss};
