use std::io;
use std::path::Path;
use std::sync::Arc;

use super::source_text::SourceText;
use super::{Config, FileErrors, SourceFile, check};
use crate::files::{MaxSize, STANDARD_INPUT, is_standard_input, read_input, read_stream};
use crate::iam::{Digest, ForeignEncoding, Printable};

impl Config {
    /// Reads and checks the files at `paths`, which are layered: each over those before it. `-` is standard input. The
    /// pinned documents are read, too.
    ///
    /// # Errors
    /// Returns every error in the files, or the reason why a file cannot be read.
    pub fn read(paths: &[impl AsRef<Path>]) -> Result<Config, FileErrors> {
        // The second reading would be empty.
        if paths.iter().filter(|path| is_standard_input(path.as_ref())).count() > 1 {
            let message = "standard input is specified more than once";
            let help = "specify -f - once, and the other files by their paths";
            return Err(FileErrors::of_file(STANDARD_INPUT, message, help));
        }
        check::check(all_of(paths, |path| source_of(path, &BOUNDARIES_FILE))?, None)
    }

    /// Reads and checks earlier versions of files. An empty one did not exist yet. Pinned documents are not read: their
    /// earlier versions are not at their paths.
    ///
    /// # Errors
    /// Returns the same errors as [`Config::read`].
    pub fn read_earlier(paths: &[impl AsRef<Path>]) -> Result<Config, FileErrors> {
        let texts = all_of(paths, |path| {
            let read = read_stream(path, MaxSize::BOUNDARIES_FILE);
            text_of(Printable::path(path).to_string(), read, &EARLIER_FILE)
        })?;
        let is_empty = |source: &Arc<SourceText>| source.text.trim().is_empty();
        if !texts.iter().all(is_empty) {
            return check::check(texts, None);
        }
        let file = |source: Arc<SourceText>| {
            let digest = Digest::of(&source.text);
            SourceFile { path: source.file.clone(), digest }
        };
        Ok(Config { files: texts.into_iter().map(file).collect(), ..Config::default() })
    }

    /// Checks `text` as the content of `file`, which is not read. Neither are pinned documents.
    ///
    /// # Errors
    /// Returns every error in the text.
    pub fn parse(file: &str, text: &str) -> Result<Config, FileErrors> {
        Config::parse_layers(&[(file, text)])
    }

    /// Checks the texts of files, each with its path, as layers.
    ///
    /// # Errors
    /// Returns every error in the texts.
    pub fn parse_layers(files: &[(&str, &str)]) -> Result<Config, FileErrors> {
        let source =
            |&(file, text): &(&str, &str)| Arc::new(SourceText::new(file, text.to_owned()));
        check::check(files.iter().map(source).collect(), None)
    }
}

/// The texts of all files, or the errors of all files that cannot be read.
fn all_of(
    paths: &[impl AsRef<Path>],
    read: impl Fn(&Path) -> Result<SourceText, FileErrors>,
) -> Result<Vec<Arc<SourceText>>, FileErrors> {
    let mut texts = Ok(Vec::new());
    for path in paths {
        texts = match (texts, read(path.as_ref())) {
            (Ok(mut texts), Ok(text)) => {
                texts.push(Arc::new(text));
                Ok(texts)
            }
            (Ok(_), Err(errors)) | (Err(errors), Ok(_)) => Err(errors),
            (Err(errors), Err(others)) => Err(errors.and(others)),
        };
    }
    texts
}

/// The text of the file of this kind at `path`; `-` is standard input.
pub(super) fn source_of(path: &Path, kind: &KindNames) -> Result<SourceText, FileErrors> {
    let text = text_of(name_of(path), read_input(path, MaxSize::BOUNDARIES_FILE), kind)?;
    Ok(text.at(path))
}

/// The name of a file in messages.
pub(super) fn name_of(path: &Path) -> String {
    match is_standard_input(path) {
        true => STANDARD_INPUT.to_owned(),
        false => Printable::path(path).to_string(),
    }
}

/// How messages name files of a kind.
pub(super) struct KindNames {
    /// The option that specifies such a file.
    option: &'static str,
    kind: &'static str,
    /// How to create one.
    create: &'static str,
    /// What to do with a file that is too large.
    divide: &'static str,
}

pub(super) const BOUNDARIES_FILE: KindNames = KindNames {
    option: "-f",
    kind: "boundaries file",
    create: "create this one with a [users] table: alice = \"arn:aws:iam::123456789012:policy/Developer\"",
    divide: "divide this one by account",
};
/// An earlier version of a boundaries file.
const EARLIER_FILE: KindNames = KindNames { option: "--base", ..BOUNDARIES_FILE };
pub(super) const FLEET_FILE: KindNames = KindNames {
    option: "--fleet",
    kind: "fleet file",
    create: "create this one with an [accounts] table: payments-prod = \"111111111111\"",
    divide: "divide this one",
};

/// The text of the file of this kind, with this name in messages.
fn text_of(
    file: String,
    read: io::Result<Vec<u8>>,
    kind: &KindNames,
) -> Result<SourceText, FileErrors> {
    let bytes = read.map_err(|error| {
        let KindNames { option, kind, create, divide } = kind;
        let help = match error.kind() {
            io::ErrorKind::NotFound => {
                format!("specify another file with {option} FILE, or {create}")
            }
            io::ErrorKind::IsADirectory => {
                format!("specify a file in the directory with {option} FILE")
            }
            io::ErrorKind::PermissionDenied => {
                "grant the current user permission to read the file".to_owned()
            }
            io::ErrorKind::FileTooLarge => {
                format!("specify a {kind} with {option} FILE, or {divide}")
            }
            _ => format!("check the path and the disk, or specify another file with {option} FILE"),
        };
        let message = format!("cannot read {file}: {}", reason(&error));
        FileErrors::of_file(&file, &message, &help)
    })?;
    decoded(&file, bytes, SAVE_AS_UTF_8)
}

/// Why a file cannot be read.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "file not found".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// The bytes of a file as text. `save` says how to save the file as UTF-8.
pub(super) fn decoded(file: &str, bytes: Vec<u8>, save: &str) -> Result<SourceText, FileErrors> {
    if ForeignEncoding::of(&bytes) == Some(ForeignEncoding::Utf16) {
        let message = format!("cannot read {file}: {}", ForeignEncoding::Utf16);
        return Err(FileErrors::of_file(file, &message, save));
    }
    String::from_utf8(bytes).map(|text| SourceText::new(file, text)).map_err(|error| {
        let bad = error.utf8_error().valid_up_to();
        not_utf8(file, error.as_bytes(), bad, save)
    })
}

pub(super) const SAVE_AS_UTF_8: &str = "save the file as UTF-8, which TOML requires";

fn not_utf8(file: &str, bytes: &[u8], bad: usize, save: &str) -> FileErrors {
    let before = &bytes[..bad];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    let message = format!(
        "cannot read {file}: byte 0x{:02x} at line {line}, column {column} is not valid UTF-8",
        bytes[bad]
    );
    FileErrors::at(file, &message, save, line, column)
}
