//! The saved plan: one JSON document that another machine reads back and carries out.
//!
//! `plan --format json` prints the same document that `plan --out` writes. Nothing of the clock or the
//! machine is in it: the same file and the same account give the same bytes.

mod check;
mod document;
mod file;

pub(crate) use document::GuardDocument;
pub use file::{ReadError, WriteError, read, write};

use super::Plan;
use crate::aws::printable;
use crate::iam::Digest;
use document::{Document, FORMAT, Header};

/// The version of the format that is written, and the only one that is read. Every change of the format
/// raises it: an older tool refuses what it cannot know all of.
pub const FORMAT_VERSION: u32 = 2;

/// Why a text is no plan that can be shown or carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// It is something else.
    #[error("it is not a saved plan")]
    NotAPlan,
    /// It ends before the document does.
    #[error("it is cut short: the end of the plan is missing")]
    Truncated,
    /// A later version of this tool wrote it.
    #[error(
        "it was made by a newer iam-boundaries: its format has version {0}, and this one reads \
         version {FORMAT_VERSION}"
    )]
    Newer(u64),
    /// An earlier version of this tool wrote it.
    #[error(
        "it was made by an older iam-boundaries: its format has version {0}, and this one reads version \
         {FORMAT_VERSION}"
    )]
    Older(u64),
    /// It is not as a plan is written.
    #[error("it was changed after it was made: {0}")]
    Malformed(String),
    /// It says other things than its digest is of.
    #[error(
        "it was changed after it was made: its content has the digest {actual}, and it says {written}"
    )]
    Edited {
        /// The digest that it should have.
        actual: Digest,
        /// The digest that stands in it.
        written: Digest,
    },
    /// Its digest is right, but no plan can say this.
    #[error("no plan says this: {0}")]
    Inconsistent(String),
}

impl Plan {
    /// The digest of everything in the plan.
    pub fn digest(&self) -> Digest {
        Document::of(self).digest
    }

    /// The plan as one JSON document, the same bytes for the same plan.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&Document::of(self))
            .expect("a document of strings and numbers is JSON");
        text.push('\n');
        text
    }

    /// Reads a plan back from what [`Plan::to_json`] gave, however its JSON is laid out.
    ///
    /// # Errors
    /// [`SavedPlanError`] unless it is whole, unchanged, and makes sense.
    pub fn from_json(text: &[u8]) -> Result<Plan, SavedPlanError> {
        // First only what tells whether it is a plan at all, and one of ours to read.
        let header: Header = serde_json::from_slice(text).map_err(|error| {
            let is_begun = text.is_empty() || text.trim_ascii_start().starts_with(b"{");
            match error.classify() {
                serde_json::error::Category::Eof if is_begun => SavedPlanError::Truncated,
                _ if Header::is_in(text) => malformed(&error),
                _ => SavedPlanError::NotAPlan,
            }
        })?;
        if header.format.as_deref() != Some(FORMAT) {
            return Err(SavedPlanError::NotAPlan);
        }
        match header.version() {
            Some(newer) if newer > FORMAT_VERSION.into() => {
                return Err(SavedPlanError::Newer(newer));
            }
            Some(older @ 1..) if older < FORMAT_VERSION.into() => {
                return Err(SavedPlanError::Older(older));
            }
            _ => {}
        }
        let document: Document = serde_json::from_slice(text).map_err(|error| malformed(&error))?;
        let (actual, written) = (document.content_digest(), document.digest);
        if actual != written {
            return Err(SavedPlanError::Edited { actual, written });
        }
        check::plan(document).map_err(SavedPlanError::Inconsistent)
    }
}

fn malformed(error: &serde_json::Error) -> SavedPlanError {
    let (line, column) = (error.line(), error.column());
    SavedPlanError::Malformed(format!("{} at line {line} column {column}", said(error)))
}

/// What serde says, without its place, and with nothing of the input in it that a terminal would obey.
pub(crate) fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
    // It quotes what it found, which can be of any length.
    printable(&what.chars().take(300).collect::<String>())
}

/// The JSON Schema of the format, as `schema/plan.schema.json` has it.
pub fn schema() -> serde_json::Value {
    document::schema()
}
