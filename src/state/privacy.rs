use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// Why a state directory cannot be trusted: somebody else could change or replace what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// It is a symbolic link.
    SymbolicLink,
    /// It is not a directory.
    NotADirectory,
    /// Another user owns it.
    Owner {
        /// The user ID of the owner.
        owner: u32,
        /// The user ID of this process.
        user: u32,
    },
    /// Its group or other users can read or write it: its mode, which is not 0700.
    Mode(u32),
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distrust::SymbolicLink => write!(f, "it is a symbolic link"),
            Distrust::NotADirectory => write!(f, "it is not a directory"),
            Distrust::Owner { owner, user } => {
                write!(
                    f,
                    "it belongs to the user with ID {owner}, and this process has user ID {user}"
                )
            }
            Distrust::Mode(mode) => {
                write!(f, "other users have access to it: its mode is {mode:04o}")
            }
        }
    }
}

/// Why somebody else could change what is in `directory`; `None` if it is a directory and no symbolic link,
/// belongs to the user, and has mode 0700. On Windows, the directory's access control list is not checked.
pub(super) fn distrust(directory: &Path) -> io::Result<Option<Distrust>> {
    directory.symlink_metadata().map(|found| distrust_of(&found))
}

fn distrust_of(found: &fs::Metadata) -> Option<Distrust> {
    if found.is_symlink() {
        return Some(Distrust::SymbolicLink);
    }
    if !found.is_dir() {
        return Some(Distrust::NotADirectory);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let user = rustix::process::geteuid().as_raw();
        if found.uid() != user {
            return Some(Distrust::Owner { owner: found.uid(), user });
        }
        let mode = found.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Some(Distrust::Mode(mode));
        }
    }
    None
}
