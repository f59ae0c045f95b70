//! What the account has and how calls to AWS ended, as plain values: no network, no SDK type.

mod api_error;
mod attributes;
mod caller_identity;
mod calls;
mod clock_difference;
mod every_principal;
mod last_used;
mod organization;
mod policies;
mod policy_state;
mod reading;
mod trail;
mod wait;

pub use api_error::{ApiError, ErrorClass};
pub use attributes::{ADMINISTRATIVE_POLICIES, Attributes, Tag};
pub use caller_identity::CallerIdentity;
pub use calls::{CallCount, CallOutcome, Retry, StopReason};
pub use clock_difference::ClockDifference;
pub use every_principal::{EveryPrincipal, EveryPrincipalError, UnreadablePrincipal};
pub use last_used::{LastUsed, UsedService};
pub use organization::{AccountState, OrganizationAccount};
pub use policies::{AccountPolicies, IdentityPolicies, PolicyText, PolicyTexts, policy_text};
pub use policy_state::PolicyState;
pub use reading::{Inventory, Reading};
pub use trail::{BoundaryAction, BoundaryEvent, RecordedIdentity, RecordedRequest, TrailPage};
pub use wait::Wait;
