use std::collections::BTreeSet;

use crate::iam::{BoundaryChange, PolicyArn, PrincipalKind};
use crate::inventory::{ApiError, CallOutcome, ErrorClass};
use crate::plan::Change;

/// Detects, from the responses so far, that an error concerns every change.
///
/// If AWS responds to no call, or throttles every one, a change fails only after minutes, and a run of thousands of changes
/// would take days. A few such changes in a row are enough.
///
/// One error about invalid credentials is enough. One `AccessDenied` is not: a permission may be limited to
/// users or roles, to some of them, by path, or to some boundaries, by the condition key
/// [`iam:PermissionsBoundary`](https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html),
/// and one failed change must not stop the others. So many changes must be denied, including one for each
/// action and boundary of the plan, and no response may suggest that the caller has any of the permissions.
pub(super) struct SystemicFailure<'a> {
    undenied: BTreeSet<Permission<'a>>,
    denied: usize,
    may_be_permitted: bool,
    /// The number of changes in a row without a response, or that were throttled for minutes.
    unavailable: usize,
}

/// The minimum number of denied changes.
const MINIMUM: usize = 20;
/// The number of changes in a row without a response, or that were throttled for minutes.
const UNAVAILABLE: usize = 3;

/// The calls of a plan that an IAM policy can distinguish. The condition key is compared with the new boundary
/// of a principal that gets one, and with the present boundary of a principal that loses it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Permission<'a> {
    Put(PrincipalKind, &'a PolicyArn),
    Delete(PrincipalKind, &'a PolicyArn),
}

impl<'a> Permission<'a> {
    fn of(change: &'a Change) -> Self {
        let kind = change.principal.kind;
        match &change.boundary {
            BoundaryChange::Add { to } | BoundaryChange::Change { to, .. } => {
                Permission::Put(kind, to)
            }
            BoundaryChange::Remove { from } => Permission::Delete(kind, from),
        }
    }
}

impl<'a> SystemicFailure<'a> {
    /// Before the first response to any of `changes`.
    pub(super) fn new(changes: impl Iterator<Item = &'a Change>) -> Self {
        let undenied = changes.map(Permission::of).collect();
        SystemicFailure { undenied, denied: 0, may_be_permitted: false, unavailable: 0 }
    }

    /// Evaluates the outcome of another call. Returns its error if no other change can succeed.
    pub(super) fn error<'e>(
        &mut self,
        change: &'a Change,
        call: &'e CallOutcome,
    ) -> Option<&'e ApiError> {
        let error = match call {
            CallOutcome::NotAttempted | CallOutcome::ThrottledUntilStop { .. } => return None,
            CallOutcome::Applied { .. } => {
                self.may_be_permitted = true;
                self.unavailable = 0;
                return None;
            }
            CallOutcome::Failed { error, .. } => error,
        };
        let is_unavailable = error.class == ErrorClass::Throttled || error.is_timeout();
        self.unavailable = if is_unavailable { self.unavailable + 1 } else { 0 };
        if self.unavailable >= UNAVAILABLE {
            return Some(error);
        }
        match error.class {
            ErrorClass::Credentials => return Some(error),
            ErrorClass::Denied => {
                self.denied += 1;
                self.undenied.remove(&Permission::of(change));
            }
            // A throttled call may not have been authorized yet.
            ErrorClass::Throttled => return None,
            // IAM may have authorized the call before it failed. A lost response may have been a success.
            ErrorClass::NotFound | ErrorClass::Rejected | ErrorClass::Transient => {
                self.may_be_permitted = true;
            }
        }
        let is_systemic =
            self.denied >= MINIMUM && self.undenied.is_empty() && !self.may_be_permitted;
        is_systemic.then_some(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Provenance;
    use crate::iam::Principal;

    fn arn(name: &str) -> PolicyArn {
        format!("arn:aws:iam::123456789012:policy/{name}").parse().unwrap()
    }

    fn changes(boundaries: impl IntoIterator<Item = BoundaryChange>) -> Vec<Change> {
        let file = "boundaries.toml".into();
        let change = |(n, boundary)| Change {
            principal: Principal::user(format!("user-{n:03}").parse().unwrap()),
            unique_id: None,
            boundary,
            provenance: Provenance::entry(&file, n + 2, None),
            reason: None,
            expired: None,
            origin: None,
            widening: None,
        };
        boundaries.into_iter().enumerate().map(change).collect()
    }

    fn failed(class: ErrorClass) -> CallOutcome {
        let error = ApiError {
            action: "iam:PutUserPermissionsBoundary".into(),
            class,
            code: "Code".into(),
            message: "message".into(),
            request_id: Some("id".into()),
        };
        CallOutcome::Failed { attempts: 1, error, may_be_done: false }
    }

    /// After how many denied items, in the plan's order, the run is stopped.
    fn stopped_after(changes: &[Change], first: Option<CallOutcome>) -> Option<usize> {
        let mut detector = SystemicFailure::new(changes.iter());
        if let Some(first) = first {
            assert_eq!(detector.error(&changes[0], &first), None);
        }
        let denied = failed(ErrorClass::Denied);
        let at = changes.iter().position(|change| detector.error(change, &denied).is_some());
        at.map(|at| at + 1)
    }

    fn add(name: &str) -> BoundaryChange {
        BoundaryChange::Add { to: arn(name) }
    }

    #[test]
    fn a_run_whose_every_change_is_denied_stops_after_twenty() {
        assert_eq!(stopped_after(&changes((0..19).map(|_| add("A"))), None), None);
        assert_eq!(stopped_after(&changes((0..500).map(|_| add("A"))), None), Some(20));
    }

    #[test]
    fn each_action_and_boundary_of_the_plan_is_tried_first() {
        let rare = |action: BoundaryChange| changes((0..40).map(|_| add("A")).chain([action]));
        assert_eq!(stopped_after(&rare(add("B")), None), Some(41));
        assert_eq!(stopped_after(&rare(BoundaryChange::Remove { from: arn("A") }), None), Some(41));
        let change = BoundaryChange::Change { from: arn("B"), to: arn("A") };
        assert_eq!(stopped_after(&rare(change), None), Some(20));
    }

    #[test]
    fn the_actions_on_users_and_on_roles_are_tried_separately() {
        let mut changes = changes((0..41).map(|_| add("A")));
        changes[40].principal = Principal::role("deploy".parse().unwrap());
        assert_eq!(stopped_after(&changes, None), Some(41));
    }

    #[test]
    fn a_response_that_suggests_a_permission_keeps_the_run_going() {
        let changes = changes((0..100).map(|_| add("A")));
        let applied = CallOutcome::Applied { attempts: 1, request_id: None };
        for (first, stopped) in [
            (applied, None),
            (failed(ErrorClass::NotFound), None),
            (failed(ErrorClass::Rejected), None),
            (failed(ErrorClass::Transient), None),
            (failed(ErrorClass::Throttled), Some(20)),
            (CallOutcome::NotAttempted, Some(20)),
        ] {
            assert_eq!(stopped_after(&changes, Some(first.clone())), stopped, "{first:?}");
        }
    }

    #[test]
    fn a_run_stops_if_three_changes_in_a_row_have_no_response_or_were_throttled_for_minutes() {
        let changes = changes((0..9).map(|_| add("A")));
        let timed_out = |class| match failed(class) {
            CallOutcome::Failed { error, .. } => CallOutcome::Failed {
                attempts: 3,
                error: ApiError { code: ApiError::TIMED_OUT.into(), request_id: None, ..error },
                may_be_done: true,
            },
            other => other,
        };
        let applied = CallOutcome::Applied { attempts: 1, request_id: None };
        for unavailable in [timed_out(ErrorClass::Transient), failed(ErrorClass::Throttled)] {
            for between in [applied.clone(), failed(ErrorClass::NotFound)] {
                let mut detector = SystemicFailure::new(changes.iter());
                let calls = [&unavailable, &unavailable, &between, &unavailable, &unavailable];
                for (change, call) in changes.iter().zip(calls) {
                    assert_eq!(detector.error(change, call), None, "{call:?}");
                }
                assert!(detector.error(&changes[5], &unavailable).is_some(), "{unavailable:?}");
            }
        }
        // Other errors can concern single changes.
        let mut detector = SystemicFailure::new(changes.iter());
        let transient = failed(ErrorClass::Transient);
        assert!(changes.iter().all(|change| detector.error(change, &transient).is_none()));
    }

    #[test]
    fn invalid_credentials_stop_the_run_at_once() {
        let changes = changes([add("A"), add("A")]);
        let mut detector = SystemicFailure::new(changes.iter());
        let expired = failed(ErrorClass::Credentials);
        assert!(detector.error(&changes[0], &expired).is_some());
    }
}
