use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::document::Header;
use super::{Plan, SavedPlanError};
use crate::whole_file;

/// Why a plan cannot be had from a file.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// What is in it is no plan.
    #[error(transparent)]
    NoPlan(#[from] SavedPlanError),
}

/// Why a plan cannot be saved in a file.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file cannot be written.
    #[error(transparent)]
    Unwritable(#[from] io::Error),
    /// Another file is there, which a plan would destroy.
    #[error("it is there already, and it is not a plan")]
    OtherFile,
    /// A directory or a device is there.
    #[error("it is not a file")]
    NotAFile,
    /// Nobody could read the plan back: the file's path, for one, has characters that cannot be shown.
    #[error("the plan could not be read back: {0}")]
    NotReadable(SavedPlanError),
}

/// Reads a saved plan; `-` is standard input.
///
/// # Errors
/// [`ReadError`] when there is none, or it is not whole and unchanged.
pub fn read(path: &Path) -> Result<Plan, ReadError> {
    let text = if path.as_os_str() == "-" {
        let mut text = Vec::new();
        io::stdin().lock().read_to_end(&mut text)?;
        text
    } else {
        fs::read(path)?
    };
    Ok(Plan::from_json(&text)?)
}

/// Saves a plan, whole or not at all. An earlier plan in its place is replaced; any other file is not.
///
/// # Errors
/// [`WriteError`]: then what was there is there still.
pub fn write(plan: &Plan, path: &Path) -> Result<(), WriteError> {
    let text = plan.to_json();
    Plan::from_json(text.as_bytes()).map_err(WriteError::NotReadable)?;
    let path = replaceable(path)?;
    let file = whole_file::beside(&path, &text)?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Where to write: the file itself where `path` is a link to it.
fn replaceable(path: &Path) -> Result<PathBuf, WriteError> {
    let there = match fs::metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path.to_owned()),
        Err(error) => return Err(error.into()),
    };
    if !there.is_file() {
        return Err(WriteError::NotAFile);
    }
    let mut head = Vec::new();
    fs::File::open(path)?.take(1_000).read_to_end(&mut head)?;
    if head.is_empty() || Header::is_in(&head) {
        Ok(fs::canonicalize(path)?)
    } else {
        Err(WriteError::OtherFile)
    }
}
