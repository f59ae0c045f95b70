use super::named;
use crate::plan::{Conflict, Plan, Reading};

/// What the plan expected a user to have, and what is there instead, in words.
pub(super) fn expected_and_found(plan: &Plan, conflict: &Conflict) -> (String, String) {
    let expected = named(plan, conflict.change.action.from()).to_owned();
    (expected, found_words(plan, &conflict.found))
}

/// What is there instead of what was expected, in words.
pub(super) fn found_words(plan: &Plan, found: &Reading) -> String {
    match found {
        Reading::Boundary(arn) => named(plan, arn.as_ref()).to_owned(),
        Reading::NoSuchUser { differs_by_case: None } => "no such user".to_owned(),
        Reading::NoSuchUser { differs_by_case: Some(other) } => {
            format!("no such user, but {other}")
        }
        Reading::Unreadable(error) => format!("nothing that could be read: {error}"),
    }
}
