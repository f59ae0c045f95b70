use std::collections::{BTreeMap, BTreeSet};

use super::{Config, Position, Then};
use crate::iam::{
    AccountId, Partition, PolicyArn, PolicyRef, Principal, PrincipalCounts, PrincipalKind,
    PrincipalName, Timestamp,
};

/// The present boundaries of principals; `None` for no boundary.
pub(super) type Present = BTreeMap<Principal, Option<PolicyArn>>;

/// How the boundaries of an account differ from a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The entries whose principals have another boundary, in order.
    pub different: Vec<Different>,
    /// The entries whose principals the account does not have, in order.
    pub missing: Vec<Missing>,
    /// The principals that need an entry, in order.
    pub unlisted: Vec<Unlisted>,
    /// The numbers of entries that match, and of principals that have the boundary of a rule.
    pub matching: PrincipalCounts,
    /// The numbers of principals without a boundary for which the file has no entry and no rule. They are not a difference: the file
    /// says nothing about them.
    pub unlisted_without_boundary: PrincipalCounts,
}

/// An entry whose principal has another boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Different {
    /// The principal.
    pub principal: Principal,
    /// The position of the entry.
    pub position: Position,
    /// The boundary in the file; `None` if the principal must have none.
    pub file: Option<PolicyArn>,
    /// The boundary in the account; `None` if the principal has none.
    pub account: Option<PolicyArn>,
    /// Whether the entry is expired. Then its `boundary` no longer counts, and an update does not change it.
    pub is_expired: bool,
}

/// A principal without an entry that needs one for the file to match the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlisted {
    /// The principal.
    pub principal: Principal,
    /// The boundary of the rule that decides about the principal; `None` if no rule does.
    pub rule: Option<PolicyArn>,
    /// The boundary in the account; `None` if the principal has none.
    pub account: Option<PolicyArn>,
}

/// The account to compare a file with.
#[derive(Debug, Clone)]
pub struct Live<'l> {
    /// The account.
    pub account: AccountId,
    /// The partition of the account.
    pub partition: Partition,
    /// The time at which entries are expired or not.
    pub now: Timestamp,
    /// The kinds of principals that were read.
    pub kinds: &'l BTreeSet<PrincipalKind>,
    /// The boundaries of all principals of these kinds; `None` for no boundary.
    pub present: &'l BTreeMap<Principal, Option<PolicyArn>>,
}

/// An entry whose principal the account does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The principal.
    pub principal: Principal,
    /// The position of the entry.
    pub position: Position,
    /// The boundary in the file; `None` if the principal must have none.
    pub file: Option<PolicyArn>,
    /// The name in the account, if it differs only in case.
    pub differs_by_case: Option<PrincipalName>,
}

impl Comparison {
    /// Compares the file with an account. `rule` is the boundary that the rules of the file give to a principal without
    /// an entry; `None` if no rule decides.
    pub fn of<'c>(
        config: &'c Config,
        live: &Live<'_>,
        mut rule: impl FnMut(&Principal) -> Option<&'c PolicyRef>,
    ) -> Comparison {
        let arn = |policy: &PolicyRef| policy.in_account(live.account, live.partition);
        let mut comparison = Comparison::default();
        let folded: BTreeMap<_, _> = live.present.keys().map(|it| (it.folded(), it)).collect();
        let mut misspelled = BTreeSet::new();
        for (principal, entry) in config.entries().filter(|(it, _)| live.kinds.contains(&it.kind)) {
            let position = entry.position.clone();
            let (file, is_expired) =
                match entry.expired(live.now).map(|expiration| &expiration.then) {
                    None => (Some(entry.boundary.as_ref()), false),
                    Some(Then::Boundary(then)) => (Some(then.as_ref()), true),
                    Some(Then::Problem) => (None, true),
                };
            let is_decided = file.is_some();
            let file = file.flatten().map(arn);
            match live.present.get(&principal) {
                Some(account) if is_decided && *account == file => {
                    comparison.matching.count(principal.kind);
                }
                Some(account) => {
                    let account = account.clone();
                    let different = Different { principal, position, file, account, is_expired };
                    comparison.different.push(different);
                }
                None => {
                    let other = folded.get(&principal.folded()).copied();
                    misspelled.extend(other);
                    let differs_by_case = other.map(|other| other.name.clone());
                    comparison.missing.push(Missing { principal, position, file, differs_by_case });
                }
            }
        }
        let without_entry = live.present.iter().filter(|(it, _)| config.entry(it).is_none());
        for (principal, account) in without_entry.filter(|(it, _)| !misspelled.contains(it)) {
            let rule = rule(principal).map(arn);
            if needs_entry(rule.as_ref(), account.as_ref()) {
                let (principal, account) = (principal.clone(), account.clone());
                comparison.unlisted.push(Unlisted { principal, rule, account });
            } else if rule.is_some() {
                comparison.matching.count(principal.kind);
            } else {
                comparison.unlisted_without_boundary.count(principal.kind);
            }
        }
        comparison
    }

    /// Whether an update of the file changes or adds entries.
    pub fn is_update_needed(&self) -> bool {
        !self.unlisted.is_empty() || self.different.iter().any(|it| !it.is_expired)
    }

    /// Whether the account is as the file says, and the file lists everyone who has a boundary.
    pub fn is_match(&self) -> bool {
        self.different.is_empty() && self.missing.is_empty() && self.unlisted.is_empty()
    }
}

/// Whether a file without an entry for a principal must get one to match the account. A principal that has the
/// boundary of its rule needs none, and neither does one without a rule and without a boundary.
fn needs_entry(rule: Option<&PolicyArn>, account: Option<&PolicyArn>) -> bool {
    rule != account
}
