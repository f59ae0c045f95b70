//! Files on this machine that outlive a run: a directory for each account with its journals, the lock that
//! prevents two runs from changing the same account, the marker of an unfinished run, and atomic writes.

mod account_directory;
mod atomic;
mod content;
mod error;
mod fleet_directory;
mod holder;
mod journals;
mod lock;
mod measured_rates;
mod privacy;
mod unfinished;

pub use account_directory::{AccountDirectory, StateRoot};
pub use atomic::{OnExisting, existing_target, replace_with, write_atomically};
pub use content::{STATE_ENTRIES, StateEntry};
pub use error::StateError;
pub use fleet_directory::{FleetDirectory, FleetMarker};
pub use holder::LockHolder;
pub use lock::AccountLock;
pub use measured_rates::MeasuredRates;
pub use privacy::Distrust;
pub use unfinished::{UnfinishedRun, unfinished_run};
