use std::io;

/// Why a file cannot be created or written. The system's text for a missing directory, "No such file or directory",
/// reads as if the file itself had to exist.
pub fn write_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "the directory does not exist".to_owned(),
        _ => error.to_string(),
    }
}
