use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::iam::Printable;

/// Texts that many principals have: paths, groups and tags. Equal ones share their memory.
#[derive(Debug, Default)]
pub(super) struct Texts(Mutex<HashSet<Printable>>);

impl Texts {
    /// The text, with unsafe characters escaped.
    pub(super) fn shared(&self, text: &str) -> Printable {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = texts.get(text) {
            return known.clone();
        }
        let new = Printable::exact(text);
        texts.insert(new.clone());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_their_memory() {
        let texts = Texts::default();
        let [first, second] = ["/engineering/"; 2].map(|text| texts.shared(text));
        assert!(std::ptr::eq(first.as_str(), second.as_str()));
        let escaped = ["a\u{202e}"; 2].map(|text| texts.shared(text));
        assert_eq!(escaped, ["a\\u{202e}"; 2].map(Printable::exact));
    }
}
