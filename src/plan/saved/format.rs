use crate::iam::Digest;

/// The value of the field `format`.
pub(super) const FORMAT: &str = "iam-boundaries/plan";

/// The version of the format that is written. Every change of the format increments it, so that an older tool
/// rejects a file that it does not know. Version 2 can also be read.
pub const FORMAT_VERSION: u32 = 3;

/// The earliest version of the format that is read.
pub(super) const EARLIEST_VERSION: u32 = 2;

/// The value of the field `format` of a fleet plan.
pub(super) const FLEET_FORMAT: &str = "iam-boundaries/fleet-plan";

/// The version of the format of fleet plans.
pub const FLEET_FORMAT_VERSION: u32 = 1;

/// Whether a text is a saved plan of an account or of a fleet, or the beginning or a damaged copy of one.
pub fn is_plan_like(text: &[u8]) -> bool {
    is_begun_with(text, FORMAT) || is_fleet_plan_like(text)
}

/// Whether a text is a saved fleet plan, or the beginning or a damaged copy of one.
pub(super) fn is_fleet_plan_like(text: &[u8]) -> bool {
    is_begun_with(text, FLEET_FORMAT)
}

fn is_begun_with(text: &[u8], format: &str) -> bool {
    text.windows(format.len()).take(200).any(|window| window == format.as_bytes())
}

/// The fields of a document that are not part of its digest: the digest, what the changes give and take, and who made the
/// changes that the plan would undo.
const NOT_IN_DIGEST: [&str; 3] = ["digest", "impact", "blame"];

/// The SHA-256 of a document without the fields in [`NOT_IN_DIGEST`], as JSON with sorted keys and no spaces.
pub(super) fn content_digest(document: &impl serde::Serialize) -> Digest {
    let mut content =
        serde_json::to_value(document).expect("strings and numbers serialize to JSON");
    if let Some(fields) = content.as_object_mut() {
        fields.retain(|name, _| !NOT_IN_DIGEST.contains(&name.as_str()));
    }
    content.sort_all_objects();
    Digest::of(content.to_string())
}
