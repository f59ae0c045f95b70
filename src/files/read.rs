use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::open::{open_own, open_regular};
use super::size::MaxSize;

/// Reads a file of the tool's own: a regular file, and not a symbolic link to one.
///
/// # Errors
/// If the file cannot be read, is not a regular file, or is larger than `max`.
pub fn read_own(path: &Path, max: MaxSize) -> io::Result<Vec<u8>> {
    read_to_end(open_own(path, OpenOptions::new().read(true))?, max)
}

/// Reads a regular file. Symbolic links are followed.
///
/// # Errors
/// If the file cannot be read, is not a regular file, or is larger than `max`.
pub fn read_regular(path: &Path, max: MaxSize) -> io::Result<Vec<u8>> {
    read_to_end(open_regular(path)?, max)
}

/// Reads a file that may be a FIFO, such as `/dev/stdin` or the `<(…)` of a shell.
///
/// # Errors
/// If the file cannot be read, or is larger than `max`.
pub fn read_stream(path: &Path, max: MaxSize) -> io::Result<Vec<u8>> {
    read_to_end(File::open(path)?, max)
}

/// The name of standard input in messages.
pub const STANDARD_INPUT: &str = "standard input";

/// Whether a path on the command line means standard input.
pub fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a file like [`read_stream`]; `-` is standard input.
///
/// # Errors
/// If the file cannot be read, or is larger than `max`.
pub fn read_input(path: &Path, max: MaxSize) -> io::Result<Vec<u8>> {
    match is_standard_input(path) {
        true => read_to_end(io::stdin().lock(), max),
        false => read_stream(path, max),
    }
}

/// Reads to the end, which must come within `max`.
///
/// # Errors
/// If reading fails, or there is more than `max`.
pub fn read_to_end(from: impl Read, max: MaxSize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(max.bytes() + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max.bytes() {
        let what = format!("it is larger than {max}, the maximum for this kind of file");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_maximum_size_is_read_and_a_larger_one_is_not() {
        let max = MaxSize::of_bytes(1_000);
        assert_eq!(read_to_end(io::repeat(b'x').take(1_000), max).unwrap().len(), 1_000);
        let error = read_to_end(io::repeat(b'x'), max).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(error.to_string().starts_with("it is larger than 1000 bytes"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_read_and_no_other_file_blocks() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        let mkfifo = std::process::Command::new("mkfifo").arg(at("fifo")).status();
        assert!(mkfifo.unwrap().success());
        let why = |read: io::Result<Vec<u8>>| read.map_err(|error| error.to_string());
        assert_eq!(why(read_own(&at("file"), MaxSize::STATE)), Ok(b"text".to_vec()));
        assert_eq!(why(read_regular(&at("link"), MaxSize::STATE)), Ok(b"text".to_vec()));
        let link = Err("it is a symbolic link".to_owned());
        assert_eq!(why(read_own(&at("link"), MaxSize::STATE)), link);
        let special = Err("it is not a regular file".to_owned());
        for path in [at("fifo"), "/dev/zero".into()] {
            assert_eq!(why(read_own(&path, MaxSize::STATE)), special);
            assert_eq!(why(read_regular(&path, MaxSize::STATE)), special);
        }
        assert!(read_own(directory.path(), MaxSize::STATE).is_err());
        assert!(read_regular(directory.path(), MaxSize::STATE).is_err());
        // A symbolic link whose target does not exist is not followed to create it.
        std::os::unix::fs::symlink(at("new"), at("dangling")).unwrap();
        let created = open_own(&at("dangling"), OpenOptions::new().write(true).create(true));
        assert!(created.is_err() && !at("new").exists());
    }
}
