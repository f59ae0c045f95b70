use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::request::Request;
use crate::iam::AccountId;

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
    /// The sandbox executes the action; instead of the response, a proxy returns an HTML page with this status.
    Replaced(u16),
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
    /// `GetCallerIdentity` returns this account. Other actions are executed.
    OtherIdentity(AccountId),
    /// The credentials of `AssumeRole` expire after this time. Other actions are executed.
    SessionTime(Duration),
    /// A list of AWS Organizations or CloudTrail returns no items, and a token for the same page. AWS documents that pages can be empty
    /// ([ListAccounts](https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html)). Other
    /// actions are executed.
    EmptyPage,
}

impl Fault {
    /// [`Fault::Error`] from its parts.
    pub fn error(status: u16, code: &str, message: &str) -> Fault {
        Fault::Error { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// IAM's response to a throttled call; `TooManyRequestsException` for an action of AWS Organizations, and
    /// `ThrottlingException` for one of CloudTrail.
    pub fn throttling() -> Fault {
        Fault::error(400, "Throttling", "Rate exceeded")
    }

    /// The response to a caller without the permission; `AccessDeniedException` for an action of AWS Organizations or
    /// CloudTrail.
    pub fn access_denied() -> Fault {
        Fault::error(403, "AccessDenied", "User is not authorized to perform this action")
    }
}

/// The calls into which a fault is injected. The default is all calls.
#[derive(Debug, Clone, Default)]
pub struct FaultScope {
    /// The account: that of the role for `AssumeRole`, and that of the credentials for every other action. `None` for all
    /// accounts.
    pub account: Option<String>,
    /// The action; `None` for all actions.
    pub action: Option<String>,
    /// The user or role; `None` for all.
    pub name: Option<String>,
    /// The number of calls that get the fault; `None` for all.
    pub times: Option<u32>,
}

impl FaultScope {
    /// All calls of an account.
    pub fn account(id: &str) -> Self {
        FaultScope { account: Some(id.to_owned()), ..FaultScope::default() }
    }

    /// Only calls of this action.
    #[must_use]
    pub fn action(self, action: &str) -> Self {
        FaultScope { action: Some(action.to_owned()), ..self }
    }

    /// Only the next calls, this many.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        FaultScope { times: Some(times), ..self }
    }

    fn has(&self, request: &Request) -> bool {
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| value == Some(wanted))
        };
        self.times != Some(0)
            && is(&self.action, Some(&request.action))
            && is(&self.account, Some(request.target_account()))
            && is(&self.name, request.principal().map(|(_, name)| name))
    }
}

/// The faults to inject into the next calls. If several apply to a call, the one that was added first is injected.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<(FaultScope, Fault)>>);

impl Faults {
    /// Injects the fault into the next `times` calls of `action`: into calls for the user or role with this name, or
    /// into all calls.
    pub fn add(&self, action: &str, name: Option<&str>, times: u32, fault: Fault) {
        let (action, name) = (Some(action.to_owned()), name.map(str::to_owned));
        self.inject(FaultScope { account: None, action, name, times: Some(times) }, fault);
    }

    /// Injects the fault into the calls of the scope.
    pub fn inject(&self, scope: FaultScope, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((scope, fault));
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault to inject into this call. It reduces the number of calls that get the fault.
    pub(super) fn take(&self, request: &Request) -> Option<Fault> {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (scope, fault) = pending.iter_mut().find(|(scope, _)| scope.has(request))?;
        if let Some(times) = &mut scope.times {
            *times -= 1;
        }
        Some(fault.clone())
    }
}
