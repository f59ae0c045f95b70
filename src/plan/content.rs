use std::collections::BTreeMap;

use super::blame::PlanBlame;
use super::change::{Change, Expiring, Origin, Problem, Severity};
use super::drifted::DriftedPolicy;
use super::impact::PlanImpact;
use super::source::PlanSource;
use super::unlisted::Unlisted;
use super::warning::Warning;
use crate::config::{ByKind, Guard};
use crate::iam::{
    AccountAlias, AccountId, AssumeRole, BoundaryChange, DateOrTime, Digest, Partition, PolicyArn,
    Principal, PrincipalCounts, PrincipalKind, PrincipalPattern,
};

/// The changes that make the account match the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The account that the plan is for.
    pub account: AccountId,
    /// The alias of the account. It is read only if nothing else names the account: neither the file, nor the user, nor a
    /// fleet.
    pub account_alias: Option<AccountAlias>,
    /// What the plan is made from.
    pub source: PlanSource,
    /// The role in the account that the files name; `None` without one, and in a fleet.
    pub assume_role: Option<AssumeRole>,
    /// The changes, by principal; no principal has two.
    pub changes: Vec<Change>,
    /// The listed principals for which no change can be planned, in order.
    pub problems: Vec<Problem>,
    /// The numbers of listed principals that match the files.
    pub in_sync: PrincipalCounts,
    /// The short names of the boundaries in the changes. Where one has several, the first in alphabetical
    /// order.
    pub names: BTreeMap<PolicyArn, String>,
    /// The guard rails.
    pub guard: Guard,
    /// The number of users in the account. It is read only where a guard rail depends on it.
    pub account_users: Option<usize>,
    /// The number of roles in the account. It is read only where a guard rail depends on it.
    pub account_roles: Option<usize>,
    /// The date or time at which entries are expired or not; `None` if no entry expires.
    pub as_of: Option<DateOrTime>,
    /// The entries that expire soon, by principal.
    pub expiring: Vec<Expiring>,
    /// The principals without an entry and a matching rule; `None` for a kind of which not every principal was read.
    pub unlisted: ByKind<Option<Unlisted>>,
    /// What is probably not intended in the files.
    pub warnings: Vec<Warning>,
    /// The digests of the documents of policies that the changes set, from [`CanonicalDocument`]. Empty if they were not
    /// read.
    ///
    /// [`CanonicalDocument`]: crate::impact::CanonicalDocument
    pub documents: BTreeMap<PolicyArn, Digest>,
    /// The pinned policies that are not as the files pin them, sorted.
    pub drifted: Vec<DriftedPolicy>,
    /// The principals that the plan is limited to; `None` if it is for all.
    pub only: Option<Only>,
    /// What the changes give and take; `None` if it was not computed. It is not part of the digest.
    pub impact: Option<PlanImpact>,
    /// Who made the changes that the plan would undo; `None` if it was not looked up. It is not part of the digest.
    pub blame: Option<PlanBlame>,
    /// The digest of the document that the plan was read from, if that has an earlier format.
    pub read_digest: Option<Digest>,
}

/// The principals that a plan is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Only {
    /// Their patterns, at least one.
    pub patterns: Vec<PrincipalPattern>,
    /// The numbers of other principals that an entry names or a rule matches, as far as they were read. They are not
    /// planned.
    pub others: PrincipalCounts,
}

/// How many changes there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Principals that get a boundary and had none.
    pub add: usize,
    /// Principals that get another boundary.
    pub change: usize,
    /// Principals that lose their boundary.
    pub remove: usize,
}

impl Counts {
    /// Counts `changes` by kind.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Counts {
        let mut counts = Counts::default();
        for change in changes {
            match change.boundary {
                BoundaryChange::Add { .. } => counts.add += 1,
                BoundaryChange::Change { .. } => counts.change += 1,
                BoundaryChange::Remove { .. } => counts.remove += 1,
            }
        }
        counts
    }
}

impl Plan {
    /// A plan without changes, made from `source`.
    pub fn empty(account: AccountId, source: PlanSource) -> Plan {
        Plan {
            account,
            account_alias: None,
            source,
            assume_role: None,
            changes: Vec::new(),
            problems: Vec::new(),
            in_sync: PrincipalCounts::default(),
            names: BTreeMap::new(),
            guard: Guard::default(),
            account_users: None,
            account_roles: None,
            as_of: None,
            expiring: Vec::new(),
            unlisted: ByKind::default(),
            warnings: Vec::new(),
            documents: BTreeMap::new(),
            drifted: Vec::new(),
            only: None,
            impact: None,
            blame: None,
            read_digest: None,
        }
    }

    /// The number of changes of each kind.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.changes)
    }

    /// The changes with this origin; with `None`, those of a plan without a base.
    pub fn changes_of(&self, origin: Option<Origin>) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.origin == origin)
    }

    /// The number of changes with this origin.
    pub fn count_of(&self, origin: Origin) -> usize {
        self.changes_of(Some(origin)).count()
    }

    /// The principals that the earlier version of the file listed and this one does not. They are left
    /// unchanged.
    pub fn no_longer_listed(&self) -> &[Principal] {
        self.source.base().map_or(&[], |base| &base.no_longer_listed)
    }

    /// The partition of the boundaries that the changes set, which is the same for all; in a plan that only
    /// removes boundaries, of the first of those.
    pub fn partition(&self) -> Option<Partition> {
        self.partition_to_set().or_else(|| self.arns().next().map(PolicyArn::partition))
    }

    /// The partition of the boundaries that the changes set.
    pub(super) fn partition_to_set(&self) -> Option<Partition> {
        self.changes.iter().find_map(|change| change.boundary.to()).map(PolicyArn::partition)
    }

    /// Every ARN of the changes, and those that follow when entries expire.
    pub(super) fn arns(&self) -> impl Iterator<Item = &PolicyArn> {
        let ends =
            self.changes.iter().flat_map(|change| [change.boundary.from(), change.boundary.to()]);
        let then = self.expiring.iter().filter_map(|it| it.then.as_ref()?.as_ref());
        ends.flatten().chain(then)
    }

    /// Whether the plan is incomplete: a principal cannot be planned, a pinned policy differs, or unlisted ones are errors.
    pub fn is_incomplete(&self) -> bool {
        self.problems_of(Severity::Error).next().is_some()
            || !self.drifted.is_empty()
            || PrincipalKind::ALL
                .into_iter()
                .any(|kind| self.unlisted.of(kind).as_ref().is_some_and(Unlisted::is_error))
    }

    /// Whether the plan changes nothing, and rolls back a run whose journal does not record its end: the changes of the run
    /// can be missing from the journal.
    pub fn may_miss_every_change(&self) -> bool {
        let run_ended = match &self.source {
            PlanSource::Rollback { run_ended, .. } => *run_ended,
            PlanSource::Files { .. } => None,
        };
        run_ended == Some(false) && self.changes.is_empty()
    }

    /// The problems of this severity.
    pub fn problems_of(&self, severity: Severity) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(move |problem| problem.severity == severity)
    }

    /// The short name of a boundary, or its ARN if it has none.
    pub fn name_of<'a>(&'a self, boundary: &'a PolicyArn) -> &'a str {
        self.names.get(boundary).map_or(boundary.as_str(), String::as_str)
    }

    /// The numbers of listed principals.
    pub fn listed(&self) -> PrincipalCounts {
        let changes = self.changes.iter().map(|change| change.principal.kind);
        let problems = self.problems.iter().map(|problem| problem.principal.kind);
        let mut listed = PrincipalCounts::of(changes.chain(problems));
        listed += self.in_sync;
        listed
    }

    /// The number of principals of this kind in the account, if it was read.
    pub fn account_count(&self, kind: PrincipalKind) -> Option<usize> {
        match kind {
            PrincipalKind::User => self.account_users,
            PrincipalKind::Role => self.account_roles,
        }
    }

    /// Sets the number of principals of this kind in the account.
    pub fn set_account_count(&mut self, kind: PrincipalKind, count: Option<usize>) {
        match kind {
            PrincipalKind::User => self.account_users = count,
            PrincipalKind::Role => self.account_roles = count,
        }
    }
}
