//! The controller of the rate limiter: pure, without a clock and without a network.

mod attempt;
mod budget;
mod call;
mod controller;
mod max_rate;
mod poll;
mod refills;
mod spacing;
mod state;
mod window;

pub use call::{Decision, LimiterOptions, Response, Ticket};
pub use controller::Controller;
pub use max_rate::MaxRate;
