use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A fault that the sandbox injects into a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The sandbox does nothing and returns an error.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// The message.
        message: String,
    },
    /// The sandbox does nothing and closes the connection.
    CutBefore,
    /// The sandbox executes the action and closes the connection without a response.
    CutAfter,
    /// The sandbox executes the action; the response ends in the middle of the XML.
    Truncated,
    /// The sandbox executes the action; the response is not XML.
    Garbage,
    /// The sandbox does nothing and returns this body with status 200.
    Response(String),
    /// The sandbox does nothing and returns status 200 with a body that does not end.
    Endless,
    /// The sandbox does nothing and returns a page without users and roles and with a new marker.
    EndlessPages,
    /// The sandbox executes the action. Account pages omit boundaries, like those of some IAM emulators.
    WithoutBoundaries,
    /// The sandbox executes the action and delays the response by this time.
    Slow(Duration),
    /// The page begins this many items after its marker, as if some had been deleted between two pages. A
    /// negative number shifts it to before its marker, as if some had been created. The page never ends before
    /// its own marker, and the first page is not shifted.
    Shifted(isize),
    /// The sandbox executes the action. The job that it starts fails.
    JobFailed,
    /// The sandbox deletes the user or role, then executes the action.
    UserDeleted,
}

impl Fault {
    /// [`Fault::Error`] from its parts.
    pub fn error(status: u16, code: &str, message: &str) -> Fault {
        Fault::Error { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// IAM's response to a throttled call.
    pub fn throttling() -> Fault {
        Fault::error(400, "Throttling", "Rate exceeded")
    }
}

/// The faults to inject into the next calls, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<PendingFault>>);

#[derive(Debug)]
struct PendingFault {
    action: String,
    name: Option<String>,
    calls_left: u32,
    fault: Fault,
}

impl Faults {
    /// Injects the fault into the next `times` calls of `action`: into calls for the user or role with this name, or
    /// into all calls.
    pub fn add(&self, action: &str, name: Option<&str>, times: u32, fault: Fault) {
        let (action, name) = (action.to_owned(), name.map(str::to_owned));
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.push(PendingFault { action, name, calls_left: times, fault });
    }

    /// The fault to inject into this call. It reduces the number of calls that get the fault.
    pub(super) fn take(&self, action: &str, name: Option<&str>) -> Option<Fault> {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = pending.iter_mut().find(|pending| {
            pending.calls_left > 0
                && pending.action == action
                && (pending.name.is_none() || pending.name.as_deref() == name)
        })?;
        first.calls_left -= 1;
        Some(first.fault.clone())
    }
}
