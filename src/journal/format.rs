/// The version of the format that is written. Earlier versions are read, too. Every change of the format
/// raises it, so an older tool rejects what it does not know.
pub const FORMAT_VERSION: u32 = 2;

/// The value of the field `format`.
pub(super) const FORMAT: &str = "iam-boundaries/journal";
