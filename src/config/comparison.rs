use std::collections::{BTreeMap, BTreeSet};

use super::Config;
use crate::iam::{PolicyArn, Principal, PrincipalCounts, PrincipalKind, PrincipalName};

/// The present boundaries of principals; `None` for no boundary.
pub(super) type Present = BTreeMap<Principal, Option<PolicyArn>>;

/// How the boundaries of an account differ from a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The entries whose principals have another boundary, in order.
    pub different: Vec<Different>,
    /// The entries whose principals the account does not have, in order.
    pub missing: Vec<Missing>,
    /// The principals that have a boundary and need an entry, in order, with their boundaries.
    pub unlisted: Vec<(Principal, PolicyArn)>,
    /// The numbers of entries that match.
    pub matching: PrincipalCounts,
    /// The numbers of principals without a boundary that the file does not list. They are not a difference: the file
    /// says nothing about them.
    pub unlisted_without_boundary: PrincipalCounts,
}

/// An entry whose principal has another boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Different {
    /// The principal.
    pub principal: Principal,
    /// The line of the entry, from 1.
    pub line: usize,
    /// The boundary in the file; `None` if the principal must have none.
    pub file: Option<PolicyArn>,
    /// The boundary in the account; `None` if the principal has none.
    pub account: Option<PolicyArn>,
}

/// An entry whose principal the account does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The principal.
    pub principal: Principal,
    /// The line of the entry, from 1.
    pub line: usize,
    /// The boundary in the file; `None` if the principal must have none.
    pub file: Option<PolicyArn>,
    /// The name in the account, if it differs only in case.
    pub differs_by_case: Option<PrincipalName>,
}

impl Comparison {
    /// Compares the file with the present boundaries of all principals of these kinds.
    pub fn of(config: &Config, present: &Present, kinds: &BTreeSet<PrincipalKind>) -> Comparison {
        let mut comparison = Comparison::default();
        let folded: BTreeMap<_, _> = present.keys().map(|it| (it.folded(), it)).collect();
        let mut misspelled = BTreeSet::new();
        for (principal, entry) in config.entries().filter(|(it, _)| kinds.contains(&it.kind)) {
            let (line, file) = (entry.line, entry.boundary.clone());
            match present.get(&principal) {
                Some(account) if *account == file => comparison.matching.count(principal.kind),
                Some(account) => {
                    let account = account.clone();
                    comparison.different.push(Different { principal, line, file, account });
                }
                None => {
                    let other = folded.get(&principal.folded()).copied();
                    misspelled.extend(other);
                    let differs_by_case = other.map(|other| other.name.clone());
                    comparison.missing.push(Missing { principal, line, file, differs_by_case });
                }
            }
        }
        for (principal, boundary) in present.iter().filter(|(it, _)| !misspelled.contains(it)) {
            match boundary {
                Some(boundary) if needs_entry(config, principal, boundary) => {
                    comparison.unlisted.push((principal.clone(), boundary.clone()));
                }
                None if config.entry(principal).is_none() => {
                    comparison.unlisted_without_boundary.count(principal.kind);
                }
                _ => {}
            }
        }
        comparison
    }

    /// Whether the account is as the file says, and the file lists everyone who has a boundary.
    pub fn is_match(&self) -> bool {
        self.different.is_empty() && self.missing.is_empty() && self.unlisted.is_empty()
    }
}

/// Whether a file without an entry for `principal`, which has this boundary, must get one to be complete. This is the
/// only place that decides it. So far, only entries say which boundary a principal must have.
fn needs_entry(config: &Config, principal: &Principal, _boundary: &PolicyArn) -> bool {
    config.entry(principal).is_none()
}
