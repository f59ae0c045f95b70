use std::num::NonZeroUsize;

use super::value::at_once;
use crate::iam::{AccountSelector, Shard, Threshold};
use crate::plan::FleetOverrides;

/// The heading of the options of fleets.
const FLEET: &str = "Fleet options";

/// The options of commands that work on the accounts of a fleet.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FleetArgs {
    /// Maximum number of accounts that are read or changed at the same time [default: 16]
    #[arg(long, value_name = "N", value_parser = at_once, help_heading = FLEET)]
    accounts_at_once: Option<NonZeroUsize>,
}

/// The options that select accounts of a fleet file.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ShardArgs {
    /// Only the accounts of one of N parts, such as 1/4; each account belongs to exactly one part
    ///
    /// The part of an account depends only on its ID and N. Machines that run one part each need no coordination; `report
    /// merge` merges their results.
    #[arg(long, value_name = "I/N", help_heading = FLEET)]
    pub(in crate::cli) shard: Option<Shard>,
}

/// The options of applying the plans of a fleet.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FleetApplyArgs {
    /// Apply and verify this account, by name or ID, before the others begin; can be repeated
    #[arg(long, value_name = "ACCOUNT", help_heading = FLEET)]
    pub(in crate::cli) first: Vec<AccountSelector>,
    /// Apply the plan of each account as soon as it is made; requires --auto-approve
    ///
    /// Without this option, nothing is written in any account until the plans of all accounts are made.
    #[arg(long, requires = "auto_approve", conflicts_with = "plan", help_heading = FLEET)]
    pub(in crate::cli) as_planned: bool,
    /// Maximum number or percentage of principals that may be changed in all accounts together; overrides [guard]
    /// max_changes of the fleet file
    #[arg(long, value_name = "N|P%", help_heading = FLEET)]
    max_fleet_changes: Option<Threshold>,
    /// Maximum number or percentage of accounts that may be changed; overrides [guard] max_accounts_changed
    #[arg(long, value_name = "N|P%", help_heading = FLEET)]
    max_accounts_changed: Option<Threshold>,
}

impl FleetArgs {
    /// The maximum number of accounts at the same time.
    pub(in crate::cli) fn at_once(&self) -> NonZeroUsize {
        const DEFAULT: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not zero");
        self.accounts_at_once.unwrap_or(DEFAULT)
    }

    /// The first option that is set.
    pub(in crate::cli) fn set_option(&self) -> Option<&'static str> {
        self.accounts_at_once.map(|_| "--accounts-at-once")
    }
}

impl FleetApplyArgs {
    /// The overrides of the guard rails of the fleet.
    pub(in crate::cli) fn overrides(&self) -> FleetOverrides {
        FleetOverrides {
            max_changes: self.max_fleet_changes,
            max_accounts_changed: self.max_accounts_changed,
        }
    }

    /// The first option that is set.
    pub(in crate::cli) fn set_option(&self) -> Option<&'static str> {
        let options = [
            (!self.first.is_empty(), "--first"),
            (self.as_planned, "--as-planned"),
            (self.max_fleet_changes.is_some(), "--max-fleet-changes"),
            (self.max_accounts_changed.is_some(), "--max-accounts-changed"),
        ];
        options.into_iter().find_map(|(is_set, name)| is_set.then_some(name))
    }
}
