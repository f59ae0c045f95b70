//! What must be so in every plan, whatever its digest says: a plan that was written by hand can do
//! nothing that no file could ask for.

use std::collections::{BTreeMap, HashSet};

use super::document::{
    ActionDocument, BoundaryDocument, ChangeDocument, Document, ProblemDocument,
};
use crate::aws::is_printable;
use crate::iam::{PolicyArn, PolicyOwner, PrincipalName, is_short_name};
use crate::plan::{Base, BoundaryChange, Change, Plan, Problem, ProblemKind};

/// The plan that `document` is of, or what in it cannot be.
pub(super) fn plan(document: Document) -> Result<Plan, String> {
    let digest = document.digest;
    if document.format_version != super::FORMAT_VERSION {
        return Err(format!("there is no format version {}", document.format_version));
    }
    if document.file.is_empty() || !is_printable(&document.file) {
        return Err("the name of its file cannot be shown".to_owned());
    }
    let has_base = document.base.is_some();
    let mut plan = Plan {
        account: document.account,
        file: document.file,
        file_digest: document.file_digest,
        base: None,
        changes: document
            .changes
            .into_iter()
            .map(|written| change(written, has_base))
            .collect::<Result<_, _>>()?,
        problems: document.problems.into_iter().map(problem).collect::<Result<_, _>>()?,
        in_sync: document.summary.in_sync,
        names: BTreeMap::new(),
        guard: document.guard.into_guard(),
        account_users: document.account_users,
        rolls_back: document.rolls_back,
    };
    if let Some(base) = document.base {
        plan.base = Some(Base { digest: base.digest, no_longer_listed: base.no_longer_listed });
    }
    let planned = plan.changes.len() + plan.problems.len();
    if plan.in_sync.checked_add(planned).is_none() {
        return Err("it counts more users than there can be".to_owned());
    }
    each_user_once(&plan)?;
    plan.arns().try_for_each(|arn| in_account(arn, &plan))?;
    plan.names = names(document.boundaries, &plan)?;
    // What is left are the counts, and the order of the short names.
    if Document::of(&plan).digest != digest {
        return Err(
            "its counts are not those of what is in it, or its names are unsorted".to_owned()
        );
    }
    Ok(plan)
}

fn change(written: ChangeDocument, has_base: bool) -> Result<Change, String> {
    let ChangeDocument { user, action, from, to, line, origin } = written;
    let ends = BoundaryChange::between(from.as_ref(), to.as_ref());
    let action = match (action, ends) {
        (ActionDocument::Add, Some(action @ BoundaryChange::Add { .. }))
        | (ActionDocument::Change, Some(action @ BoundaryChange::Change { .. }))
        | (ActionDocument::Remove, Some(action @ BoundaryChange::Remove { .. })) => action,
        (_, None) => return Err(format!("the change of {user} ends where it begins")),
        _ => return Err(format!("the change of {user} is not the action that it is said to be")),
    };
    if origin.is_some() != has_base {
        return Err(format!(
            "the origin of the change of {user} needs a base, and a base needs it"
        ));
    }
    at_a_line(&user, line)?;
    Ok(Change { user, line, action, origin })
}

fn problem(written: ProblemDocument) -> Result<Problem, String> {
    let ProblemDocument { user, line, column, problem } = written;
    at_a_line(&user, line.min(column.unwrap_or(line)))?;
    let kind = problem.into_kind();
    match &kind {
        ProblemKind::NoSuchUser { differs_by_case: Some(other) }
            if *other == user || other.folded() != user.folded() =>
        {
            return Err(format!("{other} differs from {user} by more than case, or not at all"));
        }
        ProblemKind::NoSuchUser { .. } => {}
        ProblemKind::NotAsLeft { left, found } if left == found => {
            return Err(format!("{user} is as the run left it, and is not"));
        }
        ProblemKind::NoSuchPolicy { .. }
        | ProblemKind::PolicyNotAttachable { .. }
        | ProblemKind::NotAsLeft { .. } => {}
        ProblemKind::Unreadable(error) | ProblemKind::PolicyUnreadable { error, .. } => {
            let is_action = error.action.split_once(':').is_some_and(|(service, action)| {
                let is_service = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                !service.is_empty()
                    && service.chars().all(is_service)
                    && !action.is_empty()
                    && action.chars().all(|c| c.is_ascii_alphanumeric())
            });
            if !is_action || !is_printable(&error.code) || !is_printable(&error.message) {
                return Err(format!("what is said of {user} is nothing that AWS says"));
            }
        }
    }
    Ok(Problem { user, line, column, kind })
}

fn at_a_line(user: &PrincipalName, number: usize) -> Result<(), String> {
    if number == 0 { Err(format!("{user} stands nowhere in the file")) } else { Ok(()) }
}

/// IAM has no two users whose names differ by case alone, and no file lists two.
fn each_user_once(plan: &Plan) -> Result<(), String> {
    let changes = plan.changes.iter().map(|change| &change.user);
    let problems = plan.problems.iter().map(|problem| &problem.user);
    let mut listed = HashSet::new();
    let mut twice =
        changes.clone().chain(problems.clone()).filter(|user| !listed.insert(user.folded()));
    if let Some(user) = twice.next() {
        return Err(format!("{user} is in it twice"));
    }
    if plan
        .no_longer_listed()
        .iter()
        .any(|user| changes.clone().chain(problems.clone()).any(|listed| listed == user))
    {
        return Err("a user is listed, and listed no longer".to_owned());
    }
    let are_sorted = changes.is_sorted_by(|a, b| a < b)
        && problems.is_sorted_by(|a, b| a < b)
        && plan.no_longer_listed().is_sorted_by(|a, b| a < b);
    if are_sorted { Ok(()) } else { Err("its users are not sorted by name".to_owned()) }
}

fn in_account(arn: &PolicyArn, plan: &Plan) -> Result<(), String> {
    match arn.owner() {
        PolicyOwner::Account(account) if account != plan.account => {
            Err(format!("{arn} is no policy of account {}", plan.account))
        }
        _ if Some(arn.partition()) != plan.partition() => {
            Err(format!("{arn} is of another partition than the boundaries before it"))
        }
        _ => Ok(()),
    }
}

fn names(
    written: Vec<BoundaryDocument>,
    plan: &Plan,
) -> Result<BTreeMap<PolicyArn, String>, String> {
    let arns: HashSet<&PolicyArn> = plan.arns().collect();
    let mut taken = HashSet::new();
    let mut names = BTreeMap::new();
    for BoundaryDocument { name, arn } in written {
        if !is_short_name(&name) {
            return Err(format!("{name:?} cannot be a short name"));
        }
        if !arns.contains(&arn) {
            return Err(format!("the boundary {name} is in no change"));
        }
        if !taken.insert(name.clone()) || names.insert(arn, name.clone()).is_some() {
            return Err(format!("the boundary {name} has two names, or its name two boundaries"));
        }
    }
    Ok(names)
}
