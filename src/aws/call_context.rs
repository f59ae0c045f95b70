use super::call_counter::CallCounter;
use super::credentials::RenewedCredentials;
use super::redactor::Redactor;

/// What the calls of a connection share. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct CallContext {
    pub(super) counter: CallCounter,
    pub(super) redactor: Redactor,
    /// The credentials that sign the calls.
    pub(super) credentials: RenewedCredentials,
}
