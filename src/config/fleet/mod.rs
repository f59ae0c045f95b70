//! The fleet file: which accounts there are, which boundaries files each of them uses, and with which credentials.

mod accounts;
mod check;
mod content;
mod credentials;
mod guard;
mod load;
mod organization;
mod read;
mod schema;
mod settings;

pub use content::{AccountSettings, Fleet, FleetAccount, OrganizationScope};
pub use credentials::AccountCredentials;
pub use guard::FleetGuard;
pub use load::FleetConfigs;
pub use schema::fleet_schema;
