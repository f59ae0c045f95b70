use std::path::PathBuf;

use super::error::Error;
use crate::config::Config;

/// Reads and checks boundaries files that are layered, without AWS.
///
/// # Errors
/// [`Error::File`] with every error in the files.
pub fn check(files: &[PathBuf]) -> Result<Config, Error> {
    Ok(Config::read(files)?)
}
