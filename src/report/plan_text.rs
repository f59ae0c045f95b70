use std::fmt::Write as _;

use super::columns::Columns;
use super::{Paint, advice, counted};
use crate::plan::{Plan, Problem, ProblemKind};

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
        writeln!(text, "Changes to account {account}, as {file} says:\n")?;
        let columns = Columns::of(plan);
        for change in &plan.changes {
            writeln!(text, "  {}", columns.line(plan, change, paint))?;
        }
        writeln!(text)?;
        write_names(text, plan, paint)?;
    }
    if !plan.problems.is_empty() {
        writeln!(text, "{}\n", paint.bad("Cannot be planned:"))?;
        for problem in &plan.problems {
            let at = format!("{file}:{}:{}:", problem.line, problem.column);
            writeln!(text, "  {at} {}: {}", paint.strong(&problem.user), what(problem))?;
            if let Some(advice) = what_to_do(problem) {
                writeln!(text, "      {advice}")?;
            }
        }
        writeln!(text)?;
    }
    writeln!(text, "{}", closing(plan, paint))
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
    let problems = plan.problems.len();
    let cannot = format!("{problems} cannot be planned");
    let mut line = if plan.changes.is_empty() {
        match (plan.in_sync, problems) {
            (all, 0) => {
                let line = format!(
                    "In sync: account {} has {} as {} says.",
                    plan.account,
                    counted(all, "user"),
                    plan.file
                );
                return paint.good(line);
            }
            (some, _) => format!("In sync: {some} of {}", counted(plan.listed(), "listed user")),
        }
    } else {
        let counts = plan.counts();
        format!(
            "Plan: {} to add, {} to change, {} to remove; {} in sync",
            counts.add, counts.change, counts.remove, plan.in_sync
        )
    };
    if problems > 0 {
        line.push_str("; ");
        line.push_str(&paint.bad(cannot));
    }
    line.push('.');
    line
}

/// A problem in one sentence.
pub(super) fn what(problem: &Problem) -> String {
    match &problem.kind {
        ProblemKind::NoSuchUser { differs_by_case: None } => "IAM has no such user".to_owned(),
        ProblemKind::NoSuchUser { differs_by_case: Some(other) } => {
            format!("IAM has no such user, but it has {other}")
        }
        ProblemKind::Unreadable(error) => format!("the present boundary is not known: {error}"),
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
        ProblemKind::Unreadable(error) => advice(error),
    }
}
