//! What a plan is made from, and what it says about the account before the account is known.

use std::sync::Arc;

use super::error::Error;
use super::selection::Selection;
use crate::aws::ExpectedPartition;
use crate::config::Config;
use crate::iam::{AccountId, AssumeRole, Printable};
use crate::journal::RunRecord;
use crate::plan::{Guard, Plan};

/// What a plan is made from.
pub(super) enum Input {
    /// Boundaries files, and their earlier versions.
    Files { config: Arc<Config>, base: Option<Arc<Config>>, selection: Selection },
    /// A plan that was made and saved earlier.
    Saved(Box<Plan>),
    /// The journal of a run to roll back, and its path.
    Journal { record: Box<RunRecord>, path: Printable },
}

impl Input {
    /// Reads boundaries files, and their earlier versions.
    pub(super) fn files(selection: &Selection) -> Result<Input, Error> {
        let config = Arc::new(Config::read(&selection.files)?);
        if let Some(missing) = selection.base.iter().find(|path| !path.exists()) {
            return Err(Error::NoBase(missing.clone()));
        }
        let base = match selection.base.is_empty() {
            true => None,
            false => Some(Arc::new(Config::read_earlier(&selection.base)?)),
        };
        Ok(Input::Files { config, base, selection: selection.clone() })
    }

    /// The guard rails.
    pub(super) fn guard(&self) -> &Guard {
        match self {
            Input::Files { config, .. } => &config.guard,
            Input::Saved(plan) => &plan.guard,
            Input::Journal { record, .. } => &record.header.guard,
        }
    }

    /// The role that it names in the account.
    pub(super) fn role(&self) -> Option<(AccountId, AssumeRole)> {
        match self {
            Input::Files { config, .. } => role(config),
            Input::Saved(plan) => Some((plan.account, plan.assume_role.clone()?)),
            Input::Journal { record, .. } => {
                Some((record.header.account, record.header.assume_role.clone()?))
            }
        }
    }

    /// The partition of its ARNs.
    pub(super) fn partition(&self) -> Option<ExpectedPartition> {
        let (partition, origin) = match self {
            Input::Files { config, .. } => return expected_partition(config),
            Input::Saved(plan) => (plan.partition()?, "the ARNs in the plan".to_owned()),
            Input::Journal { record, path } => {
                (record.header.partition, format!("the ARNs in {path}"))
            }
        };
        Some(ExpectedPartition { partition, origin })
    }
}

/// The role that boundaries files name, and their account, which they name with it.
pub(super) fn role(config: &Config) -> Option<(AccountId, AssumeRole)> {
    Some((config.account.as_ref()?.value, config.assume_role.clone()?))
}

/// The partition of the ARNs in boundaries files.
pub(super) fn expected_partition(config: &Config) -> Option<ExpectedPartition> {
    let (partition, origin) = (config.partition()?, format!("the ARNs in {}", config.path()));
    Some(ExpectedPartition { partition, origin })
}
