use super::change::Origin;
use super::content::Plan;
use super::source::{Base, PlanSource};
use crate::config::Config;

impl Plan {
    /// Sets the origin of each change: drift if `base` already asked for the same boundary, and otherwise the
    /// change of the file from `base` to `config`.
    ///
    /// `config` is the file that the plan was made from. Boundaries are compared, not their short names. A
    /// `base` for another account asked for nothing in this one. A plan that rolls back a run has no base.
    pub fn since(mut self, base: &Config, config: &Config) -> Plan {
        let is_of_account = base.account.as_ref().is_none_or(|id| id.value == self.account)
            && base.policy_account().is_none_or(|id| id == self.account);
        if let PlanSource::Files { base: of_plan, .. } = &mut self.source {
            for change in &mut self.changes {
                let asked = base.entry(&change.principal).filter(|_| is_of_account);
                let is_the_same =
                    asked.is_some_and(|entry| entry.boundary.as_ref() == change.boundary.to());
                change.origin = Some(if is_the_same { Origin::Drift } else { Origin::ThisChange });
            }
            let unlisted = base
                .entries()
                .map(|(principal, _)| principal)
                .filter(|principal| config.entry(principal).is_none());
            *of_plan = Some(Base { digest: base.digest, no_longer_listed: unlisted.collect() });
        }
        self
    }
}
