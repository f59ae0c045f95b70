use std::fmt::Debug;
use std::io;

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
