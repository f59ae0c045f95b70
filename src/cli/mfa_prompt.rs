use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

use super::gate::Gate;
use crate::aws::MfaPrompt;
use crate::report::WaitDisplay;

/// Asks for MFA codes at the terminal. The code is not shown.
#[derive(Debug, Clone)]
pub(super) struct TerminalMfaPrompt {
    /// Its line, and the bars on its terminal, are removed before the question.
    pub(super) waits: WaitDisplay,
}

static ASKING: Mutex<()> = Mutex::new(());

impl MfaPrompt for TerminalMfaPrompt {
    fn ask(&self, serial: &str) -> io::Result<Option<String>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        // The accounts of a fleet ask one after the other.
        let _one = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        let prompt = format!("MFA code for {}: ", printable(serial));
        let code = self.waits.ask(|| read(&prompt))?;
        Ok(Some(code.trim().to_owned()))
    }
}

/// Reads from standard input, like every other answer.
#[cfg(unix)]
fn read(prompt: &str) -> io::Result<String> {
    let config = rpassword::ConfigBuilder::new()
        .input_file_path("/dev/stdin")
        .output_writer(Gate::new(false).stderr())
        .build();
    match rpassword::prompt_password_with_config(prompt, config) {
        // After `su`, the terminal of standard input belongs to another user.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            rpassword::prompt_password(prompt)
        }
        read => read,
    }
}

#[cfg(not(unix))]
fn read(prompt: &str) -> io::Result<String> {
    rpassword::prompt_password(prompt)
}

/// The serial number comes from a file: nothing in it controls the terminal.
fn printable(serial: &str) -> String {
    serial.chars().filter(|c| c.is_ascii_graphic()).collect()
}
