use std::path::{Path, PathBuf};

use super::error::Error;
use crate::config::{Config, Fleet, FleetConfigs};
use crate::iam::AccountId;

/// Reads and checks boundaries files that are layered, without AWS. `account` is the only account that the files can be
/// for; `None` for any.
///
/// # Errors
/// [`Error::File`] with every error in the files, or [`Error::OtherAccount`].
pub fn check(files: &[PathBuf], account: Option<AccountId>) -> Result<Config, Error> {
    let config = Config::read(files)?;
    let named = config.account.as_ref().map(|it| it.value).or_else(|| config.policy_account());
    match (named, account) {
        (Some(named), Some(account)) if named != account => {
            Err(Error::OtherAccount { named, account })
        }
        _ => Ok(config),
    }
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
