//! Where credentials come from, and how they are renewed.

mod assume_role;
mod bounds;
mod mfa;
mod process;
mod profile_chain;
mod profile_check;
mod renewal;
mod role;
mod source;
mod sources;

pub(super) use assume_role::{
    ACTION as ASSUME_ROLE, default_session_name, of_role as error_of_role, session as session_of,
};
pub(super) use bounds::{MAX_START_TIME, sts_timeouts};
pub(super) use renewal::RenewedCredentials;
pub(super) use sources::{Sources, has_partial_key};

pub use mfa::{Mfa, MfaPrompt, NoMfaPrompt};
