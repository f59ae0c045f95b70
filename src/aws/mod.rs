//! The account as IAM has it: the caller identity, the present boundary of each principal, and writes.
//!
//! This is the only module that names an `aws_*` crate. The SDK's own retries are disabled: every attempt goes
//! through `CallExecutor`, so that it is rate-limited, counted, and can be stopped.

mod access;
mod account;
mod account_alias;
mod account_role;
mod bad_response;
mod base_identity;
mod call_context;
mod call_counter;
mod call_executor;
mod clock;
mod connect_error;
mod connection;
mod credentials;
mod detail;
mod documents;
mod endpoint;
mod error;
mod http;
mod identity;
mod identity_guard;
mod last_used;
mod limiter;
mod organization;
mod pages;
mod policies;
mod policy_collector;
mod profile;
mod rate_limiter;
mod read;
mod reader;
mod readings;
mod redactor;
mod region;
mod response_check;
mod response_limit;
mod retries;
mod retry_policy;
mod spellings;
mod stop;
mod text_search;
mod texts;
mod trail;
mod trail_event;
mod waits;
mod whole_inventory;
mod write;

pub use access::{Access, ExpectedPartition};
pub use account::Account;
pub use base_identity::BaseIdentity;
pub use connect_error::ConnectError;
pub use connection::Connection;
pub use credentials::{MfaPrompt, NoMfaPrompt};
pub use endpoint::PlainHttp;
pub use limiter::{Controller, Decision, LimiterOptions, MaxRate, Response, Ticket};
pub use organization::Organization;
pub use profile::ProfileOrigin;
pub use region::RegionMismatch;
pub use retries::THROTTLING;
pub use retry_policy::RetryPolicy;
pub use stop::{Stop, StopSwitch};
pub use trail::{Trail, TrailQuery};
pub use waits::Waits;
pub use write::Writer;
