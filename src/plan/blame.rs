use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::{Principal, Printable, Timestamp};
use crate::inventory::RecordedRequest;

/// Who made the changes that a plan would undo, according to CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanBlame {
    /// The Region whose events were looked up.
    pub region: Printable,
    /// The times that CloudTrail keeps events for: the first and the last one.
    pub times: (Timestamp, Timestamp),
    /// The number of events that cannot be used. One of them can be a missing one.
    pub unusable: usize,
    /// Each change that was looked up, in order.
    pub changes: Vec<BlamedChange>,
}

/// A change that was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlamedChange {
    /// The principal.
    pub principal: Principal,
    /// Why it has the boundary that it has now.
    pub cause: Cause,
}

/// Why a principal has the boundary that it has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(inline)]
pub enum Cause {
    /// The newest request in CloudTrail that left this boundary, and no newer one left another.
    Request {
        /// The request.
        request: Box<RecordedRequest>,
        /// The run of this tool that made it; null if no journal on this machine has its request ID.
        #[serde(deserialize_with = "crate::iam::present")]
        run: Option<OwnRun>,
    },
    /// CloudTrail has no such request.
    NotFound {
        /// The newest request about the principal, if it left another boundary: a later one is missing. Null if there is
        /// none.
        #[serde(deserialize_with = "crate::iam::present")]
        newest: Option<Box<RecordedRequest>>,
    },
    /// The events were not read as far as necessary.
    NotLookedUp {
        /// The reason.
        #[schemars(with = "String")]
        why: Printable,
    },
}

/// A run of this tool that made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct OwnRun {
    /// When the run began to make changes: an RFC 3339 time in UTC.
    #[schemars(with = "String")]
    pub began: Timestamp,
    /// The journal of the run.
    #[schemars(with = "String", length(min = 1))]
    pub journal: Printable,
}

impl PlanBlame {
    /// The time for which CloudTrail keeps events
    /// ([LookupEvents](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html)).
    pub const DAYS: u32 = 90;

    /// The number of changes whose cause `is` accepts.
    pub fn count(&self, is: impl Fn(&Cause) -> bool) -> usize {
        self.changes.iter().filter(|change| is(&change.cause)).count()
    }

    /// The requests that caused changes.
    pub fn requests(&self) -> impl Iterator<Item = &RecordedRequest> {
        self.changes.iter().filter_map(|change| match &change.cause {
            Cause::Request { request, .. } => Some(&**request),
            Cause::NotFound { .. } | Cause::NotLookedUp { .. } => None,
        })
    }

    /// Sets the runs that made requests, as far as `run_of` knows them by their request IDs.
    pub fn set_runs(&mut self, run_of: impl Fn(&str) -> Option<OwnRun>) {
        for change in &mut self.changes {
            if let Cause::Request { request, run } = &mut change.cause {
                *run = request.request_id.as_deref().and_then(&run_of);
            }
        }
    }
}
