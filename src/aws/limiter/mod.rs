//! The controller of the rate limiter: pure, without a clock and without a network.

mod controller;
mod max_rate;
mod per_second;
mod refills;
mod spacing;

pub use controller::{Controller, Decision, LimiterOptions, Response, Ticket};
pub use max_rate::MaxRate;
