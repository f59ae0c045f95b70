use super::github::{Annotation, Level, SHOWN, annotations, remark};
use super::guard::refused;
use super::plan_text::{in_one_line, what, what_to_do};
use super::{counted, named, plural};
use crate::plan::{BoundaryChange, Change, Origin, Plan, Problem};

/// A plan as workflow commands: problems are errors, drift is warnings, and what the change of the file
/// brings is notices, each on its line of the file. No more of each than GitHub shows.
pub fn plan_github(plan: &Plan) -> String {
    let line = in_one_line(plan);
    let summary = format!("{line}. Account {}, digest {}", plan.account, plan.digest());
    let mut text = remark(Level::Notice, "Permissions boundaries", &summary);
    let refused = refused(plan);
    if let Some(refused) = &refused {
        let message = format!("{}\n{}", refused.why.join("\n"), refused.unless);
        text.push_str(&remark(Level::Error, refused.by, &message));
    }
    let problems = plan.problems.iter().map(on_line_of_problem);
    let room = SHOWN - usize::from(refused.is_some());
    text.push_str(&annotations(room, Level::Error, &plan.file, "problem", problems));
    let (drift, changes): (Vec<&Change>, Vec<&Change>) = most_dangerous_first(plan)
        .into_iter()
        .partition(|change| change.origin == Some(Origin::Drift));
    let on_line = |change: &&Change| on_line_of_change(plan, change);
    let unlisted = plan.no_longer_listed();
    let room = SHOWN - usize::from(!unlisted.is_empty());
    let drift = drift.iter().map(on_line);
    text.push_str(&annotations(room, Level::Warning, &plan.file, "drifted user", drift));
    // The summary is a notice, too.
    let changes = changes.iter().map(on_line);
    text.push_str(&annotations(SHOWN - 1, Level::Notice, &plan.file, "change", changes));
    if let Some(first) = unlisted.first() {
        let message = format!(
            "{first}{} no longer in the file, and left as {} in the account: a user who shall have no \
             boundary is listed with false",
            match unlisted.len() {
                1 => " is".to_owned(),
                more => format!(" and {} are", counted(more - 1, "other user")),
            },
            plural(unlisted.len(), "it is", "they are")
        );
        text.push_str(&remark(Level::Warning, "No longer listed", &message));
    }
    text
}

/// Those who lose a boundary first, then those who get another: these can gain power by it.
fn most_dangerous_first(plan: &Plan) -> Vec<&Change> {
    let mut changes: Vec<&Change> = plan.changes.iter().collect();
    changes.sort_by_key(|change| match change.action {
        BoundaryChange::Remove { .. } => 0,
        BoundaryChange::Change { .. } => 1,
        BoundaryChange::Add { .. } => 2,
    });
    changes
}

fn on_line_of_problem(problem: &Problem) -> Annotation {
    let mut message = what(problem);
    if let Some(advice) = what_to_do(problem) {
        message.push('\n');
        message.push_str(&advice);
    }
    Annotation {
        title: format!("{} cannot be planned", problem.user),
        message,
        line: problem.line,
        column: problem.column,
    }
}

fn on_line_of_change(plan: &Plan, change: &Change) -> Annotation {
    let (from, to) = (named(plan, change.action.from()), named(plan, change.action.to()));
    let title = match change.origin {
        Some(Origin::Drift) => format!("{} has drifted", change.user),
        _ => format!("{} {}", change.action.word(), change.user),
    };
    Annotation { title, message: format!("{from} → {to}"), line: change.line, column: None }
}
