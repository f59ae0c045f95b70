use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::saved_plan_error::{ReadPlanError, WritePlanError};
use crate::files::{MaxSize, STANDARD_INPUT, is_standard_input, read_input};
use crate::iam::Printable;
use crate::plan::saved::{SavedPlanError, is_fleet_plan, is_plan_like};
use crate::plan::{FleetPlan, Plan};
use crate::state::{OnExisting, existing_target, write_atomically};

/// A saved plan: of an account, or of a fleet.
#[derive(Debug)]
pub enum SavedPlan {
    /// The plan of an account.
    Account(Box<Plan>),
    /// The plans of a fleet.
    Fleet(Box<FleetPlan>),
}

/// Reads a saved plan; `-` is standard input.
///
/// # Errors
/// [`Error::ReadPlan`] if the plan does not exist, is incomplete or was changed.
pub fn read_plan(path: &Path) -> Result<SavedPlan, Error> {
    let read = || -> Result<SavedPlan, ReadPlanError> {
        let text = read_input(path, MaxSize::FLEET_PLAN)?;
        Ok(match is_fleet_plan(&text) {
            true => SavedPlan::Fleet(Box::new(FleetPlan::from_json(&text)?)),
            false => SavedPlan::Account(Box::new(Plan::from_json(&text)?)),
        })
    };
    read().map_err(|source| Error::ReadPlan { path: written_input(path), source })
}

/// The path of an input, or `standard input`.
pub(super) fn written_input(path: &Path) -> Printable {
    match is_standard_input(path) {
        true => Printable::new(STANDARD_INPUT),
        false => Printable::path(path),
    }
}

/// Saves a plan atomically. An earlier plan at the path is replaced; any other file is not.
///
/// # Errors
/// [`Error::WritePlan`]. Then an existing file is unchanged.
pub fn write_plan(plan: &Plan, path: &Path) -> Result<(), Error> {
    write(path, &plan.to_json(), |text| Plan::from_json(text).map(drop))
}

/// Saves the plans of a fleet, like [`write_plan`].
///
/// # Errors
/// [`Error::WritePlan`]. Then an existing file is unchanged.
pub fn write_fleet_plan(plan: &FleetPlan, path: &Path) -> Result<(), Error> {
    write(path, &plan.to_json(), |text| FleetPlan::from_json(text).map(drop))
}

fn write(
    path: &Path,
    text: &str,
    check: impl Fn(&[u8]) -> Result<(), SavedPlanError>,
) -> Result<(), Error> {
    let write = || -> Result<(), WritePlanError> {
        check(text.as_bytes()).map_err(WritePlanError::NotReadable)?;
        Ok(write_atomically(&replaceable(path)?, text, OnExisting::Replace)?)
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
