use std::fs::{DirBuilder, File};
use std::io;
use std::path::Path;

/// The directory that contains `path`.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a directory, and those above it that do not exist, for their owner only (mode 0700).
///
/// # Errors
/// If a directory cannot be created.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes the directory entry of a file that was just created or renamed to disk, if the system supports it.
/// Without this, a complete file can be missing after a crash.
///
/// # Errors
/// If the directory cannot be synced.
pub fn sync_parent_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(parent(path))?.sync_all() } else { Ok(()) }
}
