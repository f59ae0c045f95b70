use serde::Serialize;

use super::plan_text::{what, what_to_do};
use crate::plan::{Change, Plan, Problem};
use crate::values::{AccountId, PolicyArn, UserName};

/// A plan as one JSON document, the same bytes for the same plan.
pub fn plan_json(plan: &Plan) -> String {
    let mut text = serde_json::to_string_pretty(&Document::of(plan))
        .expect("a document of strings and numbers is JSON");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    format_version: u32,
    account: AccountId,
    file: &'a str,
    summary: Summary,
    changes: Vec<ChangeJson<'a>>,
    problems: Vec<ProblemJson<'a>>,
}

#[derive(Serialize)]
struct Summary {
    add: usize,
    change: usize,
    remove: usize,
    in_sync: usize,
    problems: usize,
}

/// A change as both the plan and the account of a run give it.
#[derive(Serialize)]
pub(super) struct ChangeJson<'a> {
    user: &'a UserName,
    action: &'static str,
    from: Option<&'a PolicyArn>,
    from_name: Option<&'a str>,
    to: Option<&'a PolicyArn>,
    to_name: Option<&'a str>,
    line: usize,
}

/// A problem as both the plan and the account of a run give it.
#[derive(Serialize)]
pub(super) struct ProblemJson<'a> {
    user: &'a UserName,
    line: usize,
    column: usize,
    code: &'a str,
    message: String,
    advice: Option<String>,
}

impl<'a> Document<'a> {
    fn of(plan: &'a Plan) -> Self {
        let counts = plan.counts();
        Document {
            format: "iam-boundaries/plan",
            format_version: 1,
            account: plan.account,
            file: &plan.file,
            summary: Summary {
                add: counts.add,
                change: counts.change,
                remove: counts.remove,
                in_sync: plan.in_sync,
                problems: plan.problems.len(),
            },
            changes: plan.changes.iter().map(|change| ChangeJson::of(plan, change)).collect(),
            problems: plan.problems.iter().map(ProblemJson::of).collect(),
        }
    }
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
