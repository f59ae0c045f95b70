//! The saved plan: one JSON document that another machine reads and applies.
//!
//! `plan --format json` prints the document that `plan --out` writes. It contains no time and no property of the
//! machine: the same files and the same account give the same bytes.

mod blame;
mod check;
mod coverage;
mod document;
mod fleet;
mod format;
mod guard;
mod impact;
mod pinned;
mod principal;
mod problem;
mod provenance;
mod version_2;

pub use fleet::{fleet_schema, is_fleet_plan};
pub use format::{FLEET_FORMAT_VERSION, FORMAT_VERSION, is_plan_like};

use super::content::Plan;
use crate::iam::{Digest, ForeignEncoding, serde_message};
use document::{Document, Header};
use format::{EARLIEST_VERSION, FORMAT};
use version_2::DocumentVersion2;

/// Why a text is not a plan that can be shown or applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// It is another document.
    #[error("it is not a saved plan")]
    NotAPlan,
    /// Its encoding is not UTF-8, or it begins with a byte order mark.
    #[error("{0}, and a saved plan is UTF-8 without a byte order mark")]
    Encoding(ForeignEncoding),
    /// The end of the document is missing.
    #[error("it is truncated: the end of the plan is missing")]
    Truncated,
    /// A later version of this tool wrote it.
    #[error(
        "it was made by a newer iam-boundaries: its format has version {0}, and this one reads versions \
         {EARLIEST_VERSION} and {FORMAT_VERSION}"
    )]
    Newer(u64),
    /// An earlier version of this tool wrote it.
    #[error(
        "it was made by an older iam-boundaries: its format has version {0}, and this one reads versions \
         {EARLIEST_VERSION} and {FORMAT_VERSION}"
    )]
    Older(u64),
    /// Another version of this tool wrote it, and it is a fleet plan.
    #[error(
        "it was made by another iam-boundaries: its format has version {0}, and this one reads version \
         {FLEET_FORMAT_VERSION} of fleet plans"
    )]
    FleetVersion(u64),
    /// It does not have the form of a plan.
    #[error("it was changed after it was made: {0}")]
    Malformed(String),
    /// Its content does not match its digest.
    #[error(
        "it was changed after it was made: it states the digest {written}, but its content has the digest \
         {actual}"
    )]
    Edited {
        /// The digest of its content.
        actual: Digest,
        /// The digest that it states.
        written: Digest,
    },
    /// Its digest matches, but no plan has this content.
    #[error("it is not consistent: {0}")]
    Inconsistent(String),
}

impl Plan {
    /// The digest of the plan. A plan in an earlier version of the format keeps the digest under which it was
    /// reviewed.
    pub fn digest(&self) -> Digest {
        self.read_digest.unwrap_or_else(|| Document::of(self).digest)
    }

    /// The plan as a JSON document. The same plan gives the same bytes.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&Document::of(self))
            .expect("strings and numbers serialize to JSON");
        text.push('\n');
        text
    }

    /// Reads a plan from a document that [`Plan::to_json`] returned, or from one of an earlier version of the
    /// format. The layout of the JSON does not matter.
    ///
    /// # Errors
    /// [`SavedPlanError`] if the plan is incomplete, was changed or is not consistent.
    pub fn from_json(text: &[u8]) -> Result<Plan, SavedPlanError> {
        if let Some(encoding) = ForeignEncoding::of(text) {
            return Err(SavedPlanError::Encoding(encoding));
        }
        // First, only the fields that every version has.
        let header: Header = serde_json::from_slice(text).map_err(|error| {
            let is_begun = text.is_empty() || text.trim_ascii_start().starts_with(b"{");
            match error.classify() {
                serde_json::error::Category::Eof if is_begun => SavedPlanError::Truncated,
                _ if is_plan_like(text) => malformed(&error),
                _ => SavedPlanError::NotAPlan,
            }
        })?;
        if header.format.as_deref() != Some(FORMAT) {
            return Err(SavedPlanError::NotAPlan);
        }
        match header.version() {
            Some(newer) if newer > FORMAT_VERSION.into() => Err(SavedPlanError::Newer(newer)),
            Some(older) if older < EARLIEST_VERSION.into() => Err(SavedPlanError::Older(older)),
            Some(2) => {
                let document: DocumentVersion2 =
                    serde_json::from_slice(text).map_err(|error| malformed(&error))?;
                let written = document.digest;
                matches(document.content_digest(), written)?;
                let document = document.into_present().map_err(SavedPlanError::Inconsistent)?;
                let mut plan = check::plan(document).map_err(SavedPlanError::Inconsistent)?;
                plan.read_digest = Some(written);
                Ok(plan)
            }
            _ => {
                let document: Document =
                    serde_json::from_slice(text).map_err(|error| malformed(&error))?;
                matches(document.content_digest(), document.digest)?;
                check::plan(document).map_err(SavedPlanError::Inconsistent)
            }
        }
    }
}

/// The JSON Schema of the format, as `schema/plan.schema.json` has it.
pub fn schema() -> serde_json::Value {
    document::schema()
}

fn matches(actual: Digest, written: Digest) -> Result<(), SavedPlanError> {
    if actual == written { Ok(()) } else { Err(SavedPlanError::Edited { actual, written }) }
}

fn malformed(error: &serde_json::Error) -> SavedPlanError {
    let (line, column) = (error.line(), error.column());
    SavedPlanError::Malformed(format!("{} at line {line} column {column}", serde_message(error)))
}
