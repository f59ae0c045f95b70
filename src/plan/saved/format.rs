use crate::iam::Digest;

/// The value of the field `format`.
pub(super) const FORMAT: &str = "iam-boundaries/plan";

/// The version of the format that is written. Version 2 can also be read. Every change of the format raises
/// the version, so that an earlier version of the tool rejects the document.
pub const FORMAT_VERSION: u32 = 3;

/// The earliest version of the format that is read.
pub(super) const EARLIEST_VERSION: u32 = 2;

/// Whether a text is a saved plan, or a truncated or damaged saved plan.
pub fn is_plan_like(text: &[u8]) -> bool {
    text.windows(FORMAT.len()).take(200).any(|window| window == FORMAT.as_bytes())
}

/// The SHA-256 of a document without its digest, as JSON with sorted keys and no spaces.
pub(super) fn content_digest(document: &impl serde::Serialize) -> Digest {
    let mut content =
        serde_json::to_value(document).expect("strings and numbers serialize to JSON");
    if let Some(fields) = content.as_object_mut() {
        fields.remove("digest");
    }
    content.sort_all_objects();
    Digest::of(content.to_string())
}
