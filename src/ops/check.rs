use std::path::Path;

use super::error::Error;
use crate::config::Config;

/// Reads and checks a boundaries file, without AWS.
///
/// # Errors
/// [`Error::File`] with every error in the file.
pub fn check(file: &Path) -> Result<Config, Error> {
    Ok(Config::read(file)?)
}
