use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file of the tool's own: a regular file, and not a symbolic link to one.
///
/// # Errors
/// If the file cannot be opened, or is not a regular file. The file at the end of a symbolic link is neither
/// opened nor created.
pub fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    match path.symlink_metadata() {
        // Opening a device or a FIFO can have an effect.
        Ok(existing) if !existing.is_file() => return Err(not_regular(&existing.file_type())),
        _ => {}
    }
    #[cfg(unix)]
    add_flags(options, rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK);
    let file = options.open(path)?;
    // Another process may have replaced the file since.
    regular(file)
}

/// Opens a regular file to read it. Symbolic links are followed.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    reject_special(path)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    add_flags(&mut options, rustix::fs::OFlags::NONBLOCK);
    regular(options.open(path)?)
}

/// Checks that a path, at the end of symbolic links, is a regular file or does not exist.
///
/// # Errors
/// If it is a directory, a device, a FIFO or a socket, or the system cannot tell.
pub fn reject_special(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(existing) if existing.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(existing) if !existing.is_file() => Err(not_regular(&existing.file_type())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn regular(file: File) -> io::Result<File> {
    let kind = file.metadata()?.file_type();
    if kind.is_file() { Ok(file) } else { Err(not_regular(&kind)) }
}

fn not_regular(kind: &fs::FileType) -> io::Error {
    let what = if kind.is_symlink() {
        "it is a symbolic link"
    } else if kind.is_dir() {
        "it is a directory"
    } else {
        "it is not a regular file"
    };
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(unix)]
fn add_flags(options: &mut OpenOptions, flags: rustix::fs::OFlags) {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(flags.bits().cast_signed());
}
