//! The account as IAM has it: who we are there, each user's present boundary, and writing one.
//!
//! The only room that names an `aws_*` crate. The SDK's own retries are off: every attempt passes
//! through one loop of our own, so that it is paced, counted, and can be stopped.

mod connection;
mod error;
mod every_principal;
mod pace;
mod pages;
mod policies;
mod read;
mod reader;
mod readings;
mod retry;
mod secrets;
mod stop;
mod turnstile;
mod whole_answer;
mod write;

pub use connection::{Access, Account, ConnectError, Connection};
pub use pace::{Answer, Bounds, Ceiling, Pace, Ticket, Turn};
pub use retry::RetryPolicy;
pub use stop::{Stop, StopSwitch};
pub use write::Writer;
