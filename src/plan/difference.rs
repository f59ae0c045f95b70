use std::collections::{HashMap, HashSet};

use super::change::{Change, Expiring, Problem, ProblemKind, Severity};
use super::content::{Only, Plan};
use super::context::PlanContext;
use super::decision::Decision;
use super::decisions::Decisions;
use super::source::PlanSource;
use super::unlisted::UnlistedCollector;
use super::warning::{unused_names, warnings};
use super::widening::Widening;
use crate::config::{
    Config, Entry, Expiration, OnMissing, OnUnlisted, Provenance, ProvenanceKind, Rule, Then,
};
use crate::iam::{
    BoundaryChange, DateOrTime, PolicyArn, PolicyRef, Principal, PrincipalCounts, PrincipalKind,
    Printable, UniqueId,
};
use crate::inventory::{Attributes, Inventory, Reading};

impl Plan {
    /// The changes that make `live` match `config`. The same input gives the same plan, byte for byte.
    ///
    /// A principal that could not be read, or about which nothing can be decided, becomes a problem.
    pub fn between(context: &PlanContext, config: &Config, live: &Inventory) -> Plan {
        let source = PlanSource::Files { files: config.files.clone(), base: None };
        let mut planning = Planning {
            context,
            as_of: context.as_of(config),
            policies: Policies::new(context),
            unlisted: UnlistedCollector::new(config, live, context),
            plan: Plan {
                guard: config.guard.clone(),
                assume_role: config.assume_role.clone(),
                ..Plan::empty(context.account, source)
            },
        };
        let mut others = PrincipalCounts::default();
        for (principal, entry) in config.entries() {
            match context.is_for(&principal) {
                true => {
                    let reading = live.reading(&principal);
                    planning.entry(principal, entry, reading, config);
                }
                false => others.count(principal.kind),
            }
        }
        let mut deciding = HashSet::new();
        let mut decisions = Decisions::new(config);
        for (principal, reading, attributes) in
            live.iter_with_attributes().filter(|(it, _, _)| config.entry(it).is_none())
        {
            let decision = decisions.of(principal, attributes);
            let is_selected = context.is_for(principal);
            if let (Decision::Rule(rule), Reading::Found { .. }) = (decision, reading) {
                deciding.insert(std::ptr::from_ref(rule));
                if !is_selected {
                    others.count(principal.kind);
                }
            }
            if is_selected {
                planning.without_entry(principal, reading, attributes, decision, config);
            }
        }
        let Planning { as_of, unlisted, mut plan, .. } = planning;
        plan.as_of = as_of;
        plan.unlisted = unlisted.finish();
        plan.warnings = warnings(config, live, |rule| deciding.contains(&std::ptr::from_ref(rule)));
        plan.warnings.extend(unused_names(config, context, live, plan.arns()));
        plan.only = context.only.clone().map(|patterns| Only { patterns, others });
        plan.changes.sort_by(|a, b| a.principal.cmp(&b.principal));
        plan.problems.sort_by(|a, b| a.principal.cmp(&b.principal));
        let names = config.names.by_arn(context.account, context.partition);
        plan.names = plan
            .arns()
            .filter_map(|arn| Some((arn.clone(), (*names.get(arn)?).to_owned())))
            .collect();
        plan
    }
}

/// A plan while it is made.
struct Planning<'p> {
    context: &'p PlanContext,
    as_of: Option<DateOrTime>,
    policies: Policies<'p>,
    unlisted: UnlistedCollector,
    plan: Plan,
}

/// What a principal must have, and why.
struct Desired {
    boundary: Option<PolicyArn>,
    provenance: Provenance,
    reason: Option<Printable>,
    expired: Option<DateOrTime>,
}

impl<'p> Planning<'p> {
    /// Plans for a listed principal.
    fn entry(
        &mut self,
        principal: Principal,
        entry: &'p Entry,
        reading: &Reading,
        config: &Config,
    ) {
        let provenance = Provenance::at(ProvenanceKind::Entry, &entry.position);
        if let Reading::NotFound { differs_by_case: None } = reading {
            let on_missing = entry.missing.or(*config.missing.of(principal.kind));
            let severity = match on_missing {
                Some(OnMissing::Warn) => Severity::Warning,
                Some(OnMissing::Error) | None => Severity::Error,
            };
            let kind = ProblemKind::NotFound { differs_by_case: None };
            self.plan.problems.push(Problem { principal, provenance, kind, severity });
            return;
        }
        let expired = entry.expired(self.context.now);
        let boundary = match expired {
            None => &entry.boundary,
            Some(Expiration { then: Then::Boundary(boundary), .. }) => boundary,
            Some(Expiration { then: Then::Problem, until }) => {
                let kind = ProblemKind::Expired { until: *until };
                self.problem(principal, provenance, kind);
                return;
            }
        };
        if let (Some(expiration), None) = (&entry.expiration, expired) {
            self.expiring(&principal, expiration, &provenance);
        }
        let desired = Desired {
            boundary: boundary.as_ref().map(|policy| self.policies.arn(policy)),
            provenance,
            reason: entry.reason.clone(),
            expired: expired.map(|expiration| expiration.until),
        };
        self.compare(principal, reading, desired);
    }

    /// Notes an entry that is about to expire.
    fn expiring(
        &mut self,
        principal: &Principal,
        expiration: &'p Expiration,
        provenance: &Provenance,
    ) {
        let Expiration { until, then } = expiration;
        let Some(as_of) = self.as_of else { return };
        let last = as_of.moment().plus_days(self.context.expiring_within);
        if until.moment() > last {
            return;
        }
        let then = match then {
            Then::Boundary(boundary) => {
                Some(boundary.as_ref().map(|policy| self.policies.arn(policy)))
            }
            Then::Problem => None,
        };
        self.plan.expiring.push(Expiring {
            principal: principal.clone(),
            until: *until,
            then,
            provenance: provenance.clone(),
        });
    }

    /// Plans for a principal of the account that no entry names.
    fn without_entry(
        &mut self,
        principal: &Principal,
        reading: &Reading,
        attributes: Option<&Attributes>,
        decision: Decision<'p>,
        config: &Config,
    ) {
        match (reading, decision) {
            (Reading::NotFound { .. } | Reading::Unmodifiable { .. }, _)
            | (_, Decision::Entry(_) | Decision::OtherCase(_)) => {}
            (Reading::Found { boundary, .. }, Decision::Unlisted) => {
                self.unlisted.add(principal, boundary.as_ref(), attributes);
            }
            (Reading::Found { .. }, Decision::Rule(rule)) => {
                let provenance = Provenance::at(ProvenanceKind::Rule, &rule.position);
                let boundary = Some(self.policies.arn(&rule.boundary));
                let desired = Desired { boundary, provenance, reason: None, expired: None };
                self.compare(principal.clone(), reading, desired);
            }
            (Reading::Found { .. }, Decision::Unknown(rule)) => {
                let provenance = Provenance::at(ProvenanceKind::Rule, &rule.position);
                self.problem(principal.clone(), provenance, ProblemKind::Undecided);
            }
            (Reading::Unreadable(error), _) => {
                // Whatever would decide about it: the plan is incomplete, and the line says why the principal matters.
                if let Some(provenance) = concern(principal.kind, config) {
                    let kind = ProblemKind::Unreadable(error.without_request_id());
                    self.problem(principal.clone(), provenance, kind);
                }
            }
        }
    }

    fn problem(&mut self, principal: Principal, provenance: Provenance, kind: ProblemKind) {
        let severity = Severity::Error;
        self.plan.problems.push(Problem { principal, provenance, kind, severity });
    }

    /// Compares what a principal must have with what it has.
    fn compare(&mut self, principal: Principal, reading: &Reading, desired: Desired) {
        let Desired { boundary, provenance, reason, expired } = desired;
        match present(reading) {
            Ok((unique_id, from)) => match BoundaryChange::between(from, boundary.as_ref()) {
                None => self.plan.in_sync.count(principal.kind),
                Some(boundary) => self.plan.changes.push(Change {
                    principal,
                    unique_id: Some(unique_id.clone()),
                    widening: Widening::known(&boundary),
                    boundary,
                    provenance,
                    reason,
                    expired,
                    origin: None,
                }),
            },
            Err(kind) => self.problem(principal, provenance, kind),
        }
    }
}

/// The line that concerns every principal of this kind: the first rule, or else `[unlisted]`.
fn concern(kind: PrincipalKind, config: &Config) -> Option<Provenance> {
    let rule: Option<&Rule> = config.rules_of(kind).next();
    let unlisted = config.unlisted.of(kind).as_ref().filter(|it| it.value != OnUnlisted::Ignore);
    let position = rule.map(|rule| &rule.position).or(unlisted.map(|it| &it.position))?;
    Some(Provenance::at(ProvenanceKind::Rule, position))
}

/// The ARNs of the policies in the account. Clones share their text.
struct Policies<'p> {
    context: &'p PlanContext,
    arns: HashMap<&'p PolicyRef, PolicyArn>,
}

impl<'p> Policies<'p> {
    fn new(context: &'p PlanContext) -> Self {
        Policies { context, arns: HashMap::new() }
    }

    fn arn(&mut self, policy: &'p PolicyRef) -> PolicyArn {
        let PlanContext { account, partition, .. } = *self.context;
        self.arns.entry(policy).or_insert_with(|| policy.in_account(account, partition)).clone()
    }
}

/// The unique ID and the present boundary, or why nothing can be planned.
pub(super) fn present(reading: &Reading) -> Result<(&UniqueId, Option<&PolicyArn>), ProblemKind> {
    match reading {
        Reading::Found { unique_id, boundary } => Ok((unique_id, boundary.as_ref())),
        Reading::Unmodifiable { role, .. } => Err(ProblemKind::Unmodifiable { role: *role }),
        Reading::NotFound { differs_by_case } => {
            Err(ProblemKind::NotFound { differs_by_case: differs_by_case.clone() })
        }
        Reading::Unreadable(error) => Err(ProblemKind::Unreadable(error.without_request_id())),
    }
}

/// The boundary that the files ask for, whatever the principal has; `None` if they ask for nothing.
pub(super) fn asked<'l>(
    decisions: &mut Decisions<'_, 'l>,
    context: &PlanContext,
    principal: &Principal,
    live: &'l Inventory,
) -> Option<Option<PolicyArn>> {
    let PlanContext { account, partition, .. } = *context;
    let arn = |policy: &PolicyRef| policy.in_account(account, partition);
    match decisions.of(principal, live.attributes(principal)) {
        Decision::Entry(entry) => match entry.expired(context.now).map(|it| &it.then) {
            None => Some(entry.boundary.as_ref().map(arn)),
            Some(Then::Boundary(boundary)) => Some(boundary.as_ref().map(arn)),
            Some(Then::Problem) => None,
        },
        Decision::Rule(rule) => Some(Some(arn(&rule.boundary))),
        Decision::OtherCase(_) | Decision::Unlisted | Decision::Unknown(_) => None,
    }
}
