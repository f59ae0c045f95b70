//! The controller of the rate limiter: pure, without a clock and without a network.

mod controller;
mod history;
mod max_rate;
mod token_bucket;

pub use controller::{Controller, Decision, LimiterOptions, Response, Ticket};
pub use max_rate::MaxRate;
