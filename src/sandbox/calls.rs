use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The number of calls of each action, such as `GetUser` → 12, including calls that ended in an error.
pub type ActionCalls = BTreeMap<String, u64>;

#[derive(Debug, Default)]
pub(super) struct Counter(Mutex<ActionCalls>);

impl Counter {
    pub(super) fn count(&self, action: &str) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match calls.get_mut(action) {
            Some(count) => *count += 1,
            None => {
                calls.insert(action.to_owned(), 1);
            }
        }
    }

    pub(super) fn counts(&self) -> ActionCalls {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
