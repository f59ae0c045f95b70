//! Files and directories on this machine. Files are opened and read with a maximum size, and without waiting for one
//! that is not regular: a FIFO blocks the process that opens it, and `/dev/zero` has no end.

mod directory;
mod open;
mod read;
mod size;
mod write_reason;

pub use directory::{create_private_directory, parent, sync_parent_directory};
pub use open::{open_own, reject_special};
pub use read::{
    STANDARD_INPUT, is_standard_input, read_input, read_own, read_regular, read_stream, read_to_end,
};
pub use size::MaxSize;
pub use write_reason::write_reason;
