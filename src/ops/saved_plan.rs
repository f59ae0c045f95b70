use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::saved_plan_error::{ReadPlanError, WritePlanError};
use crate::files::{MaxSize, STANDARD_INPUT, is_standard_input, read_input};
use crate::iam::Printable;
use crate::plan::Plan;
use crate::plan::saved::is_plan_like;
use crate::state::{OnExisting, existing_target, write_atomically};

/// Reads a saved plan; `-` is standard input.
///
/// # Errors
/// [`Error::ReadPlan`] if the plan does not exist, is incomplete or was changed.
pub fn read_plan(path: &Path) -> Result<Plan, Error> {
    let read = || -> Result<Plan, ReadPlanError> {
        Ok(Plan::from_json(&read_input(path, MaxSize::RECORD)?)?)
    };
    read().map_err(|source| {
        let path = match is_standard_input(path) {
            true => Printable::new(STANDARD_INPUT),
            false => Printable::path(path),
        };
        Error::ReadPlan { path, source }
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
    let target = existing_target(path).map_err(|error| match error.kind() {
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => WritePlanError::NotAFile,
        _ => error.into(),
    })?;
    let Some(target) = target else { return Ok(path.to_owned()) };
    let mut head = Vec::new();
    fs::File::open(&target)?.take(1_000).read_to_end(&mut head)?;
    if head.is_empty() || is_plan_like(&head) { Ok(target) } else { Err(WritePlanError::OtherFile) }
}
