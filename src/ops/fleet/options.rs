use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::plan::FleetPlanOptions;
use super::targets::Omitted;
use crate::aws::{Access, RetryPolicy};
use crate::iam::{AccountSelector, Rate};
use crate::plan::{FleetOverrides, FleetPlan, Overrides, Supervision};
use crate::state::StateRoot;

/// Options of [`apply_fleet`](super::apply_fleet).
#[derive(Debug, Clone)]
pub struct FleetApplyOptions {
    /// The base credentials and the endpoint.
    pub access: Access,
    /// What to apply.
    pub input: FleetInput,
    /// The accounts that are applied and verified before the others begin.
    pub first: Vec<AccountSelector>,
    /// Overrides of the guard rails of each account.
    pub overrides: Overrides,
    /// Overrides of the guard rails of the fleet.
    pub fleet_overrides: FleetOverrides,
    /// Whether a person is asked for confirmation.
    pub supervision: Supervision,
    /// Whether one conflict refuses the whole plan of an account.
    pub is_strict: bool,
    /// The maximum number of accounts that are read or changed at the same time.
    pub accounts_at_once: NonZeroUsize,
    /// The maximum number of writes in flight in each account.
    pub concurrency: NonZeroUsize,
    /// The maximum rate of writes in each account, retries included.
    pub max_rate: Option<Rate>,
    /// How long failed calls are retried.
    pub retry_policy: RetryPolicy,
    /// The time limit of the whole run, verification included.
    pub timeout: Option<Duration>,
    /// How long changes are verified.
    pub verify_for: Duration,
    /// A new directory for the journals; `None` for one in the state directory.
    pub journals: Option<PathBuf>,
    /// The state directory.
    pub state: StateRoot,
}

/// What to apply to a fleet.
#[derive(Debug, Clone)]
pub enum FleetInput {
    /// The plans of a fleet file.
    Files(FleetPlanOptions),
    /// The plans of a fleet file, each applied as soon as it is made.
    FilesAsPlanned(FleetPlanOptions),
    /// Plans that were saved earlier, and the accounts of the saved plan that are left out.
    Saved(Box<FleetPlan>, Omitted),
}
