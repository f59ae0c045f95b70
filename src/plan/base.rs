use std::collections::BTreeSet;

use super::change::Origin;
use super::content::Plan;
use super::context::PlanContext;
use super::decisions::Decisions;
use super::difference::asked;
use super::source::{Base, PlanSource};
use crate::config::Config;
use crate::iam::{Digest, Principal};
use crate::inventory::{Inventory, Reading};

impl Plan {
    /// Sets the origin of each change: drift if `base` already asked for the same boundary, and otherwise the
    /// change of the files from `base` to `config`.
    ///
    /// The plan is [`between`](Plan::between) `config` and `live`, in the same `context`. Boundaries are compared, not
    /// their short names, and both versions have the same date. A `base` for another account asked for nothing in this
    /// one. A plan that rolls back a run has no base.
    pub fn since(
        mut self,
        base: &Config,
        config: &Config,
        live: &Inventory,
        context: &PlanContext,
    ) -> Plan {
        let is_of_account = base.account.as_ref().is_none_or(|id| id.value == self.account)
            && base.policy_account().is_none_or(|id| id == self.account);
        let (mut of_base, mut of_config) = (Decisions::new(base), Decisions::new(config));
        let mut asked_before = |it: &Principal| asked(&mut of_base, context, it, live);
        let PlanSource::Files { base: of_plan, .. } = &mut self.source else { return self };
        for change in &mut self.changes {
            let before = asked_before(&change.principal).filter(|_| is_of_account);
            let is_the_same = before.is_some_and(|it| it.as_ref() == change.boundary.to());
            change.origin = Some(if is_the_same { Origin::Drift } else { Origin::ThisChange });
        }
        let listed = base.entries().map(|(principal, _)| principal);
        let by_rule = live
            .iter()
            .filter(|(principal, reading)| {
                matches!(reading, Reading::Found { .. }) && asked_before(principal).is_some()
            })
            .map(|(principal, _)| principal.clone());
        let no_longer: BTreeSet<Principal> = listed
            .chain(by_rule)
            .filter(|it| {
                !of_config.lists(it)
                    && asked(&mut of_config, context, it, live).is_none()
                    && context.is_for(it)
            })
            .collect();
        // A principal about which nothing can be decided is a problem.
        let problems: BTreeSet<&Principal> = self.problems.iter().map(|it| &it.principal).collect();
        let no_longer_listed = no_longer.into_iter().filter(|it| !problems.contains(it)).collect();
        *of_plan = Some(Base { digest: digest_of(base), no_longer_listed });
        self
    }
}

/// The digest of the files: of several, the digest of their digests.
fn digest_of(config: &Config) -> Digest {
    match &*config.files {
        [only] => only.digest,
        files => {
            let digests: Vec<String> = files.iter().map(|file| file.digest.to_string()).collect();
            Digest::of(digests.join("\n"))
        }
    }
}
