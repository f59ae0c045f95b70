use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// The number of calls of each action, such as `GetUser` → 12, including calls that ended in an error.
pub type ActionCalls = BTreeMap<String, u64>;

#[derive(Debug, Default)]
pub(super) struct Counter(Mutex<ActionCalls>);

/// Counts calls by account ID.
#[derive(Debug, Default)]
pub(super) struct AccountCounter(Mutex<HashMap<String, ActionCalls>>);

impl Counter {
    pub(super) fn count(&self, action: &str) {
        add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), action);
    }

    pub(super) fn counts(&self) -> ActionCalls {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl AccountCounter {
    pub(super) fn count(&self, account: &str, action: &str) {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match accounts.get_mut(account) {
            Some(calls) => add(calls, action),
            None => {
                accounts.insert(account.to_owned(), [(action.to_owned(), 1)].into());
            }
        }
    }

    pub(super) fn counts(&self, account: &str) -> ActionCalls {
        let accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(account).cloned().unwrap_or_default()
    }
}

fn add(calls: &mut ActionCalls, action: &str) {
    match calls.get_mut(action) {
        Some(count) => *count += 1,
        None => {
            calls.insert(action.to_owned(), 1);
        }
    }
}
