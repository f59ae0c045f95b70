use std::io;

use super::io_reason::io_reason;
use crate::plan::saved::SavedPlanError;

/// Why a saved plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadPlanError {
    /// The file cannot be read.
    #[error("{}", io_reason(.0))]
    Unreadable(#[from] io::Error),
    /// The file is not a usable plan.
    #[error(transparent)]
    NotUsable(#[from] SavedPlanError),
}

/// Why a plan cannot be saved.
#[derive(Debug, thiserror::Error)]
pub enum WritePlanError {
    /// The file cannot be written.
    #[error(transparent)]
    Unwritable(#[from] io::Error),
    /// Another file exists there, which a plan would replace.
    #[error("it already exists, and it is not a plan")]
    OtherFile,
    /// A directory or a device exists there.
    #[error("it is not a regular file")]
    NotAFile,
    /// The saved plan could not be read back, for example because the path of its file has characters that
    /// cannot be shown.
    #[error("the plan could not be read back: {0}")]
    NotReadable(SavedPlanError),
}
