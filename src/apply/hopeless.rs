use std::collections::BTreeSet;

use super::{ApiError, CallOutcome, ErrorClass};
use crate::iam::PolicyArn;
use crate::plan::{BoundaryChange, Change, Plan};

/// Finds out that an error concerns every item, from the answers so far.
///
/// Credentials that are no longer good say so at once. `AccessDenied` does not: a permission may be
/// limited to some users, by path, or to some boundaries, by the condition key
/// [`iam:PermissionsBoundary`](https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html),
/// and one item's failure must not keep the others from being done. So it counts only when many items
/// were denied, among them one for each call and boundary that the plan has, and no answer at all
/// leaves room for a permission.
pub(super) struct Hopeless<'a> {
    undenied: BTreeSet<Permission<'a>>,
    denied: usize,
    may_be_permitted: bool,
}

/// So many items must be denied, at least.
const MANY: usize = 20;

/// What a policy can tell apart in the calls of a plan. The boundary is the one that the condition key
/// is compared with: the new one of a user who gets one, and the present one of a user who loses it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Permission<'a> {
    Put(&'a PolicyArn),
    Delete(&'a PolicyArn),
}

impl<'a> Permission<'a> {
    fn of(change: &'a Change) -> Self {
        match &change.action {
            BoundaryChange::Add { to } | BoundaryChange::Change { to, .. } => Permission::Put(to),
            BoundaryChange::Remove { from } => Permission::Delete(from),
        }
    }
}

impl<'a> Hopeless<'a> {
    /// Before the first answer.
    pub(super) fn new(plan: &'a Plan) -> Self {
        let undenied = plan.changes.iter().map(Permission::of).collect();
        Hopeless { undenied, denied: 0, may_be_permitted: false }
    }

    /// Takes the answer to one more item. The error, if no other item can fare better.
    pub(super) fn error<'e>(
        &mut self,
        change: &'a Change,
        answer: &'e CallOutcome,
    ) -> Option<&'e ApiError> {
        let error = match answer {
            CallOutcome::NotAttempted => return None,
            CallOutcome::Applied { .. } => {
                self.may_be_permitted = true;
                return None;
            }
            CallOutcome::Failed { error, .. } => error,
        };
        match error.class {
            ErrorClass::Credentials => return Some(error),
            ErrorClass::Denied => {
                self.denied += 1;
                self.undenied.remove(&Permission::of(change));
            }
            // It does not say whether it would have been denied.
            ErrorClass::Throttled => return None,
            // IAM may have looked at the permission before; and a lost answer can have been any.
            ErrorClass::NotFound | ErrorClass::Rejected | ErrorClass::Transient => {
                self.may_be_permitted = true;
            }
        }
        let is_hopeless = self.denied >= MANY && self.undenied.is_empty() && !self.may_be_permitted;
        is_hopeless.then_some(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Digest;

    fn arn(name: &str) -> PolicyArn {
        format!("arn:aws:iam::123456789012:policy/{name}").parse().unwrap()
    }

    fn plan(actions: impl IntoIterator<Item = BoundaryChange>) -> Plan {
        let change = |(n, action)| Change {
            user: format!("user-{n:03}").parse().unwrap(),
            line: n + 2,
            action,
            origin: None,
        };
        let account = "123456789012".parse().unwrap();
        Plan {
            changes: actions.into_iter().enumerate().map(change).collect(),
            ..Plan::empty(account, "boundaries.toml".to_owned(), Digest::of(""))
        }
    }

    fn failed(class: ErrorClass) -> CallOutcome {
        let error = ApiError {
            action: "iam:PutUserPermissionsBoundary".into(),
            class,
            code: "Code".to_owned(),
            message: "message".to_owned(),
            request_id: Some("id".to_owned()),
        };
        CallOutcome::Failed { attempts: 1, error, may_be_done: false }
    }

    /// After how many denied items, in the plan's order, there is no hope left.
    fn given_up_after(plan: &Plan, first: Option<CallOutcome>) -> Option<usize> {
        let mut hopeless = Hopeless::new(plan);
        if let Some(first) = first {
            assert_eq!(hopeless.error(&plan.changes[0], &first), None);
        }
        let denied = failed(ErrorClass::Denied);
        let at = plan.changes.iter().position(|change| hopeless.error(change, &denied).is_some());
        at.map(|at| at + 1)
    }

    fn add(name: &str) -> BoundaryChange {
        BoundaryChange::Add { to: arn(name) }
    }

    #[test]
    fn a_plan_that_is_denied_item_by_item_is_given_up_after_twenty() {
        assert_eq!(given_up_after(&plan((0..19).map(|_| add("A"))), None), None);
        assert_eq!(given_up_after(&plan((0..500).map(|_| add("A"))), None), Some(20));
    }

    #[test]
    fn each_call_and_boundary_of_the_plan_is_tried_before() {
        let rare = |action: BoundaryChange| plan((0..40).map(|_| add("A")).chain([action]));
        assert_eq!(given_up_after(&rare(add("B")), None), Some(41));
        assert_eq!(
            given_up_after(&rare(BoundaryChange::Remove { from: arn("A") }), None),
            Some(41)
        );
        let change = BoundaryChange::Change { from: arn("B"), to: arn("A") };
        assert_eq!(given_up_after(&rare(change), None), Some(20));
    }

    #[test]
    fn any_answer_that_leaves_room_for_a_permission_keeps_the_run_going() {
        let plan = plan((0..100).map(|_| add("A")));
        let applied = CallOutcome::Applied { attempts: 1, request_id: None };
        for (first, given_up) in [
            (applied, None),
            (failed(ErrorClass::NotFound), None),
            (failed(ErrorClass::Rejected), None),
            (failed(ErrorClass::Transient), None),
            (failed(ErrorClass::Throttled), Some(20)),
            (CallOutcome::NotAttempted, Some(20)),
        ] {
            assert_eq!(given_up_after(&plan, Some(first.clone())), given_up, "{first:?}");
        }
    }

    #[test]
    fn credentials_that_are_no_good_are_known_from_one_answer() {
        let plan = plan([add("A"), add("A")]);
        let mut hopeless = Hopeless::new(&plan);
        let expired = failed(ErrorClass::Credentials);
        assert!(hopeless.error(&plan.changes[0], &expired).is_some());
    }
}
