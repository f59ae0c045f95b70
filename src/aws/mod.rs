//! The account as IAM has it: who we are there, each user's present boundary, and writing one.
//!
//! The only room that names an `aws_*` crate. The SDK's own retries are off: every attempt passes
//! through one loop of our own, so that it is paced, counted, and can be stopped.

mod connection;
mod error;
mod everyone;
mod pace;
mod pages;
mod policies;
mod read;
mod retry;
mod secrets;
mod snapshot;
mod stop;
mod turnstile;
mod whole_answer;
mod write;

pub use connection::{Access, Account, CallerIdentity, ConnectError, Connection};
pub use error::{ApiError, ErrorClass};
pub(crate) use error::{is_printable, printable};
pub use everyone::{Everyone, EveryoneError, Unreadable};
pub use pace::{Answer, Bounds, Ceiling, Pace, Ticket, Turn};
pub use policies::PolicyState;
pub use retry::{Calls, Retry, RetryPolicy};
pub use snapshot::{Inventory, Reading};
pub use stop::{Stop, StopReason, StopSwitch};
pub use write::{CallOutcome, Writer};
