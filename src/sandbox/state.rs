use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::account::Accounts;
use super::error::SandboxError;
use crate::files::{MaxSize, read_regular};

const FORMAT: &str = "iam-boundaries/sandbox";
const VERSION: u32 = 1;

#[derive(Serialize)]
struct SavedState<'a> {
    format: &'static str,
    format_version: u32,
    accounts: &'a Accounts,
}

#[derive(Deserialize)]
struct LoadedState {
    format: String,
    format_version: u32,
    accounts: Accounts,
}

/// The saved accounts; none if the file does not exist.
pub(super) fn load(file: &Path) -> Result<Option<Accounts>, SandboxError> {
    let text = match read_regular(file, MaxSize::SANDBOX) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SandboxError::State { file: file.to_owned(), error }),
    };
    let foreign = |why: String| SandboxError::ForeignState { file: file.to_owned(), why };
    let loaded: LoadedState =
        serde_json::from_slice(&text).map_err(|error| foreign(error.to_string()))?;
    if loaded.format != FORMAT || loaded.format_version != VERSION {
        return Err(foreign(format!("it is {} version {}", loaded.format, loaded.format_version)));
    }
    Ok(Some(loaded.accounts))
}

/// Replaces the file atomically.
pub(super) fn save(file: &Path, accounts: &Accounts) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // `--sandbox` keeps its state directory there, which is for its owner only.
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    let state = SavedState { format: FORMAT, format_version: VERSION, accounts };
    serde_json::to_writer_pretty(&mut new, &state)?;
    new.flush()?;
    new.persist(file)?;
    Ok(())
}

/// Removes the saved accounts, so that the next start begins with the seed. Returns whether the file existed.
///
/// # Errors
/// If the file exists and cannot be removed.
pub fn reset(file: &Path) -> io::Result<bool> {
    match std::fs::remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
