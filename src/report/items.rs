use serde::Serialize;

use super::plan_text::{what, what_to_do};
use crate::iam::{PolicyArn, PrincipalName};
use crate::plan::{Change, Origin, Plan, Problem};

/// A change as the account of a run gives it: each line can be read without the others.
#[derive(Serialize)]
pub(super) struct ChangeJson<'a> {
    user: &'a PrincipalName,
    action: &'static str,
    from: Option<&'a PolicyArn>,
    from_name: Option<&'a str>,
    to: Option<&'a PolicyArn>,
    to_name: Option<&'a str>,
    line: usize,
    origin: Option<Origin>,
}

/// A problem as the account of a run gives it.
#[derive(Serialize)]
pub(super) struct ProblemJson<'a> {
    user: &'a PrincipalName,
    line: usize,
    column: Option<usize>,
    code: &'a str,
    message: String,
    advice: Option<String>,
}

impl<'a> ChangeJson<'a> {
    pub(super) fn of(plan: &'a Plan, change: &'a Change) -> Self {
        let name = |arn: Option<&PolicyArn>| plan.names.get(arn?).map(String::as_str);
        let (from, to) = (change.action.from(), change.action.to());
        ChangeJson {
            user: &change.user,
            action: change.action.word(),
            from,
            from_name: name(from),
            to,
            to_name: name(to),
            line: change.line,
            origin: change.origin,
        }
    }
}

impl<'a> ProblemJson<'a> {
    pub(super) fn of(problem: &'a Problem) -> Self {
        ProblemJson {
            user: &problem.user,
            line: problem.line,
            column: problem.column,
            code: problem.kind.code(),
            message: what(problem),
            advice: what_to_do(problem),
        }
    }
}
