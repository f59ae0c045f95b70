use super::change::{Change, Problem, ProblemKind};
use super::content::Plan;
use super::source::PlanSource;
use crate::config::{Config, Provenance};
use crate::iam::{AccountId, BoundaryChange, PolicyArn, UniqueId};
use crate::inventory::{Inventory, Reading};

impl Plan {
    /// The changes that make `live` match `config`. The same input gives the same plan, byte for byte.
    ///
    /// A listed principal that could not be read becomes a problem.
    pub fn between(account: AccountId, config: &Config, live: &Inventory) -> Plan {
        let source = PlanSource::file(config.file.clone(), config.digest);
        let mut plan = Plan { guard: config.guard.clone(), ..Plan::empty(account, source) };
        for (principal, entry) in config.entries() {
            let provenance = Provenance::entry(&config.file, entry.line, Some(entry.column));
            match present(live.reading(&principal)) {
                Ok((unique_id, from)) => {
                    match BoundaryChange::between(from, entry.boundary.as_ref()) {
                        None => plan.in_sync.count(principal.kind),
                        Some(boundary) => plan.changes.push(Change {
                            principal,
                            unique_id: Some(unique_id.clone()),
                            boundary,
                            provenance,
                            origin: None,
                        }),
                    }
                }
                Err(kind) => plan.problems.push(Problem { principal, provenance, kind }),
            }
        }
        plan.names = plan
            .arns()
            .filter_map(|arn| Some((arn.clone(), config.names.name_of(arn)?.to_owned())))
            .collect();
        plan
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
