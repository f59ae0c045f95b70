//! The HTTP client of every call: certificate authorities and proxies.

mod client;
mod error;
mod proxy;
mod trust_store;

pub(super) use client::{Client, Exchange, host};
pub(super) use error::{PROXY_REFUSED, UntrustedError};
pub(super) use proxy::Proxies;
pub(super) use trust_store::Trust;
