use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::saved_plan_error::{ReadPlanError, WritePlanError};
use crate::plan::Plan;
use crate::plan::saved::is_plan_like;
use crate::state::{OnExisting, write_atomically};

/// Reads a saved plan; `-` is standard input.
///
/// # Errors
/// [`Error::ReadPlan`] if the plan does not exist, is incomplete or was changed.
pub fn read_plan(path: &Path) -> Result<Plan, Error> {
    let is_standard_input = path.as_os_str() == "-";
    let read = || -> Result<Plan, ReadPlanError> {
        let text = if is_standard_input {
            let mut text = Vec::new();
            io::stdin().lock().read_to_end(&mut text)?;
            text
        } else {
            fs::read(path)?
        };
        Ok(Plan::from_json(&text)?)
    };
    read().map_err(|source| {
        let path = if is_standard_input { "standard input".into() } else { path.to_string_lossy() };
        Error::ReadPlan { path: path.into_owned(), source }
    })
}

/// Saves a plan atomically. An earlier plan at the path is replaced; any other file is not.
///
/// # Errors
/// [`Error::WritePlan`]. Then an existing file is unchanged.
pub fn write_plan(plan: &Plan, path: &Path) -> Result<(), Error> {
    let write = || -> Result<(), WritePlanError> {
        let text = plan.to_json();
        Plan::from_json(text.as_bytes()).map_err(WritePlanError::NotReadable)?;
        Ok(write_atomically(&replaceable(path)?, &text, OnExisting::Replace)?)
    };
    write().map_err(|source| Error::WritePlan { path: path.to_owned(), source })
}

/// The file to write: the target, where `path` is a symbolic link.
fn replaceable(path: &Path) -> Result<PathBuf, WritePlanError> {
    let existing = match fs::metadata(path) {
        Ok(existing) => existing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path.to_owned()),
        Err(error) => return Err(error.into()),
    };
    if !existing.is_file() {
        return Err(WritePlanError::NotAFile);
    }
    let mut head = Vec::new();
    fs::File::open(path)?.take(1_000).read_to_end(&mut head)?;
    if head.is_empty() || is_plan_like(&head) {
        Ok(fs::canonicalize(path)?)
    } else {
        Err(WritePlanError::OtherFile)
    }
}
