//! Files that are whole or not there at every moment.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes `text` beside `path`, down to the disk; whoever persists what is given puts it in place.
///
/// # Errors
/// When the folder is not there, or the text cannot be written: then nothing is left of it.
pub(crate) fn beside(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no such folder"));
    }
    let mut builder = tempfile::Builder::new();
    // As any new file, less what the umask takes: a temporary one would be the owner's alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.prefix(".iam-boundaries-").tempfile_in(folder);
    // The temporary file's name tells nobody anything.
    let mut file = file.map_err(|error| io::Error::from(error.kind()))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Brings the folder's entry of a file that was just made or put in place down to the disk, where the
/// system can: a file that is whole may else be gone after a crash.
///
/// # Errors
/// When the folder cannot be synced.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) { std::fs::File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
