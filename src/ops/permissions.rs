use std::path::{Path, PathBuf};

use super::check::check_fleet;
use super::error::Error;
use crate::config::Config;
use crate::iam::{AccountId, Partition, RoleRef};
use crate::permissions::{
    Fitted, FleetPolicies, FleetScope, Place, Purpose, account_policy, fleet_policies,
};

/// Options of [`permissions`].
#[derive(Debug, Clone)]
pub struct PermissionsOptions {
    /// The boundaries files, each layered over those before it: at least one.
    pub files: Vec<PathBuf>,
    /// The account, if the files do not name it.
    pub account: Option<AccountId>,
    /// The partition, if the files have no ARN. Without both, it is `aws`.
    pub partition: Option<Partition>,
    /// What the policy is for.
    pub purpose: Purpose,
}

/// The least policy for boundaries files.
#[derive(Debug)]
pub struct Permissions {
    /// The policy.
    pub fitted: Fitted,
    /// The role in the files, which needs the policy. The credentials that assume it need `sts:AssumeRole` for it.
    pub role: Option<RoleRef>,
}

/// Makes the least policy for boundaries files, without AWS.
///
/// # Errors
/// If the files have errors or name another account, or the policy would be empty or too long.
pub fn permissions(options: &PermissionsOptions) -> Result<Permissions, Error> {
    let config = Config::read(&options.files)?;
    let named = config.account.as_ref().map(|it| it.value).or_else(|| config.policy_account());
    if let (Some(named), Some(account)) = (named, options.account)
        && named != account
    {
        return Err(Error::OtherAccount { named, account });
    }
    let partition = config.partition().or(options.partition).unwrap_or(Partition::Aws);
    let place = Place { partition, account: named.or(options.account) };
    let fitted = account_policy(&[&config], place, false, &options.purpose)?;
    match fitted.document.is_empty() {
        true => Err(Error::NoPermissions),
        false => {
            let role = config.assume_role.map(|it| it.role);
            Ok(Permissions { fitted, role })
        }
    }
}

/// Makes the least policies for a fleet, without AWS. `partition` is that of the fleet if the files have no ARN.
///
/// # Errors
/// If the files have errors, or a policy would be too long.
pub fn fleet_permissions(
    path: &Path,
    partition: Option<Partition>,
    scope: &FleetScope,
) -> Result<FleetPolicies, Error> {
    let (fleet, configs) = check_fleet(path)?;
    let of_files = configs.distinct.iter().find_map(|config| config.partition());
    let partition = of_files.or(partition).unwrap_or(Partition::Aws);
    Ok(fleet_policies(&fleet, &configs, partition, scope)?)
}
