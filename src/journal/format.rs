/// The version of the format that is written. Every change of the format increments it, so that an older tool
/// rejects a file that it does not know. Earlier versions can also be read.
pub const FORMAT_VERSION: u32 = 2;

/// The extension of the files of journals.
pub const EXTENSION: &str = "jsonl";

/// The value of the field `format`.
pub(super) const FORMAT: &str = "iam-boundaries/journal";
