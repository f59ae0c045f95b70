use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::account::{Account, Accounts};
use super::error::SandboxError;
use crate::files::{MaxSize, create_private_directory, parent, read_regular};

const FORMAT: &str = "iam-boundaries/sandbox";
const VERSION: u32 = 1;

#[derive(Serialize)]
struct SavedState<'a> {
    format: &'static str,
    format_version: u32,
    accounts: &'a BTreeMap<String, Account>,
}

#[derive(Deserialize)]
struct LoadedState {
    format: String,
    format_version: u32,
    accounts: BTreeMap<String, Account>,
}

/// The saved accounts by ID: those with a write. None if the file does not exist.
pub(super) fn load(file: &Path) -> Result<BTreeMap<String, Account>, SandboxError> {
    let text = match read_regular(file, MaxSize::SANDBOX) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(SandboxError::State { file: file.to_owned(), error }),
    };
    let invalid = |why: String| SandboxError::InvalidState { file: file.to_owned(), why };
    let loaded: LoadedState =
        serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
    if loaded.format != FORMAT || loaded.format_version != VERSION {
        return Err(invalid(format!(
            "its format is {} version {}",
            loaded.format, loaded.format_version
        )));
    }
    Ok(loaded.accounts)
}

/// Atomically replaces the file.
pub(super) fn save(file: &Path, accounts: &Accounts) -> io::Result<()> {
    let directory = parent(file);
    // `--sandbox` keeps its state directory there, which only its owner may access.
    create_private_directory(directory)?;
    let mut new = tempfile::NamedTempFile::new_in(directory)?;
    let state = SavedState { format: FORMAT, format_version: VERSION, accounts: accounts.own() };
    new.write_all(serde_json::to_string_pretty(&state)?.as_bytes())?;
    new.flush()?;
    new.persist(file)?;
    Ok(())
}

/// Removes the saved accounts, so that the next start begins with the seed. Returns whether the file existed.
///
/// # Errors
/// Returns an error if the file exists and cannot be removed.
pub fn reset(file: &Path) -> io::Result<bool> {
    match std::fs::remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
