use super::{Origin, Plan};
use crate::config::Config;
use crate::iam::{Digest, PrincipalName};

/// What a plan keeps of the earlier version of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The digest of that version's bytes.
    pub digest: Digest,
    /// The users that it listed and the plan's file does not, by name.
    pub no_longer_listed: Vec<PrincipalName>,
}

impl Plan {
    /// Marks each change: does it come from what changed between `base` and `config`, or did `base`
    /// ask for the same already, so that the account has drifted from it?
    ///
    /// `config` is the file that the plan was made from. Boundaries are compared, not their short
    /// names. A `base` that was for another account asked for nothing in this one.
    pub fn since(mut self, base: &Config, config: &Config) -> Plan {
        let is_of_account = base.account.as_ref().is_none_or(|id| id.value == self.account)
            && base.policy_account().is_none_or(|id| id == self.account);
        for change in &mut self.changes {
            let asked = base.users.get(&change.user).filter(|_| is_of_account);
            let is_the_same =
                asked.is_some_and(|listed| listed.boundary.as_ref() == change.action.to());
            change.origin = Some(if is_the_same { Origin::Drift } else { Origin::ThisChange });
        }
        let unlisted = base.users.keys().filter(|user| !config.users.contains_key(*user));
        self.base =
            Some(Base { digest: base.digest, no_longer_listed: unlisted.cloned().collect() });
        self
    }
}
