//! What holds for any input, however broken it is: one function for each fuzz target.
//!
//! `fuzz_targets` try them on inputs of their own making, and `tests/corpus.rs` on the corpus, as a part of
//! `cargo test`. They panic where something does not hold, and say whether the input was whole: whether
//! it is a file without a mistake, a plan, a journal, or an answer of which something was believed.

mod answers;
mod file;
mod journal;
mod loopback;
mod plan;
mod reports;

pub use answers::answers;
pub use file::file;
pub use journal::journal;
pub use plan::plan;
