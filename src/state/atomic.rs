#[cfg(unix)]
use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::content::TEMPORARY;
use crate::files::{MaxSize, parent, read_regular, reject_special, sync_parent_directory};

/// What to do if the file already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// Replace it.
    Replace,
    /// Leave it, and fail with [`io::ErrorKind::AlreadyExists`].
    Fail,
}

/// The file that is written in place of `path`: the target if `path` is a symbolic link; `None` if no file
/// exists.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] or [`io::ErrorKind::IsADirectory`] if `path` is not a regular file: a device
/// must not be replaced by a file.
pub fn existing_target(path: &Path) -> io::Result<Option<PathBuf>> {
    reject_special(path)?;
    match path.canonicalize() {
        Ok(target) => Ok(Some(target)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file that is always either complete or absent, even after a crash. A replaced file keeps its permissions.
///
/// # Errors
/// Returns an error if the directory does not exist or the file cannot be written. An existing file is then
/// unchanged.
pub fn write_atomically(path: &Path, text: &str, on_existing: OnExisting) -> io::Result<()> {
    let directory = parent(path);
    if !directory.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the directory does not exist"));
    }
    let mut builder = tempfile::Builder::new();
    // The mode of a new file, before the umask. A temporary file is readable only by its owner by default.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.prefix(TEMPORARY).tempfile_in(directory);
    // Without the name of the temporary file, which means nothing to a user.
    let mut file = file.map_err(|error| io::Error::from(error.kind()))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    if on_existing == OnExisting::Replace
        && let Ok(existing) = path.metadata()
    {
        // Before the mode, which would otherwise apply to another group. Only root can set another owner.
        #[cfg(unix)]
        keep_owner(file.as_file(), &existing);
        file.as_file().set_permissions(existing.permissions())?;
    }
    match on_existing {
        OnExisting::Replace => file.persist(path),
        OnExisting::Fail => file.persist_noclobber(path),
    }
    .map_err(|error| error.error)?;
    sync_parent_directory(path)
}

/// Gives a file the owner and the group of the one that it replaces, as far as the system allows that.
#[cfg(unix)]
fn keep_owner(file: &File, existing: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let both = fchown(file, Some(existing.uid()), Some(existing.gid()));
    if both.is_err() {
        let _ = fchown(file, None, Some(existing.gid()));
    }
}

/// Replaces the file at `path` atomically with what `text` makes of its earlier text; `None` if there is none that can be
/// read.
///
/// # Errors
/// Those of [`existing_target`] and of [`write_atomically`].
pub fn replace_with(path: &Path, text: impl FnOnce(Option<&str>) -> String) -> io::Result<()> {
    let target = existing_target(path)?;
    let path = target.as_deref().unwrap_or(path);
    let earlier = read_regular(path, MaxSize::METRICS).ok();
    let earlier = earlier.as_deref().and_then(|text| std::str::from_utf8(text).ok());
    write_atomically(path, &text(earlier), OnExisting::Replace)
}
