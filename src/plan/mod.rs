//! The difference between the files and the account, and the saved plan.
//!
//! This module has no clock, no network access and no file access.

mod base;
mod blame;
mod blame_search;
mod boundary_comparison;
mod change;
mod content;
mod context;
mod decision;
mod decisions;
mod difference;
mod drifted;
mod explanation;
mod fleet;
mod guard;
mod impact;
mod impact_analysis;
mod pinned;
mod policies;
mod preflight;
mod rollback;
pub mod saved;
mod scope;
mod source;
mod unlisted;
mod used;
mod warning;
mod widening;

pub use blame::{BlamedChange, Cause, OwnRun, PlanBlame};
pub use blame_search::{BlameSearch, SourceId};
pub use change::{Change, Expiring, Origin, Problem, ProblemKind, Severity};
pub use content::{Counts, Only, Plan};
pub use context::PlanContext;
pub use decision::{AttributeCondition, Condition, Decision, Held, NameCondition};
pub use decisions::Decisions;
pub use drifted::DriftedPolicy;
pub use explanation::{ExplainedCondition, ExplainedEntry, ExplainedRule, Explanation};
pub use fleet::{
    AccountPlan, AccountProblem, AccountProblemCode, FleetAccountRef, FleetOverrides, FleetPlan,
    FleetSource, FleetTotals, FleetViolation, MergeError, Uncovered, missing_shards,
};
pub use guard::{
    AccountCount, DefaultThreshold, EffectiveThreshold, Excess, Guard, Overrides, ShareBase,
    Supervision, Violation, WideningGuard,
};
pub use impact::{Effect, ExplainedImpact, PlanImpact};
pub use pinned::{PinnedPolicies, PolicyDocuments, policy_documents};
pub use preflight::{Preflight, Refused, Verdict};
pub use rollback::{changed_principals, rollback};
pub use scope::{
    ScopeError, check_account, check_journal_scope, check_plan_account, check_plan_scope,
    check_scope,
};
pub use source::{Base, PlanSource};
pub use unlisted::{Unlisted, UnlistedPrincipal};
pub use used::{UsedPermission, UsedPermissions, UsedResult};
pub use warning::Warning;
pub use widening::Widening;
