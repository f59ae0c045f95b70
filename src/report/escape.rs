use std::borrow::Cow;

use crate::iam::printable;

/// Untrusted text with escapes in place of the characters that a terminal or a log viewer interprets, or
/// that are invisible.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    match text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(printable(text)),
    }
}
