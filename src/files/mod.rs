//! Opening and reading files on this machine: with a maximum size, and without waiting for a file that is not
//! a regular one. A FIFO blocks whoever opens it, and `/dev/zero` has no end.

mod open;
mod read;
mod size;
mod write_reason;

pub use open::{open_own, reject_special};
pub use read::{read_own, read_regular, read_stream, read_to_end};
pub use size::MaxSize;
pub use write_reason::write_reason;
