use iam_boundaries::iam::Digest;
use iam_boundaries::plan::Plan;
use serde_json::Value;

use super::reports::{inert, of_plan, reads_back};

/// A saved plan: any bytes.
pub fn plan(input: &[u8]) -> bool {
    let is_read = read(input);
    // No fuzzer guesses a digest. What a document with a wrong one says is read as if its digest were right.
    let mended = with_right_digest(input).is_some_and(|mended| read(mended.as_bytes()));
    is_read || mended
}

fn read(text: &[u8]) -> bool {
    let plan = match Plan::from_json(text) {
        Ok(plan) => plan,
        Err(error) => {
            inert(&error.to_string());
            return false;
        }
    };
    let document = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("it was read");
    let read = document(text);
    assert_eq!(read["digest"], plan.digest().to_string());
    assert_eq!(document(plan.to_json().as_bytes()), read);
    reads_back(&plan);
    of_plan(&plan);
    true
}

/// The document with the digest of what is in it, as `docs/plan-format.md` says how it is made.
fn with_right_digest(input: &[u8]) -> Option<String> {
    let mut document: Value = serde_json::from_slice(input).ok()?;
    document.as_object_mut()?.remove("digest");
    document.sort_all_objects();
    document["digest"] = Digest::of(document.to_string()).to_string().into();
    Some(document.to_string())
}
