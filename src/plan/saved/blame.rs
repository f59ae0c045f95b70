//! Who made the changes that a saved plan would undo. It is outside the digest: it does not decide what is applied.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::{Principal, PrincipalKind, PrincipalName, Printable, Timestamp};
use crate::plan::blame::{BlamedChange, Cause, PlanBlame};
use crate::plan::content::Plan;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct BlameDocument {
    /// The Region whose events were looked up in CloudTrail.
    #[schemars(with = "String")]
    region: Printable,
    /// The time from which on CloudTrail has events: an RFC 3339 time in UTC.
    #[schemars(with = "String")]
    since: Timestamp,
    /// When the events were looked up: an RFC 3339 time in UTC. CloudTrail receives an event minutes after the request.
    #[schemars(with = "String")]
    until: Timestamp,
    /// The number of events that cannot be used. One of them can be a missing one.
    unusable_events: usize,
    /// The changes that were looked up, sorted by principal: the drift, or all changes of a plan without a base.
    changes: Vec<BlamedDocument>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct BlamedDocument {
    /// What the principal is.
    kind: PrincipalKind,
    /// The name of the principal.
    name: PrincipalName,
    /// Why the principal has the boundary that it has now.
    cause: Cause,
}

impl BlameDocument {
    pub(super) fn of(blame: &PlanBlame) -> Self {
        let PlanBlame { region, times: (since, until), unusable, changes } = blame;
        let change = |BlamedChange { principal, cause }: &BlamedChange| BlamedDocument {
            kind: principal.kind,
            name: principal.name.clone(),
            cause: cause.clone(),
        };
        BlameDocument {
            region: region.clone(),
            since: *since,
            until: *until,
            unusable_events: *unusable,
            changes: changes.iter().map(change).collect(),
        }
    }

    /// Who made the changes that `plan` would undo.
    ///
    /// # Errors
    /// If it is about others than the principals that the plan changes, or they are not sorted.
    pub(super) fn into_blame(self, plan: &Plan) -> Result<PlanBlame, String> {
        let change = |BlamedDocument { kind, name, cause }: BlamedDocument| BlamedChange {
            principal: Principal { kind, name },
            cause,
        };
        let changes: Vec<BlamedChange> = self.changes.into_iter().map(change).collect();
        let mut planned = plan.changes.iter().map(|change| &change.principal);
        // Both are sorted.
        if !changes.iter().all(|change| planned.any(|it| *it == change.principal)) {
            return Err("its blame is not about the principals that it changes".to_owned());
        }
        Ok(PlanBlame {
            region: self.region,
            times: (self.since, self.until),
            unusable: self.unusable_events,
            changes,
        })
    }
}
