use super::call_counter::CallCounter;
use super::clock::AwsClock;
use super::credentials::RenewedCredentials;
use super::redactor::Redactor;
use super::retries::Outage;
use super::waits::Waits;

/// What the calls of a connection share. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct CallContext {
    pub(super) counter: CallCounter,
    pub(super) redactor: Redactor,
    /// The credentials that sign the calls.
    pub(super) credentials: RenewedCredentials,
    pub(super) outage: Outage,
    pub(super) clock: AwsClock,
    pub(super) waits: Waits,
}
