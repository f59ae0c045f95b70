use super::problem::AccountProblem;
use crate::config::{AccountCredentials, FleetGuard, OnUnlisted, SourceFile};
use crate::iam::{
    AccountId, AccountName, AccountSelector, Digest, PrincipalCounts, Printable, Shard,
};
use crate::plan::change::Severity;
use crate::plan::content::{Counts, Plan};
use crate::plan::unlisted::Unlisted;

/// The plans of the accounts of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetPlan {
    /// What the plans are made from.
    pub source: FleetSource,
    /// The part of the fleet that the plan is for; `None` for all accounts.
    pub shard: Option<Shard>,
    /// The parts of the fleet whose plans were missing when the plans of the others were merged, sorted; empty for a plan
    /// that was not merged.
    pub missing_shards: Vec<Shard>,
    /// The guard rails of the fleet. Each plan has its own, too.
    pub guard: FleetGuard,
    /// The accounts, sorted by name and ID.
    pub accounts: Vec<AccountPlan>,
    /// The active accounts of the organization that the fleet covers by nothing, sorted. Empty if the fleet has no
    /// organization.
    pub uncovered: Vec<Uncovered>,
    /// The digest of the plan that this one is a part of; `None` for a plan that is complete.
    pub part_of: Option<Digest>,
}

/// What the plans of a fleet are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FleetSource {
    /// A fleet file.
    File(SourceFile),
    /// The journals of a run.
    Rollback {
        /// The directory of the run.
        run: Printable,
        /// The digest of the plan that the run applied.
        plan: Digest,
    },
}

/// An account of a fleet: which one, and with which credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetAccountRef {
    /// Its name in the fleet or in the organization.
    pub name: AccountName,
    /// Its ID.
    pub id: AccountId,
    /// The credentials for it.
    pub credentials: AccountCredentials,
}

/// The plan of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPlan {
    /// The account.
    pub account: FleetAccountRef,
    /// The plan, or why there is none.
    pub plan: Result<Plan, AccountProblem>,
}

/// An account of the organization that is in no part of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncovered {
    /// Its ID.
    pub id: AccountId,
    /// Its name in AWS Organizations.
    pub name: Printable,
}

/// Numbers over all accounts of a fleet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FleetTotals {
    /// The accounts.
    pub accounts: usize,
    /// The accounts with changes.
    pub changed: usize,
    /// The accounts without a plan.
    pub failed: usize,
    /// The accounts whose plan is incomplete.
    pub incomplete: usize,
    /// The changes.
    pub counts: Counts,
    /// The principals that match the files.
    pub in_sync: PrincipalCounts,
    /// The principals that cannot be planned.
    pub problems: usize,
    /// The principals in no entry and no rule, as far as they were read.
    pub unlisted: usize,
}

impl FleetSource {
    /// The path of the fleet file, or of the directory of the run to roll back.
    pub fn path(&self) -> &Printable {
        match self {
            FleetSource::File(file) => &file.path,
            FleetSource::Rollback { run, .. } => run,
        }
    }
}

impl FleetAccountRef {
    /// `payments-prod (111111111111)`.
    pub fn label(&self) -> String {
        format!("{} ({})", self.name, self.id)
    }
}

impl AccountPlan {
    /// The plan, if it was made and has changes.
    pub fn changed(&self) -> Option<&Plan> {
        self.plan.as_ref().ok().filter(|plan| !plan.changes.is_empty())
    }

    /// The number of unlisted principals, as far as they were read.
    pub fn unlisted(&self) -> usize {
        let unlisted = self.plan.iter().flat_map(|plan| plan.unlisted.by_kind());
        unlisted.filter_map(|(_, unlisted)| Some(unlisted.as_ref()?.count)).sum()
    }

    /// Whether there are unlisted principals that the files do not ignore.
    pub fn has_unlisted(&self) -> bool {
        let unlisted = self.plan.iter().flat_map(|plan| plan.unlisted.by_kind());
        let is_reported = |it: &Unlisted| it.count > 0 && it.action != OnUnlisted::Ignore;
        unlisted.filter_map(|(_, unlisted)| unlisted.as_ref()).any(is_reported)
    }

    /// Whether something of the account cannot be planned.
    pub fn is_incomplete(&self) -> bool {
        self.plan.as_ref().map_or(true, Plan::is_incomplete)
    }
}

impl FleetPlan {
    /// The complete plan of the accounts, which are sorted.
    pub fn new(source: FleetSource, guard: FleetGuard, accounts: Vec<AccountPlan>) -> FleetPlan {
        FleetPlan {
            source,
            shard: None,
            missing_shards: Vec::new(),
            guard,
            accounts,
            uncovered: Vec::new(),
            part_of: None,
        }
    }

    /// Numbers over all accounts.
    pub fn totals(&self) -> FleetTotals {
        let mut totals = FleetTotals { accounts: self.accounts.len(), ..FleetTotals::default() };
        for account in &self.accounts {
            let Ok(plan) = &account.plan else {
                totals.failed += 1;
                continue;
            };
            let counts = plan.counts();
            totals.counts.add += counts.add;
            totals.counts.change += counts.change;
            totals.counts.remove += counts.remove;
            totals.changed += usize::from(!plan.changes.is_empty());
            totals.incomplete += usize::from(plan.is_incomplete());
            totals.in_sync += plan.in_sync;
            totals.problems += plan.problems_of(Severity::Error).count();
            totals.unlisted += account.unlisted();
        }
        totals
    }

    /// The number of changes in all accounts.
    pub fn changes(&self) -> usize {
        self.accounts.iter().filter_map(AccountPlan::changed).map(|plan| plan.changes.len()).sum()
    }

    /// Whether a shard is missing, an account cannot be planned, or its plan is incomplete.
    pub fn is_incomplete(&self) -> bool {
        !self.missing_shards.is_empty() || self.accounts.iter().any(AccountPlan::is_incomplete)
    }

    /// The part of the plan for the accounts that `selectors` select, all of them if there are none, and that belong to
    /// `shard`. A part is not the plan of a shard.
    ///
    /// # Errors
    /// The selectors that select nothing.
    pub fn part(
        self,
        selectors: &[AccountSelector],
        shard: Option<Shard>,
    ) -> Result<FleetPlan, Vec<AccountSelector>> {
        if selectors.is_empty() && shard.is_none() {
            return Ok(self);
        }
        let selects = |selector: &AccountSelector, it: &AccountPlan| {
            selector.matches(&it.account.name, it.account.id)
        };
        let unknown: Vec<AccountSelector> = selectors
            .iter()
            .filter(|selector| !self.accounts.iter().any(|it| selects(selector, it)))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let part_of = Some(self.part_of.unwrap_or_else(|| self.digest()));
        let is_selected = |it: &AccountPlan| {
            let is_named =
                selectors.is_empty() || selectors.iter().any(|selector| selects(selector, it));
            is_named && shard.is_none_or(|shard| shard.contains(it.account.id))
        };
        let accounts = self.accounts.into_iter().filter(is_selected).collect();
        Ok(FleetPlan {
            accounts,
            part_of,
            shard: None,
            missing_shards: Vec::new(),
            uncovered: Vec::new(),
            ..self
        })
    }
}
