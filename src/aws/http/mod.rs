//! The HTTP client of every call: certificate authorities, proxies, and messages about slow responses.

mod client;
mod error;
mod proxy;
mod trust_store;
mod waiting;

pub(super) use client::{Client, Exchange, host};
pub(super) use error::UntrustedError;
pub(super) use proxy::Proxies;
pub(super) use trust_store::Trust;
pub(super) use waiting::with_notice;
