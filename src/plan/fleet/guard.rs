use super::content::FleetPlan;
use crate::iam::Threshold;

/// Overrides of the fleet's guard rails, for one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FleetOverrides {
    /// Replaces the threshold for changes in all accounts together.
    pub max_changes: Option<Threshold>,
    /// Replaces the threshold for accounts with changes.
    pub max_accounts_changed: Option<Threshold>,
}

/// A violation of a guard rail of the fleet. Then nothing is applied in any account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FleetViolation {
    /// The plans make more changes together than allowed. A share is one of the principals in the plans.
    TooManyChanges {
        /// The number of changes.
        count: usize,
        /// The number that is allowed.
        allowed: usize,
        /// What allows it.
        threshold: Threshold,
        /// The principals in the plans.
        of: usize,
    },
    /// More accounts have changes than allowed. A share is one of the accounts in the plan.
    TooManyAccounts {
        /// The number of accounts with changes.
        count: usize,
        /// The number that is allowed.
        allowed: usize,
        /// What allows it.
        threshold: Threshold,
        /// The accounts in the plan.
        of: usize,
    },
}

impl FleetPlan {
    /// The violations of the guard rails of the fleet.
    pub fn violations(&self, overrides: &FleetOverrides) -> Vec<FleetViolation> {
        let totals = self.totals();
        let plans = self.accounts.iter().filter_map(|account| account.plan.as_ref().ok());
        let principals = plans.map(|plan| plan.listed().total()).sum();
        let excess = |threshold: Option<Threshold>, count: usize, of: usize| {
            let threshold = threshold?;
            let allowed = threshold.of(of);
            (count > allowed).then_some((count, allowed, threshold, of))
        };
        let max_changes = overrides.max_changes.or(self.guard.max_changes);
        let changes = excess(max_changes, self.changes(), principals).map(
            |(count, allowed, threshold, of)| FleetViolation::TooManyChanges {
                count,
                allowed,
                threshold,
                of,
            },
        );
        let max_accounts = overrides.max_accounts_changed.or(self.guard.max_accounts_changed);
        let accounts = excess(max_accounts, totals.changed, totals.accounts).map(
            |(count, allowed, threshold, of)| FleetViolation::TooManyAccounts {
                count,
                allowed,
                threshold,
                of,
            },
        );
        changes.into_iter().chain(accounts).collect()
    }
}
