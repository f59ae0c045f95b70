//! Properties of every input, valid or not: one function for each fuzz target.
//!
//! `fuzz_targets` runs the functions on generated inputs, and `tests/it/corpus.rs` runs them on the corpus as
//! part of `cargo test`. They panic if a property does not hold. They return whether the input is valid: a
//! file, a fleet file or a spreadsheet without errors, a plan, a journal, or an accepted response.

mod answers;
mod csv;
mod file;
mod fleet;
mod journal;
mod loopback;
pub mod page;
mod plan;
mod reports;

pub use answers::answers;
pub use csv::csv;
pub use file::file;
pub use fleet::fleet;
pub use journal::journal;
pub use plan::plan;
