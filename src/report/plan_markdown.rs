use super::guard::refused;
use super::markdown::{Page, Part, clipped, code, words};
use super::plan_text::{DRIFT, THIS_CHANGE, what_to_do};
use super::{counted, plural};
use crate::iam::PolicyArn;
use crate::plan::{Change, Counts, Origin, Plan, Problem, ProblemKind};

/// The hidden line by which a machine finds the comment that it wrote before.
pub const PLAN_MARKER: &str = "iam-boundaries plan";
/// Kept free for each part that follows, so that none pushes the others out.
const RESERVE: usize = 2_000;

/// A plan as a comment in a pull request: a summary that is always whole, and folded details, in at most
/// 65,536 characters.
pub fn plan_markdown(plan: &Plan) -> String {
    let mut page = Page::begin(PLAN_MARKER, &summary(plan));
    let problems = plan.problems.iter().map(problem_line).collect();
    page.part(&Part::list("Cannot be planned", problems, "problem"), RESERVE * 5);
    for (title, origin, reserve) in [
        (THIS_CHANGE, Some(Origin::ThisChange), RESERVE * 4),
        (DRIFT, Some(Origin::Drift), RESERVE * 3),
        ("Changes", None, RESERVE * 2),
    ] {
        let lines: Vec<String> =
            plan.changes_of(origin).map(|change| change_line(plan, change)).collect();
        let title = format!("{title}: {}", lines.len());
        let columns = "| | user | from | to | line |";
        page.part(&Part::table(&title, columns, lines, "change"), reserve);
    }
    let names = names(plan);
    page.part(&Part::table("Short names", "| name | policy |", names, "short name"), RESERVE);
    let unlisted: Vec<String> =
        plan.no_longer_listed().iter().map(|user| format!("| {} |", code(user.as_str()))).collect();
    let title = format!("No longer listed, and left as they are: {}", unlisted.len());
    page.part(&Part::table(&title, "| user |", unlisted, "user"), 0);
    page.into_text()
}

fn summary(plan: &Plan) -> String {
    let account = code(plan.account.as_str());
    let title = if plan.changes.is_empty() {
        "nothing to change".to_owned()
    } else {
        counted(plan.changes.len(), "change")
    };
    let mut text = format!("### Permissions boundaries of account {account}: {title}\n\n");
    if let Some(run) = plan.rolls_back {
        text.push_str(&format!("Puts back the run of plan `{}`.\n\n", run.short()));
    }
    text.push_str("| | add | change | remove |\n| --- | ---: | ---: | ---: |\n");
    let mut row = |title: &str, counts: Counts| {
        let Counts { add, change, remove } = counts;
        text.push_str(&format!("| {title} | {add} | {change} | {remove} |\n"));
    };
    if plan.base.is_some() {
        for (title, origin) in [(THIS_CHANGE, Origin::ThisChange), (DRIFT, Origin::Drift)] {
            row(title, Counts::of(plan.changes_of(Some(origin))));
        }
    }
    row("All", plan.counts());
    let verb = plural(plan.in_sync, "is", "are");
    let file = clipped(&plan.file);
    text.push_str(&match plan.rolls_back {
        None => format!("\n{} {verb} as {file} says.", counted(plan.in_sync, "listed user")),
        Some(_) => {
            let users = counted(plan.in_sync, "user");
            format!("\n{users} of {file} {verb} as before the run.")
        }
    });
    if !plan.problems.is_empty() {
        text.push_str(&format!(" **{} cannot be planned.**", plan.problems.len()));
    }
    let unlisted = plan.no_longer_listed().len();
    if unlisted > 0 {
        let verb = plural(unlisted, "is", "are");
        text.push_str(&format!(
            " {} {verb} no longer listed, and left as {}.",
            counted(unlisted, "user"),
            plural(unlisted, "it is", "they are")
        ));
    }
    if let Some(refused) = refused(plan) {
        text.push_str(&format!("\n\n**{}:**\n", refused.by));
        for why in refused.why {
            text.push_str(&format!("\n- {}", words(&why)));
        }
        text.push_str(&format!("\n\n{}.", words(&refused.unless)));
    }
    text.push_str(&format!("\n\nDigest: `{}`\n", plan.digest()));
    text
}

/// One problem as an item of a list.
pub(super) fn problem_line(problem: &Problem) -> String {
    let (user, line) = (code(problem.user.as_str()), problem.line);
    let what = match &problem.kind {
        ProblemKind::NoSuchUser { differs_by_case: None } => "IAM has no such user.".to_owned(),
        ProblemKind::NoSuchUser { differs_by_case: Some(other) } => {
            format!("IAM has no such user, but it has {}.", code(other.as_str()))
        }
        ProblemKind::Unreadable(error) => {
            format!("the present boundary is not known: {}.", clipped(&error.to_string()))
        }
        ProblemKind::NoSuchPolicy { policy } => {
            format!("IAM has no policy {}.", code(policy.as_str()))
        }
        ProblemKind::PolicyNotAttachable { policy } => {
            format!("the policy {} cannot be attached to a user.", code(policy.as_str()))
        }
        ProblemKind::PolicyUnreadable { policy, error } => format!(
            "whether the policy {} can be a boundary is not known: {}.",
            code(policy.as_str()),
            clipped(&error.to_string())
        ),
        ProblemKind::NotAsLeft { left, found } => {
            let name = |arn: &Option<PolicyArn>| {
                arn.as_ref().map_or_else(|| "no boundary".to_owned(), |arn| code(arn.as_str()))
            };
            format!("the run left {}, and there is {}.", name(left), name(found))
        }
    };
    let needs_advice = !matches!(problem.kind, ProblemKind::NoSuchUser { .. });
    match what_to_do(problem).filter(|_| needs_advice) {
        Some(advice) => format!("- {user} (line {line}): {what} {}", words(&advice)),
        None => format!("- {user} (line {line}): {what}"),
    }
}

/// One change as a row of a table.
pub(super) fn change_line(plan: &Plan, change: &Change) -> String {
    let name = |arn: Option<&PolicyArn>| {
        arn.map_or_else(|| "none".to_owned(), |arn| code(plan.name_of(arn)))
    };
    format!(
        "| {} | {} | {} | {} | {} |",
        change.action.word(),
        code(change.user.as_str()),
        name(change.action.from()),
        name(change.action.to()),
        change.line
    )
}

fn names(plan: &Plan) -> Vec<String> {
    let mut names: Vec<_> = plan.names.iter().map(|(arn, name)| (name, arn)).collect();
    names.sort();
    names
        .into_iter()
        .map(|(name, arn)| format!("| {} | {} |", code(name), code(arn.as_str())))
        .collect()
}
