use std::borrow::Cow;

use crate::iam::printable;

/// Foreign text in which a terminal or a log viewer finds nothing to obey, and a reader sees every
/// character.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    match text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(printable(text)),
    }
}
