use std::path::{Path, PathBuf};

use super::error::Error;
use crate::config::{Config, Fleet, FleetConfigs};

/// Reads and checks boundaries files that are layered, without AWS.
///
/// # Errors
/// [`Error::File`] with every error in the files.
pub fn check(files: &[PathBuf]) -> Result<Config, Error> {
    Ok(Config::read(files)?)
}

/// Reads and checks a fleet file, and the boundaries files that it names, without AWS.
///
/// # Errors
/// [`Error::File`] with every error in the files.
pub fn check_fleet(path: &Path) -> Result<(Fleet, FleetConfigs), Error> {
    let fleet = Fleet::read(path)?;
    let configs = fleet.load()?;
    Ok((fleet, configs))
}
