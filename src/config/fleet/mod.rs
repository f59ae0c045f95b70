mod credentials;
mod guard;
pub use credentials::AccountCredentials;
pub use guard::FleetGuard;
