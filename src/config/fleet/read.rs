use std::path::Path;
use std::sync::Arc;

use super::check;
use super::content::Fleet;
use crate::config::FileErrors;
use crate::config::read::{FLEET_FILE, source_of};
use crate::config::source_text::SourceText;
use crate::files::{STANDARD_INPUT, is_standard_input};

impl Fleet {
    /// Reads and checks the fleet file at `path`. The boundaries files that it names are not read.
    ///
    /// # Errors
    /// Returns every error in the file, or the reason why it cannot be read. Standard input is an error: the boundaries
    /// files are relative to the fleet file.
    pub fn read(path: impl AsRef<Path>) -> Result<Fleet, FileErrors> {
        let path = path.as_ref();
        if is_standard_input(path) {
            let message = "a fleet file cannot be read from standard input";
            let help = "specify the path of the fleet file: the boundaries files that it names are relative to it";
            return Err(FileErrors::of_file(STANDARD_INPUT, message, help));
        }
        check::check(Arc::new(source_of(path, &FLEET_FILE)?))
    }

    /// Checks `text` as the content of the fleet file at `path`, which is not read.
    ///
    /// # Errors
    /// Returns every error in the text.
    pub fn parse(path: &str, text: &str) -> Result<Fleet, FileErrors> {
        let source = SourceText::new(path, text.to_owned()).at(Path::new(path));
        check::check(Arc::new(source))
    }
}
