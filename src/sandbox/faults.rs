use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An error answer; nothing is done.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// The message.
        message: String,
    },
    /// The connection is closed before anything is done.
    CutBefore,
    /// The work is done, and the connection closed without an answer.
    CutAfter,
    /// The work is done, and the answer breaks off in the middle of its XML.
    Truncated,
    /// The work is done, and the answer is no XML.
    Garbage,
    /// Nothing is done, and the answer is this text, with status 200.
    Answer(String),
    /// The work is done, and the answer comes this much later.
    Slow(Duration),
    /// The page begins this many users later than its marker says, as if so many had gone before it, or
    /// where negative, earlier, as if so many had come. It is never so much earlier that it ends before its
    /// own marker, and the first page does not shift.
    Shifted(isize),
    /// The user is taken out of the account before the work is done.
    UserDeleted,
}

impl Fault {
    /// An error answer.
    pub fn error(status: u16, code: &str, message: &str) -> Fault {
        Fault::Error { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// What IAM says to a caller that is too fast.
    pub fn throttling() -> Fault {
        Fault::error(400, "Throttling", "Rate exceeded")
    }
}

/// The faults that are switched on, in the order in which they were.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Rule>>);

#[derive(Debug)]
struct Rule {
    action: String,
    user: Option<String>,
    times: u32,
    fault: Fault,
}

impl Faults {
    /// Makes the next `times` calls of `action` go wrong: those for `user`, or for any.
    pub fn add(&self, action: &str, user: Option<&str>, times: u32, fault: Fault) {
        let (action, user) = (action.to_owned(), user.map(str::to_owned));
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rules.push(Rule { action, user, times, fault });
    }

    /// The fault of this call, if it has one; it is used up.
    pub(super) fn take(&self, action: &str, user: Option<&str>) -> Option<Fault> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.iter_mut().find(|rule| {
            rule.times > 0
                && rule.action == action
                && (rule.user.is_none() || rule.user.as_deref() == user)
        })?;
        rule.times -= 1;
        Some(rule.fault.clone())
    }
}
