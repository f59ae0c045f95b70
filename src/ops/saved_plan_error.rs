use std::io;

use super::io_reason::io_reason;
use crate::files::write_reason;
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
    #[error("{}", write_reason(.0))]
    Unwritable(#[from] io::Error),
    /// The file exists and is not a saved plan.
    #[error("the file already exists and is not a saved plan")]
    OtherFile,
    /// The path is a directory or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// The plan cannot be read again, for example because the path of its file has control characters.
    #[error("the plan would not be readable: {0}")]
    NotReadable(SavedPlanError),
}
