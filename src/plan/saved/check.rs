//! The checks of a saved plan beyond its digest: a plan that was edited by hand can contain nothing that a
//! boundaries file could not ask for.

use std::collections::{BTreeMap, HashSet};

use super::coverage::SeverityDocument;
use super::document::{
    ActionDocument, BoundaryDocument, ChangeDocument, Document, FileDocument, ProblemDocument,
    SourceDocument,
};
use super::format::FORMAT_VERSION;
use super::pinned;
use super::principal::PrincipalDocument;
use crate::config::{Provenance, ProvenanceKind, SourceFile};
use crate::iam::{
    BoundaryChange, PolicyArn, PolicyOwner, Principal, PrincipalKind, Printable, is_short_name,
};
use crate::plan::change::{Change, Problem, ProblemKind, Severity};
use crate::plan::content::Plan;
use crate::plan::source::{Base, PlanSource};

/// The plan in `document`, or what in it is not consistent.
pub(super) fn plan(document: Document) -> Result<Plan, String> {
    let digest = document.digest;
    if document.format_version != FORMAT_VERSION {
        return Err(format!("format version {} does not exist", document.format_version));
    }
    let source = source(document.source)?;
    let mut shared = Printable::new("");
    let changes = document
        .changes
        .into_iter()
        .map(|written| change(written, &source, &mut shared))
        .collect::<Result<_, _>>()?;
    let problems = document
        .problems
        .into_iter()
        .map(|written| problem(written, &source, &mut shared))
        .collect::<Result<_, _>>()?;
    let in_sync = document.summary.in_sync().ok_or("more roles than principals are in sync")?;
    let mut plan = Plan {
        changes,
        problems,
        in_sync,
        guard: document.guard.into_guard(),
        account_users: document.account_users,
        account_roles: document.account_roles,
        account_alias: document.account_alias,
        assume_role: document.assume_role,
        ..Plan::empty(document.account, source)
    };
    document.coverage.into_plan(&mut plan)?;
    pinned::into_plan(document.documents, document.drifted, &mut plan)?;
    plan.blame = document.blame.map(|blame| blame.into_blame(&plan)).transpose()?;
    plan.impact = document.impact.map(|impact| impact.into_impact(&plan)).transpose()?;
    let planned = plan.changes.len() + plan.problems.len();
    if plan.in_sync.total().checked_add(planned).is_none() {
        return Err("its number of principals is too large".to_owned());
    }
    each_principal_once(&plan)?;
    for arn in plan.changes.iter().filter_map(|change| change.boundary.to()) {
        in_account(arn, &plan)?;
    }
    plan.names = names(document.boundaries, &plan)?;
    // Only the counts and the order of the short names are not checked yet.
    if Document::of(&plan).digest != digest {
        return Err("its counts do not match its content, or its names are not sorted".to_owned());
    }
    Ok(plan)
}

fn source(document: SourceDocument) -> Result<PlanSource, String> {
    let file = |FileDocument { path, digest }: FileDocument| {
        if path.is_empty() {
            return Err("the path of its file is empty".to_owned());
        }
        Ok(SourceFile { path, digest })
    };
    match document {
        SourceDocument::Files { files, base } => {
            if files.is_empty() {
                return Err("it names no file".to_owned());
            }
            let files = files.into_iter().map(file).collect::<Result<_, _>>()?;
            let base = base.map(|base| Base {
                digest: base.digest,
                no_longer_listed: principals(base.no_longer_listed),
            });
            Ok(PlanSource::Files { files, base })
        }
        SourceDocument::Rollback { journal, plan, run_ended, unconfirmed } => {
            let (journal, unconfirmed) = (file(journal)?, principals(unconfirmed));
            Ok(PlanSource::Rollback { journal, plan, run_ended, unconfirmed })
        }
    }
}

fn principals(written: Vec<PrincipalDocument>) -> Vec<Principal> {
    written.into_iter().map(|PrincipalDocument { kind, name }| Principal { kind, name }).collect()
}

fn change(
    written: ChangeDocument,
    source: &PlanSource,
    shared: &mut Printable,
) -> Result<Change, String> {
    let ChangeDocument {
        account: _,
        kind,
        name,
        unique_id,
        action,
        from,
        to,
        provenance,
        reason,
        expired,
        origin,
        widening,
    } = written;
    let principal = Principal { kind, name };
    let boundary = BoundaryChange::between(from.as_ref(), to.as_ref());
    let boundary = match (action, boundary) {
        (ActionDocument::Add, Some(boundary @ BoundaryChange::Add { .. }))
        | (ActionDocument::Change, Some(boundary @ BoundaryChange::Change { .. }))
        | (ActionDocument::Remove, Some(boundary @ BoundaryChange::Remove { .. })) => boundary,
        (_, None) => return Err(format!("the change of {principal} changes nothing")),
        _ => return Err(format!("the action of {principal} does not match its change")),
    };
    match (&origin, source.base()) {
        (Some(_), None) => return Err(format!("{principal} has an origin without a base")),
        (None, Some(_)) => {
            return Err(format!("{principal} has no origin, and the plan has a base"));
        }
        _ => {}
    }
    let provenance = provenance.into_provenance(shared);
    check_provenance(&principal, &provenance, source)?;
    if (reason.is_some() || expired.is_some()) && provenance.kind != ProvenanceKind::Entry {
        return Err(format!("the change of {principal} has a reason or an end, but no entry"));
    }
    if widening.is_some() && !matches!(boundary, BoundaryChange::Change { .. }) {
        return Err(format!("{principal} has a comparison of boundaries, but not two of them"));
    }
    Ok(Change { principal, unique_id, boundary, provenance, reason, expired, origin, widening })
}

fn problem(
    written: ProblemDocument,
    source: &PlanSource,
    shared: &mut Printable,
) -> Result<Problem, String> {
    let ProblemDocument { account: _, kind, name, provenance, problem, severity } = written;
    let principal = Principal { kind, name };
    let provenance = provenance.into_provenance(shared);
    check_provenance(&principal, &provenance, source)?;
    let kind = problem.into_kind();
    match &kind {
        ProblemKind::NotFound { differs_by_case: Some(other) }
            if *other == principal.name || other.folded() != principal.name.folded() =>
        {
            return Err(format!("{other} does not differ from {principal} only in case"));
        }
        ProblemKind::NotAsLeft { left, found } if left == found => {
            return Err(format!("the boundary of {principal} is the one that the run set"));
        }
        ProblemKind::Recreated { changed, found } if changed == found => {
            return Err(format!("the unique ID of {principal} is the one that the run changed"));
        }
        ProblemKind::Unmodifiable { .. } if principal.kind != PrincipalKind::Role => {
            return Err(format!("{principal} is not a role"));
        }
        ProblemKind::Undecided if principal.kind != PrincipalKind::User => {
            return Err(format!("{principal} is not a user"));
        }
        ProblemKind::PolicyChanged { .. } => {
            return Err(format!("the policy of {principal} changed since the plan was made"));
        }
        ProblemKind::NotFound { .. }
        | ProblemKind::Undecided
        | ProblemKind::PolicyDiffers { .. }
        | ProblemKind::Expired { .. }
        | ProblemKind::Unmodifiable { .. }
        | ProblemKind::Recreated { .. }
        | ProblemKind::NoSuchPolicy { .. }
        | ProblemKind::PolicyNotAttachable { .. }
        | ProblemKind::NotAsLeft { .. } => {}
        ProblemKind::Unreadable(error)
        | ProblemKind::PolicyUnreadable { error, .. }
        | ProblemKind::PolicyDocumentUnreadable { error, .. } => {
            let is_action = error.action.split_once(':').is_some_and(|(service, action)| {
                let is_service = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                !service.is_empty()
                    && service.chars().all(is_service)
                    && !action.is_empty()
                    && action.chars().all(|c| c.is_ascii_alphanumeric())
            });
            if !is_action {
                return Err(format!("the error of {principal} is not valid"));
            }
        }
    }
    let severity = severity.map_or(Severity::Error, SeverityDocument::into_severity);
    if severity == Severity::Warning
        && !matches!(kind, ProblemKind::NotFound { differs_by_case: None })
    {
        return Err(format!(
            "only a principal that does not exist can be a warning, not {principal}"
        ));
    }
    Ok(Problem { principal, provenance, kind, severity })
}

/// Whether the provenance is a position in one of the plan's own files.
fn check_provenance(
    principal: &Principal,
    provenance: &Provenance,
    source: &PlanSource,
) -> Result<(), String> {
    let is_own = match (source, provenance.kind) {
        (PlanSource::Files { files, .. }, ProvenanceKind::Entry | ProvenanceKind::Rule) => {
            files.iter().any(|file| file.path == *provenance.file)
        }
        (PlanSource::Rollback { journal, .. }, ProvenanceKind::Journal) => {
            journal.path == *provenance.file
        }
        _ => false,
    };
    if !is_own {
        return Err(format!("the provenance of {principal} is not in a file of the plan"));
    }
    if provenance.line == 0 || provenance.column == Some(0) {
        return Err(format!("the line or column of {principal} is 0; both begin at 1"));
    }
    Ok(())
}

/// IAM names are case-insensitive, and no file lists a principal twice.
fn each_principal_once(plan: &Plan) -> Result<(), String> {
    let changes = plan.changes.iter().map(|change| &change.principal);
    let problems = plan.problems.iter().map(|problem| &problem.principal);
    let mut listed = HashSet::new();
    let mut twice =
        changes.clone().chain(problems.clone()).filter(|it| !listed.insert(it.folded()));
    if let Some(principal) = twice.next() {
        return Err(format!("it contains {principal} twice"));
    }
    if plan
        .no_longer_listed()
        .iter()
        .any(|it| changes.clone().chain(problems.clone()).any(|listed| listed == it))
    {
        return Err("a principal is both listed and no longer listed".to_owned());
    }
    let unconfirmed = plan.source.unconfirmed();
    let changed: HashSet<&Principal> = changes.clone().collect();
    if let Some(principal) = unconfirmed.iter().find(|it| !changed.contains(it)) {
        return Err(format!("the unconfirmed change of {principal} is not one of its changes"));
    }
    let are_sorted = changes.is_sorted_by(|a, b| a < b)
        && problems.is_sorted_by(|a, b| a < b)
        && plan.no_longer_listed().is_sorted_by(|a, b| a < b)
        && unconfirmed.is_sorted_by(|a, b| a < b);
    if are_sorted {
        Ok(())
    } else {
        Err("its principals are not sorted by kind and name".to_owned())
    }
}

/// A present boundary is as IAM reported it. The plan can only set boundaries that a file could ask for.
fn in_account(arn: &PolicyArn, plan: &Plan) -> Result<(), String> {
    match arn.owner() {
        PolicyOwner::Account(account) if account != plan.account => {
            Err(format!("{arn} is not a policy of account {}", plan.account))
        }
        _ if Some(arn.partition()) != plan.partition_to_set() => {
            Err(format!("{arn} is in another partition than the other ARNs"))
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
            return Err(format!("{name:?} is not a valid short name"));
        }
        if !arns.contains(&arn) {
            return Err(format!("no change has the boundary {name}"));
        }
        if !taken.insert(name.clone()) || names.insert(arn, name.clone()).is_some() {
            return Err(format!(
                "the boundary {name} has two names, or the name {name} has two boundaries"
            ));
        }
    }
    Ok(names)
}
