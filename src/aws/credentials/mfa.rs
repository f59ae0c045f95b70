use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use tokio::time::Instant;

use super::role::Role;

/// Asks a person for the code of an MFA device.
pub trait MfaPrompt: Debug + Send + Sync {
    /// Asks for the present code of the device with this serial number or ARN, and waits for it. `None` if nobody
    /// can be asked.
    ///
    /// # Errors
    /// If the code cannot be read.
    fn ask(&self, serial: &str) -> io::Result<Option<String>>;
}

/// Asks nobody.
#[derive(Debug, Clone, Copy)]
pub struct NoMfaPrompt;

impl MfaPrompt for NoMfaPrompt {
    fn ask(&self, _: &str) -> io::Result<Option<String>> {
        Ok(None)
    }
}

/// Asks for codes, and keeps the sessions that were opened with them. Clones share it: a person is asked once for each
/// role, however many connections use it one after another or at the same time.
#[derive(Debug, Clone)]
pub struct Mfa {
    prompt: Arc<dyn MfaPrompt>,
    roles: Arc<Mutex<HashMap<Role, MfaRole>>>,
}

/// What is known of the MFA device of a role. The lock is held while a person is asked.
pub(super) type MfaRole = Arc<tokio::sync::Mutex<MfaState>>;

#[derive(Default)]
pub(super) struct MfaState {
    /// The session that was opened with a code.
    pub(super) session: Option<MfaSession>,
    /// A code that was sent without a response, and when it was typed. A person is not asked again for each retry.
    pub(super) unanswered: Option<(String, Instant)>,
}

/// A session that was opened with a code.
#[derive(Clone)]
pub(super) struct MfaSession {
    pub(super) credentials: Credentials,
    opened: SystemTime,
}

impl Mfa {
    /// Asks with `prompt`.
    pub fn new(prompt: impl MfaPrompt + 'static) -> Mfa {
        Mfa { prompt: Arc::new(prompt), roles: Arc::default() }
    }

    pub(super) fn prompt(&self) -> Arc<dyn MfaPrompt> {
        self.prompt.clone()
    }

    /// What is known of the device of `role`.
    pub(super) fn of(&self, role: &Role) -> MfaRole {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles.entry(role.clone()).or_default().clone()
    }
}

impl MfaSession {
    pub(super) fn new(credentials: Credentials) -> MfaSession {
        MfaSession { credentials, opened: SystemTime::now() }
    }

    /// Whether the session lasts for `time` from now.
    pub(super) fn lasts(&self, time: Duration) -> bool {
        self.credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + time)
    }

    /// The time from the opening to the end; zero without an end.
    pub(super) fn lifetime(&self) -> Duration {
        let expiry = self.credentials.expiry().unwrap_or(self.opened);
        expiry.duration_since(self.opened).unwrap_or_default()
    }
}

impl Debug for MfaState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MfaState")
    }
}
