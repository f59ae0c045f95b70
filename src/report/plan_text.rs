use std::fmt::Write as _;

use super::columns::Columns;
use super::failures::wrapped;
use super::guard::refused;
use super::{Paint, advice, counted};
use crate::iam::PolicyArn;
use crate::plan::{Counts, Origin, Plan, Problem, ProblemKind};

/// Stands over the changes that this version of the file brings.
pub(super) const THIS_CHANGE: &str = "From this change of the file";
/// Stands over the changes that the earlier version asked for already.
pub(super) const DRIFT: &str = "Drift that was there before";

/// A plan for people, ending in a line that counts.
pub fn plan_text(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_plan(&mut text, plan, paint);
    text
}

fn write_plan(text: &mut String, plan: &Plan, paint: Paint) -> std::fmt::Result {
    let Plan { file, account, .. } = plan;
    if !plan.changes.is_empty() {
        match plan.rolls_back {
            None => writeln!(text, "Changes to account {account}, as {file} says:\n")?,
            Some(run) => {
                let run = run.short();
                writeln!(
                    text,
                    "Changes to account {account}, to put back the run of plan {run} ({file}):\n"
                )?;
            }
        }
        let columns = Columns::of(plan);
        for origin in [None, Some(Origin::ThisChange), Some(Origin::Drift)] {
            let mut changes = plan.changes_of(origin).peekable();
            if changes.peek().is_none() {
                continue;
            }
            match origin {
                None => {}
                Some(Origin::ThisChange) => writeln!(text, "{}:\n", paint.strong(THIS_CHANGE))?,
                Some(Origin::Drift) => writeln!(text, "{}:\n", paint.strong(DRIFT))?,
            }
            for change in changes {
                writeln!(text, "  {}", columns.line(plan, change, paint))?;
            }
            writeln!(text)?;
        }
        write_names(text, plan, paint)?;
    }
    write_problems(text, plan, paint)?;
    let unlisted: Vec<&str> = plan.no_longer_listed().iter().map(|user| user.as_str()).collect();
    if !unlisted.is_empty() {
        let users = counted(unlisted.len(), "user");
        writeln!(text, "No longer listed, and left as they are: {users}\n")?;
        for line in wrapped(&unlisted, 96) {
            writeln!(text, "  {line}")?;
        }
        writeln!(text)?;
    }
    if let Some(refused) = refused(plan) {
        writeln!(text, "{}", paint.bad(format!("Guard rails: {}.", refused.by)))?;
        for why in refused.why {
            writeln!(text, "  {why}")?;
        }
        writeln!(text, "  {} {}.\n", paint.strong("What to do:"), refused.unless)?;
    }
    writeln!(text, "{}", closing(plan, paint))?;
    writeln!(text, "Digest: {}", plan.digest().short())
}

/// The listed users for whom nothing can be planned, and why, for people.
pub fn problems_text(plan: &Plan, paint: Paint) -> String {
    let mut text = "\n".to_owned();
    // Writing to a String cannot fail.
    let _ = write_problems(&mut text, plan, paint);
    text
}

fn write_problems(text: &mut String, plan: &Plan, paint: Paint) -> std::fmt::Result {
    if plan.problems.is_empty() {
        return Ok(());
    }
    let file = &plan.file;
    writeln!(text, "{}\n", paint.bad("Cannot be planned:"))?;
    for (n, problem) in plan.problems.iter().enumerate() {
        let at = match problem.column {
            Some(column) => format!("{file}:{}:{column}:", problem.line),
            None => format!("{file}:{}:", problem.line),
        };
        writeln!(text, "  {at} {}: {}", paint.strong(&problem.user), what(problem))?;
        let advice = what_to_do(problem);
        // Once for users one after the other who have the same problem.
        let is_last = plan.problems.get(n + 1).is_none_or(|next| what_to_do(next) != advice);
        if let Some(advice) = advice.filter(|_| is_last) {
            writeln!(text, "      {advice}")?;
        }
    }
    writeln!(text)
}

/// What the short names stand for, so that a plan can be judged without the file.
fn write_names(text: &mut String, plan: &Plan, paint: Paint) -> std::fmt::Result {
    let mut names: Vec<_> = plan.names.iter().map(|(arn, name)| (name, arn)).collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort();
    let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, arn) in names {
        writeln!(text, "  {}", paint.dim(format!("{name:width$} = {arn}")))?;
    }
    writeln!(text)
}

fn closing(plan: &Plan, paint: Paint) -> String {
    let counts = counts(plan);
    match cannot_be_planned(plan) {
        Some(cannot) => format!("{counts}; {}.", paint.bad(cannot)),
        None if plan.changes.is_empty() => paint.good(format!("{counts}.")),
        None => format!("{counts}."),
    }
}

/// The listed users who are not as the file says, and those who are.
fn counts(plan: &Plan) -> String {
    let Plan { account, file, in_sync, .. } = plan;
    if plan.changes.is_empty() {
        return match plan.problems.len() {
            0 => {
                let users = counted(*in_sync, "user");
                match plan.rolls_back {
                    None => format!("In sync: account {account} has {users} as {file} says"),
                    Some(_) => {
                        format!(
                            "Nothing to put back: {users} of account {account} as before the run"
                        )
                    }
                }
            }
            _ => format!("In sync: {in_sync} of {}", counted(plan.listed(), "listed user")),
        };
    }
    let Counts { add, change, remove } = plan.counts();
    let counts = format!("Plan: {add} to add, {change} to change, {remove} to remove");
    let origins = plan.base.as_ref().map(|_| {
        let (this_change, drift) =
            (plan.count_of(Origin::ThisChange), plan.count_of(Origin::Drift));
        format!(" ({this_change} from this change of the file, {drift} drift)")
    });
    format!("{counts}{}; {in_sync} in sync", origins.unwrap_or_default())
}

fn cannot_be_planned(plan: &Plan) -> Option<String> {
    let problems = plan.problems.len();
    (problems > 0).then(|| format!("{problems} cannot be planned"))
}

/// The plan in one line, without a full stop.
pub(super) fn in_one_line(plan: &Plan) -> String {
    match cannot_be_planned(plan) {
        Some(cannot) => format!("{}; {cannot}", counts(plan)),
        None => counts(plan),
    }
}

/// A problem in one sentence.
pub(super) fn what(problem: &Problem) -> String {
    match &problem.kind {
        ProblemKind::NoSuchUser { differs_by_case: None } => "IAM has no such user".to_owned(),
        ProblemKind::NoSuchUser { differs_by_case: Some(other) } => {
            format!("IAM has no such user, but it has {other}")
        }
        ProblemKind::Unreadable(error) => format!("the present boundary is not known: {error}"),
        ProblemKind::NoSuchPolicy { policy } => format!("IAM has no policy {policy}"),
        ProblemKind::PolicyNotAttachable { policy } => {
            format!("the policy {policy} cannot be attached to a user")
        }
        ProblemKind::PolicyUnreadable { policy, error } => {
            format!("whether the policy {policy} can be a boundary is not known: {error}")
        }
        ProblemKind::NotAsLeft { left, found } => {
            let name = |arn: &Option<PolicyArn>| match arn {
                Some(arn) => arn.to_string(),
                None => "no boundary".to_owned(),
            };
            format!("the run left {}, and there is {}", name(left), name(found))
        }
    }
}

/// What to do about a problem.
pub(super) fn what_to_do(problem: &Problem) -> Option<String> {
    match &problem.kind {
        ProblemKind::NoSuchUser { differs_by_case: None } => {
            Some("Create the user, correct the name, or take the line out.".to_owned())
        }
        ProblemKind::NoSuchUser { differs_by_case: Some(other) } => {
            Some(format!("Write the name as IAM has it: {other}"))
        }
        ProblemKind::Unreadable(error) | ProblemKind::PolicyUnreadable { error, .. } => {
            advice(error)
        }
        ProblemKind::NoSuchPolicy { .. } => {
            Some("Create the policy, or correct its ARN.".to_owned())
        }
        ProblemKind::PolicyNotAttachable { .. } => {
            Some("AWS keeps it for its own service roles: name another policy.".to_owned())
        }
        ProblemKind::NotAsLeft { .. } => Some(
            "Someone changed it since, and it is left as it is: set it by the file.".to_owned(),
        ),
    }
}
